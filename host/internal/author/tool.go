package author

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// MissingTool is the error of a build that lacks a tool.
type MissingTool struct {
	Tool    string
	Install string // what brings it
}

func (e *MissingTool) Error() string {
	return fmt.Sprintf("%s is not installed; install it with: %s", e.Tool, e.Install)
}

// tool returns the path of the first of the programs that is installed.
func tool(install string, names ...string) (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", &MissingTool{Tool: names[0], Install: install}
}

// run runs a program in the plugin's folder and returns what it prints. What it complains of becomes the error.
func (f folder) run(ctx context.Context, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var complaints bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.Env = f.dir, &complaints, append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", cmd, err, strings.TrimSpace(complaints.String()))
	}
	return out, nil
}
