package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

// Digest identifies the content of a file or directory by a SHA-256, in hex. That of a file is the hash of its bytes.
// That of a directory is the hash of a line for each file in it and below: hash, space, quoted path from the directory
// with slashes, line break, sorted by path. Links to files count as files; unfinished files and directories
// (durable.Suffix) do not count.
func Digest(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	if !info.IsDir() {
		return hashFile(path)
	}
	files, err := filesBelow(path, "")
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	slices.Sort(files)
	h := sha256.New()
	for _, name := range files {
		sum, err := hashFile(filepath.Join(path, filepath.FromSlash(name)))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %q\n", sum, name)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// filesBelow lists the files in dir and below by their paths from root, which dir is at.
func filesBelow(root, dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		name := dir + e.Name()
		switch {
		case strings.HasSuffix(name, durable.Suffix):
		case e.IsDir():
			below, err := filesBelow(root, name+"/")
			if err != nil {
				return nil, err
			}
			files = append(files, below...)
		default:
			files = append(files, name)
		}
	}
	return files, nil
}

func hashFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("digest: %s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("digest %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
