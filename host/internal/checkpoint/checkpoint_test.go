package checkpoint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stage makes a directory that holds these directories, each with a file, and one file named like a checkpoint.
func stage(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, name, "state.json"), name)
	}
	put(t, filepath.Join(dir, "checkpoint-9999"), "")
	return dir
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestLatestIsTheHighestStepThatIsWhole(t *testing.T) {
	dir := stage(t, "checkpoint-90", "checkpoint-100", "checkpoint-200.partial", "checkpoint-0300", "checkpoint-x",
		"checkpoint--1", "checkpoint-99999999999999999999", "data")
	got, step, ok, err := Latest(dir)
	if err != nil || !ok || step != 100 || got != filepath.Join(dir, "checkpoint-100") {
		t.Errorf("%s, step %d, %v, %v", got, step, ok, err)
	}
}

func TestLatestOfNothingIsNothing(t *testing.T) {
	for _, dir := range []string{stage(t), stage(t, "checkpoint-5.partial"), filepath.Join(t.TempDir(), "missing")} {
		if got, _, ok, err := Latest(dir); ok || err != nil {
			t.Errorf("%s, %v, %v", got, ok, err)
		}
	}
}

func TestPruneKeepsTheNewestAndWhatIsBeingWritten(t *testing.T) {
	for _, c := range []struct {
		keep int
		want []string
	}{
		{2, []string{"checkpoint-100", "checkpoint-200.partial", "checkpoint-90", "checkpoint-9999", "data"}},
		{1, []string{"checkpoint-100", "checkpoint-200.partial", "checkpoint-9999", "data"}},
		{0, []string{"checkpoint-100", "checkpoint-200.partial", "checkpoint-9999", "data"}},
		{9, []string{
			"checkpoint-100", "checkpoint-200.partial", "checkpoint-8", "checkpoint-90", "checkpoint-9999", "data",
		}},
	} {
		dir := stage(t, "checkpoint-8", "checkpoint-90", "checkpoint-100", "data",
			"checkpoint-7.partial", "checkpoint-90.partial", "checkpoint-200.partial")
		if err := Prune(dir, c.keep); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, list(t, dir)); diff != "" {
			t.Errorf("keep %d: %s", c.keep, diff)
		}
	}
}

func TestPruneOfNothingDoesNothing(t *testing.T) {
	dir := stage(t, "checkpoint-5.partial")
	if err := Prune(dir, 1); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"checkpoint-5.partial", "checkpoint-9999"}, list(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// assertError checks that there is an error and that it says want.
func assertError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q in it", err, want)
	}
}

func digest(t *testing.T, path string) string {
	t.Helper()
	d, err := Digest(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDigestChangesWithNamesContentsAndNothingElse(t *testing.T) {
	make := func(files ...string) string {
		dir := t.TempDir()
		for i := 0; i < len(files); i += 2 {
			path := filepath.Join(dir, files[i])
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			put(t, path, files[i+1])
		}
		return digest(t, dir)
	}
	same := make("a", "1", "b/c", "2")
	for _, again := range []string{
		make("b/c", "2", "a", "1"),
		make("a", "1", "b/c", "2", "a.partial", "3", "d.partial/e", "4"),
	} {
		if again != same {
			t.Error("the digest depends on more than names and contents")
		}
	}
	for _, changed := range []string{
		make("a", "1", "b/c", "3"), make("a", "1", "b/d", "2"), make("a", "1"), make("a", "1b/c"),
	} {
		if changed == same {
			t.Error("a change goes unnoticed")
		}
	}
}

func TestDigestFollowsLinksToFiles(t *testing.T) {
	dir, linked := t.TempDir(), t.TempDir()
	put(t, filepath.Join(dir, "a"), "1")
	if err := os.Symlink(filepath.Join(dir, "a"), filepath.Join(linked, "a")); err != nil {
		t.Skip(err)
	}
	if digest(t, dir) != digest(t, linked) {
		t.Error("a link differs from its file")
	}
	if err := os.Symlink(dir, filepath.Join(linked, "d")); err != nil {
		t.Fatal(err)
	}
	_, err := Digest(linked)
	assertError(t, err, "not a regular file")
}

func TestDigestOfAFileIsItsSHA256(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	put(t, path, "abc")
	if got, want := digest(t, path), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; got != want {
		t.Errorf("got %s", got)
	}
	if _, err := Digest(path + "x"); err == nil {
		t.Error("a missing file has a digest")
	}
}

func TestJSONIsWrittenPlainAndReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	if err := WriteJSON(path, map[string]any{"b": "<|eos|>", "a": 1.5}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"a\": 1.5,\n  \"b\": \"<|eos|>\"\n}\n"; string(raw) != want {
		t.Errorf("written %s", raw)
	}
	var v struct{ A float64 }
	if err := ReadJSON(path, &v); err != nil || v.A != 1.5 {
		t.Errorf("read %v, %v", v, err)
	}
}

func TestJSONErrorsNameTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	check := func(want string) {
		t.Helper()
		var v map[string]any
		err := ReadJSON(path, &v)
		assertError(t, err, path)
		assertError(t, err, want)
	}
	check("no such file")
	put(t, path, "{} {}")
	check("after top-level value")
	if err := os.Truncate(path, jsonLimit+1); err != nil {
		t.Fatal(err)
	}
	check("the limit")
	assertError(t, WriteJSON(path, func() {}), path)
}
