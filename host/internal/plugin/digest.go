package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/carebot-llm/carebot/sdk"
)

func digestBytes(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// builtinDigest stands for the code of a built-in plugin: its name and version, and the build of the binary that
// contains it.
func builtinDigest(m *sdk.Manifest) string {
	build := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		build = info.String()
	}
	return digestBytes(fmt.Appendf(nil, "%s\n%s\n%s", m.Name, m.Version, build))
}

// A pinned file is one that runs, with the digest of what it must hold.
type pinned struct{ Path, SHA256 string }

// pin digests the files of a program that are the plugin's own.
func pin(p program) ([]pinned, error) {
	var pins []pinned
	for _, path := range p.own() {
		digest, err := digestFile(path)
		if err != nil {
			return nil, err
		}
		pins = append(pins, pinned{path, digest})
	}
	return pins, nil
}

// executableDigest is the digest of what runs.
func executableDigest(c command) (string, error) {
	pins, err := pin(programOf(c))
	if err != nil {
		return "", err
	}
	return digestOf(pins), nil
}

// digestOf is the digest of what runs: of its file when it is one, else of the digests of its files, a line each.
func digestOf(pins []pinned) string {
	if len(pins) == 1 {
		return pins[0].SHA256
	}
	lines := make([]string, len(pins))
	for i := range pins {
		lines[i] = pins[i].SHA256
	}
	return digestBytes([]byte(strings.Join(lines, "\n")))
}

// changedError says that a file is no longer what was inspected.
func changedError(path string) error {
	return fmt.Errorf("%s has changed since it was inspected; start again", path)
}

// unchanged tells whether the files still hold what was digested.
func unchanged(pins []pinned) error {
	for _, p := range pins {
		digest, err := digestFile(p.Path)
		if err != nil {
			return err
		}
		if digest != p.SHA256 {
			return changedError(p.Path)
		}
	}
	return nil
}

func digestFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return copyDigest(io.Discard, f)
}

// copyDigest copies a file and digests what it copies.
func copyDigest(to io.Writer, f *os.File) (string, error) {
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(to, sum), f); err != nil {
		return "", fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
