package author

import (
	"context"
	"path/filepath"
)

// buildPython only checks that the script can run: a Python plugin is a process.
func buildPython(ctx context.Context, f folder) (_ []byte, use string, err error) {
	python, err := tool("apt-get install python3", "python3")
	if err != nil {
		return nil, "", err
	}
	if _, err := f.run(ctx, nil, python, "-c", "import grpc"); err != nil {
		return nil, "", &MissingTool{Tool: "grpcio for python3", Install: "apt-get install python3-grpcio, or pip install grpcio"}
	}
	return nil, filepath.Join(f.dir, "plugin.py"), nil
}
