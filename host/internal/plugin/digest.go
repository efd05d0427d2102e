package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

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

// executableDigest is the digest of the executable's file. When arguments name files, as a script run by an interpreter
// does, it covers them as well.
func executableDigest(path, dir string, args []string) (string, error) {
	digest, err := digestFile(path)
	if err != nil {
		return "", err
	}
	all, files := digest, 0
	for _, arg := range args {
		if !filepath.IsAbs(arg) {
			arg = filepath.Join(dir, arg)
		}
		if stat, err := os.Stat(arg); err != nil || !stat.Mode().IsRegular() {
			continue
		}
		if digest, err = digestFile(arg); err != nil {
			return "", err
		}
		all += "\n" + digest
		files++
	}
	if files == 0 {
		return all, nil
	}
	return digestBytes([]byte(all)), nil
}

func digestFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
