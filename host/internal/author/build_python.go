package author

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// pythonNeeds are the signs of what is missing when the script does not start.
var pythonNeeds = []struct {
	sign string
	MissingTool
}{
	{"python3': No such file", MissingTool{"python3", "apt-get install python3"}},
	{"No module named 'grpc'", MissingTool{"grpcio for python3", "apt-get install python3-grpcio, or pip install grpcio"}},
	{"No module named 'carebot'", MissingTool{"carebot-sdk", "pip install --target . carebot-sdk, in the plugin's folder"}},
}

// buildPython makes the script executable and checks that it starts: a Python plugin is a process. From a checkout the
// kit is put beside the script, where Python finds it.
func buildPython(ctx context.Context, f folder) (_ []byte, use string, err error) {
	if f.sdk != "" {
		if err := f.copyKit(); err != nil {
			return nil, "", err
		}
	}
	use = filepath.Join(f.dir, "plugin.py")
	if err := os.Chmod(use, 0o755); err != nil {
		return nil, "", err
	}
	// The host gives a plugin nothing of its own environment either.
	_, err = f.run(ctx, nil, "env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", use, "-manifest")
	for _, need := range pythonNeeds {
		if err != nil && strings.Contains(err.Error(), need.sign) {
			return nil, "", &need.MissingTool
		}
	}
	return nil, use, err
}

// copyKit puts the kit of the checkout in the place of the one beside the script, if any.
func (f folder) copyKit() error {
	beside := filepath.Join(f.dir, "carebot")
	if err := os.RemoveAll(beside); err != nil {
		return err
	}
	return os.CopyFS(beside, os.DirFS(filepath.Join(f.sdk, "python", "carebot")))
}
