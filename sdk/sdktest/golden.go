package sdktest

import (
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed testdata/frames/*.hex
var frames embed.FS

// Golden returns the golden frames by name. Their content is that of the test of this package that builds them.
func Golden() (map[string][]byte, error) {
	const dir = "testdata/frames"
	entries, err := fs.ReadDir(frames, dir)
	if err != nil {
		return nil, err
	}
	all := make(map[string][]byte, len(entries))
	for _, e := range entries {
		text, err := frames.ReadFile(path.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		frame, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		if err != nil {
			return nil, fmt.Errorf("golden frame %s: %w", e.Name(), err)
		}
		all[strings.TrimSuffix(e.Name(), ".hex")] = frame
	}
	return all, nil
}
