package data

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// samplePrefix marks patterns that name embedded sample data.
const samplePrefix = "sample://"

// maxWindow is the largest window of a .zst file: that of zstd --long.
const maxWindow = 128 << 20

// A File is one input file of a dataset.
type File struct {
	Name string // seen from the data root, or sample://...
	fsys fs.FS
	path string
}

// Files resolves the dataset's paths and patterns, or its from or info: relative ones start from root, sample:// ones
// from samples. The result is sorted by name and has no file twice. A pattern that matches nothing is an error.
func Files(ds recipe.Dataset, root string, samples fs.FS) ([]File, error) {
	ds, err := Described(ds, root)
	if err != nil {
		return nil, err
	}
	if ds.From != "" {
		return fromFolder(ds, root)
	}
	var all []File
	for _, pattern := range ds.Files {
		files, err := resolve(pattern, root, samples)
		if err != nil {
			return nil, fmt.Errorf("find files %s: %w", pattern, err)
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("find files %s: none in %s", pattern, place(pattern, root))
		}
		all = append(all, files...)
	}
	slices.SortFunc(all, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b File) bool { return a.Name == b.Name }), nil
}

func place(pattern, root string) string {
	if strings.HasPrefix(pattern, samplePrefix) {
		return "the sample data"
	}
	return "folder " + root
}

func resolve(pattern, root string, samples fs.FS) ([]File, error) {
	if name, ok := strings.CutPrefix(pattern, samplePrefix); ok {
		if samples == nil {
			return nil, errors.New("this program has no sample data")
		}
		return list(samples, path.Clean(name), func(found string) string { return samplePrefix + found })
	}
	fixed, rest := splitPattern(path.Clean(filepath.ToSlash(pattern)))
	base := filepath.FromSlash(fixed)
	if !filepath.IsAbs(base) {
		base = filepath.Join(root, base)
	}
	if _, err := os.Stat(base); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	name := func(found string) string { return seenFrom(root, filepath.Join(base, found)) }
	return list(os.DirFS(base), rest, name)
}

// seenFrom names a file from the root where that is possible, so that no two ways to write a path name one file
// differently.
func seenFrom(root, file string) string {
	if name, err := filepath.Rel(root, file); err == nil {
		file = name
	}
	return filepath.ToSlash(file)
}

// splitPattern cuts the leading folders without wildcards off a pattern.
func splitPattern(pattern string) (fixed, rest string) {
	segments := strings.Split(pattern, "/")
	n := 0
	for n < len(segments)-1 && !strings.ContainsAny(segments[n], `*?[\`) {
		n++
	}
	fixed = strings.Join(segments[:n], "/")
	if n == 0 {
		fixed = "."
	} else if fixed == "" {
		fixed = "/"
	}
	return fixed, strings.Join(segments[n:], "/")
}

func list(fsys fs.FS, pattern string, name func(found string) string) ([]File, error) {
	found, err := glob(fsys, pattern)
	files := make([]File, len(found))
	for i, at := range found {
		files[i] = File{Name: name(at), fsys: fsys, path: at}
	}
	return files, err
}

// Digest is the sha256 of the files' names and contents, in hex.
func Digest(files []File) (string, error) {
	h := sha256.New()
	for _, f := range files {
		one := sha256.New()
		if err := f.copyTo(one); err != nil {
			return "", fmt.Errorf("digest %s: %w", f.Name, err)
		}
		hashString(h, f.Name)
		h.Write(one.Sum(nil))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (f File) copyTo(w io.Writer) error {
	in, err := f.fsys.Open(f.path)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, in)
	return errors.Join(err, in.Close())
}

// open returns the file's bytes, decompressed by its ending.
func (f File) open() (io.ReadCloser, error) {
	in, err := f.fsys.Open(f.path)
	if err != nil {
		return nil, err
	}
	r, err := decompress(in, f.Name)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return r, nil
}

// stem is the name without the ending of its compression.
func (f File) stem() string {
	return strings.TrimSuffix(strings.TrimSuffix(f.Name, ".gz"), ".zst")
}

func decompress(in io.ReadCloser, name string) (io.ReadCloser, error) {
	switch path.Ext(name) {
	case ".gz":
		r, err := gzip.NewReader(in)
		return layered{r, in}, err
	case ".zst":
		// One goroutine: the readers above are sequential.
		r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return layered{r.IOReadCloser(), in}, nil
	}
	return in, nil
}

// layered is a decompressor above its file. What closing the decompressor could report, reading it has reported.
type layered struct {
	io.ReadCloser
	below io.Closer
}

func (l layered) Close() error {
	l.ReadCloser.Close()
	return l.below.Close()
}
