package data

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstandard(t *testing.T, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}

func TestGlobsCrossFoldersAndSort(t *testing.T) {
	tree := files{
		"b.txt": "", "a.jsonl": "", "x/c.txt": "", "x/y/d.txt": "", "x/.hidden/e.txt": "",
		".f.txt": "", "z/[1].txt": "",
	}.fs()
	cases := map[string][]string{
		"*.txt":       {"b.txt"},
		"**/*.txt":    {"b.txt", "x/c.txt", "x/y/d.txt", "z/[1].txt"},
		"x/**":        {"x/c.txt", "x/y/d.txt"},
		"*/?.txt":     {"x/c.txt"},
		"**/y/**":     {"x/y/d.txt"},
		"**/**/d.txt": {"x/y/d.txt"},
		"z/[1].txt":   {"z/[1].txt"},
		"none/*.txt":  nil,
	}
	for pattern, want := range cases {
		got, err := glob(tree, pattern)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s matches %v, %v; want %v", pattern, got, err, want)
		}
	}
	if _, err := glob(tree, "x"); err == nil {
		t.Error("a folder is no file")
	}
}

func TestFilesAreFoundFromTheRootOnceAndInOrder(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"b.jsonl", "sub/a.jsonl"} {
		path := filepath.Join(root, "data [1]", name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err = errors.Join(err, os.WriteFile(path, []byte("x"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	absolute := filepath.ToSlash(filepath.Join(root, `data \[1]`, "sub", "*.jsonl"))
	ds := recipe.Dataset{
		Files: []string{"sub/a.jsonl", "**/*.jsonl", "../data [1]/b.jsonl", absolute, "sample://s.jsonl"},
	}
	found, err := Files(ds, filepath.Join(root, "data [1]"), files{"s.jsonl": "x"}.fs())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range found {
		names = append(names, f.Name)
	}
	want := []string{"b.jsonl", "sample://s.jsonl", "sub/a.jsonl"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	ds.Files = []string{"*.nothing"}
	_, err = Files(ds, root, nil)
	wantError(t, err, "*.nothing", "none in folder "+root)
}

func TestDigestFollowsNamesAndContents(t *testing.T) {
	of := func(f files) string {
		found, err := Files(dataset("text", nil), "", f.fs())
		if err != nil {
			t.Fatal(err)
		}
		digest, err := Digest(found)
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	base := of(files{"a": "1", "b": "2"})
	if base != of(files{"b": "2", "a": "1"}) {
		t.Error("the digest is not stable")
	}
	for _, other := range []files{{"a": "1", "b": "3"}, {"a": "1", "c": "2"}, {"a": "12", "b": ""}, {"a": "1"}} {
		if base == of(other) {
			t.Errorf("%v has the same digest", other)
		}
	}
}

func TestCompressedFilesReadAsPlainOnes(t *testing.T) {
	text := "{\"text\": \"one\"}\n{\"text\": \"二\"}\n"
	forms := files{
		"a.jsonl": text, "a.jsonl.gz": gzipped(t, text), "a.jsonl.zst": zstandard(t, text),
		"two members.jsonl.gz": gzipped(t, text[:16]) + gzipped(t, text[16:]),
	}
	for name, content := range forms {
		wantTexts(t, mustRead(t, dataset("text", nil), files{name: content}), "one", "二")
	}
}

func TestTruncatedFilesStopAfterTheGoodRecords(t *testing.T) {
	var text strings.Builder
	for i := range 5000 {
		text.WriteString(`{"text": "record ` + strings.Repeat(string(rune('a'+i*7%26)), i%50+1) + "\"}\n")
	}
	forms := files{
		"a.jsonl.gz": gzipped(t, text.String()), "a.jsonl.zst": zstandard(t, strings.Repeat(text.String(), 20)),
	}
	for name, content := range forms {
		_, counts, bad, err := readFiles(t, dataset("text", nil), files{name: content[:len(content)*2/3]})
		wantError(t, err, "read sample://"+name, "line ", "truncated")
		if counts.Records == 0 || counts.Bad != 0 || len(bad) != 0 {
			t.Errorf("%s: counts %+v, malformed %v", name, counts, bad)
		}
	}
}

func TestUnknownEndingsAsk(t *testing.T) {
	_, _, _, err := readFiles(t, dataset("text", nil), files{"a.md": "x"})
	wantError(t, err, "a.md", `".md"`, "reader")
}

// A hugeLine is a file of good records around a huge one.
type hugeLine struct {
	parts []io.Reader
	high  *uint64 // highest heap seen while the file was read
	reads int
}

func (h *hugeLine) Read(p []byte) (int, error) {
	if h.reads++; h.reads%500 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		*h.high = max(*h.high, m.HeapAlloc)
	}
	for len(h.parts) > 0 {
		n, err := h.parts[0].Read(p)
		if n > 0 || err == nil {
			return n, nil
		}
		h.parts = h.parts[1:]
	}
	return 0, io.EOF
}

func (h *hugeLine) Close() error               { return nil }
func (h *hugeLine) Stat() (fs.FileInfo, error) { return nil, fs.ErrInvalid }

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// hugeFS holds one file: before, so many MiB of letters, after.
type hugeFS struct {
	name, before, after string
	size                int64
	high                uint64
}

func (h *hugeFS) Open(name string) (fs.File, error) {
	if name != h.name {
		return fstest.MapFS{h.name: &fstest.MapFile{ModTime: time.Time{}}}.Open(name)
	}
	parts := []io.Reader{strings.NewReader(h.before), io.LimitReader(letters{}, h.size<<20), strings.NewReader(h.after)}
	return &hugeLine{parts: parts, high: &h.high}, nil
}

func (h *hugeFS) Stat(name string) (fs.FileInfo, error) {
	return fs.Stat(fstest.MapFS{h.name: &fstest.MapFile{}}, name)
}

func TestHugeRecordIsSkippedWithoutBeingHeld(t *testing.T) {
	cases := []hugeFS{
		{name: "a.jsonl", size: 200, before: "{\"text\": \"one\"}\n{\"text\": \"", after: "\"}\n{\"text\": \"two\"}\n"},
		{name: "a.json", size: 100, before: `[{"text": "one"}, {"text": "`, after: `"}, {"text": "two"}]`},
		{name: "a.csv", size: 100, before: "text,n\none,1\n\"", after: "\",2\ntwo,3\n"},
	}
	for _, c := range cases {
		var out bytes.Buffer
		ds := recipe.Dataset{Files: []string{"sample://" + c.name}, Encoding: "utf-8", Format: "text", MaxBad: 0.5}
		records, counts, err := Read(t.Context(), "set", ds, "", &c, NewQuarantine(&out))
		if err != nil || counts.Bad != 1 {
			t.Fatalf("%s: %+v, %v", c.name, counts, err)
		}
		wantTexts(t, records, "one", "two")
		if line := out.String(); !strings.Contains(line, "longer than 16 MiB") || !strings.Contains(line, `"line":`) {
			t.Errorf("%s: quarantine %s", c.name, line)
		}
		if c.high > 90<<20 {
			t.Errorf("%s: %d MiB of memory", c.name, c.high>>20)
		}
	}
}
