package images

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// SumFile is the file beside the images that says of which sources they were made.
const SumFile = "sources.sum"

// Sum is a line for each source of kernels in a folder, its digest and name.
func Sum(folder string) (string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.cu*"))
	if err != nil {
		return "", err
	}
	var lines strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(text), filepath.Base(file))
	}
	return lines.String(), nil
}
