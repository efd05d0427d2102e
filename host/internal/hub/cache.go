package hub

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ErrAbsent says that a repository is not in the cache.
var ErrAbsent = errors.New("is not in the Hugging Face cache")

// home is where Hugging Face's tools keep their files.
func home() string {
	if dir := os.Getenv("HF_HOME"); dir != "" {
		return dir
	}
	user, _ := os.UserHomeDir() // without a home the cache is beside the program's work
	return filepath.Join(cmp.Or(os.Getenv("XDG_CACHE_HOME"), filepath.Join(user, ".cache")), "huggingface")
}

// CacheDir is the cache: HF_HUB_CACHE, else the folder hub in HF_HOME.
func CacheDir() string { return cmp.Or(os.Getenv("HF_HUB_CACHE"), filepath.Join(home(), "hub")) }

// A Snapshot is a repository in the cache as it was at one commit.
type Snapshot struct {
	Dir    string
	Commit string
}

var commitForm = regexp.MustCompile(`^[0-9a-f]{40}$`)

// Locate finds a repository in the cache without any network.
func Locate(r Ref) (Snapshot, error) {
	folder := r.folder(CacheDir())
	commit := r.Revision
	if !commitForm.MatchString(commit) {
		text, err := readSmall(filepath.Join(folder, "refs", filepath.FromSlash(r.Revision)))
		if errors.Is(err, os.ErrNotExist) {
			return Snapshot{}, r.absent()
		}
		if err != nil {
			return Snapshot{}, err
		}
		if commit = strings.TrimSpace(text); !commitForm.MatchString(commit) {
			return Snapshot{}, fmt.Errorf("%s: the cache says %q, which is no commit", r.At(), commit)
		}
	}
	s := Snapshot{filepath.Join(folder, "snapshots", commit), commit}
	if info, err := os.Stat(s.Dir); err != nil || !info.IsDir() {
		return Snapshot{}, r.absent()
	}
	return s, nil
}

func (r Ref) absent() error {
	return fmt.Errorf("%s %w %s: carebot fetch gets what a recipe names", r.At(), ErrAbsent, CacheDir())
}

// folder is the repository's folder in a cache.
func (r Ref) folder(cache string) string {
	return filepath.Join(cache, string(r.Kind)+"--"+strings.ReplaceAll(r.ID, "/", "--"))
}

// maxSmall bounds files that hold one word.
const maxSmall = 1 << 12

func readSmall(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSmall))
	return string(text), errors.Join(err, f.Close())
}

// Token is the user's access token: HF_TOKEN, else what stands in HF_TOKEN_PATH or in the folder of Hugging Face's
// tools; empty when there is none.
func Token() (string, error) {
	if token := strings.TrimSpace(os.Getenv("HF_TOKEN")); token != "" {
		return token, nil
	}
	text, err := readSmall(cmp.Or(os.Getenv("HF_TOKEN_PATH"), filepath.Join(home(), "token")))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(text), err
}

// Offline reports whether the user forbids the network: HF_HUB_OFFLINE is 1, ON, YES or TRUE.
func Offline() bool {
	switch strings.ToUpper(os.Getenv("HF_HUB_OFFLINE")) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}
