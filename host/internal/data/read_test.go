package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/google/go-cmp/cmp"
)

// files are the contents of a dataset's files by name.
type files map[string]string

func (f files) fs() fs.FS {
	all := fstest.MapFS{}
	for name, content := range f {
		all[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return all
}

// dataset describes all the files, with settings on top of the recipe's defaults.
func dataset(format string, set func(*recipe.Dataset)) recipe.Dataset {
	ds := recipe.Dataset{Files: []string{"sample://**"}, Reader: "auto", Encoding: "auto", Language: "auto"}
	ds.Format = format
	if set != nil {
		set(&ds)
	}
	return ds
}

// readFiles reads the files as a dataset of name "set".
func readFiles(t *testing.T, ds recipe.Dataset, f files) ([]*Record, Counts, []BadRecord, error) {
	t.Helper()
	var out bytes.Buffer
	records, counts, err := Read(t.Context(), "set", ds, t.TempDir(), f.fs(), NewQuarantine(&out))
	var bad []BadRecord
	for line := range strings.Lines(out.String()) {
		var b BadRecord
		if err := json.Unmarshal([]byte(line), &b); err != nil {
			t.Fatalf("quarantine line %q: %v", line, err)
		}
		bad = append(bad, b)
	}
	return records, counts, bad, err
}

// mustRead reads files that hold good records only.
func mustRead(t *testing.T, ds recipe.Dataset, f files) []*Record {
	t.Helper()
	records, _, bad, err := readFiles(t, ds, f)
	if err != nil || len(bad) > 0 {
		t.Fatalf("error %v, malformed %v", err, bad)
	}
	return records
}

func recordTexts(records []*Record) []string {
	all := []string{}
	for _, r := range records {
		all = append(all, r.Text)
	}
	return all
}

func wantTexts(t *testing.T, records []*Record, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, recordTexts(records)); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func anyBad(ds *recipe.Dataset) { ds.MaxBad = 1 }

func TestMalformedRecordsAreQuarantinedWithTheirPlace(t *testing.T) {
	records, counts, bad, err := readFiles(t, dataset("text", anyBad), files{
		"a.jsonl": "{\"text\": \"one\"}\n{\"text\": }\n\n{\"txet\": \"three\"}\n[1]\n{\"text\": \" \"}\n" +
			"{\"text\": {\"a\": 1}}\n{\"text\": \"two\"} {}\n{\"text\": \"two\"}",
	})
	if err != nil {
		t.Fatal(err)
	}
	wantTexts(t, records, "one", "two")
	if counts.Rows != 8 || counts.Bad != 6 || counts.Records != 2 {
		t.Errorf("counts %+v", counts)
	}
	lines := []int{}
	for _, b := range bad {
		lines = append(lines, b.Line)
		if b.Dataset != "set" || b.File != "sample://a.jsonl" || b.Reason == "" || b.Excerpt == "" {
			t.Errorf("incomplete %+v", b)
		}
	}
	if diff := cmp.Diff([]int{2, 4, 5, 6, 7, 8}, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestTooManyMalformedRecordsStop(t *testing.T) {
	content := strings.Repeat("{\"text\": \"a\"}\n", 98) + "{\n{\n"
	ds := dataset("text", func(ds *recipe.Dataset) { ds.MaxBad = 0.01 })
	_, counts, _, err := readFiles(t, ds, files{"a.jsonl": content})
	wantError(t, err, "2 of 100", "a.jsonl:99", "a.jsonl:100")
	if counts.Records != 98 {
		t.Errorf("counts %+v", counts)
	}
	ds.MaxBad = 0.02
	if _, _, _, err := readFiles(t, ds, files{"a.jsonl": content}); err != nil {
		t.Errorf("2 %% are allowed: %v", err)
	}
}

func TestFullDiskUnderTheQuarantineStops(t *testing.T) {
	full := errors.New("no space left on device")
	bad := NewQuarantine(failingWriter{full})
	_, _, err := Read(t.Context(), "set", dataset("text", anyBad), "", files{"a.jsonl": "{\n"}.fs(), bad)
	if !errors.Is(err, full) {
		t.Fatalf("error %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestLimitChoosesByContent(t *testing.T) {
	content := files{"a.jsonl": "", "b.jsonl": ""}
	reversed := files{"a.jsonl": "", "b.jsonl": ""}
	for _, text := range []string{"one", "two", "three", "four", "five", "six", "seven"} {
		line := "{\"text\": \"" + text + "\"}\n"
		content["a.jsonl"] += line
		reversed["b.jsonl"] = line + reversed["b.jsonl"]
	}
	ds := dataset("text", func(ds *recipe.Dataset) { ds.Limit = 3 })
	ids := func(f files) map[string]bool {
		records, counts, _, err := readFiles(t, ds, f)
		if err != nil || counts.Records != 3 || counts.Limited != 4 || counts.Of["en"] != 3 {
			t.Fatalf("counts %+v, %v", counts, err)
		}
		set := map[string]bool{}
		for _, r := range records {
			set[r.ID] = true
		}
		return set
	}
	delete(reversed, "a.jsonl")
	delete(content, "b.jsonl")
	if diff := cmp.Diff(ids(content), ids(reversed)); diff != "" {
		t.Error(diff)
	}
}

func TestMisspeltFieldsAreErrors(t *testing.T) {
	content := files{"a.jsonl": `{"title": "t", "body": "b"}`}
	_, _, _, err := readFiles(t, dataset("text", func(ds *recipe.Dataset) {
		ds.Fields = map[string]recipe.Fields{"text": {"title", "bdoy"}}
	}), content)
	wantError(t, err, `"bdoy"`, `did you mean "body"`)
	_, _, _, err = readFiles(t, dataset("text", func(ds *recipe.Dataset) {
		ds.Fields = map[string]recipe.Fields{"txt": {"title"}}
	}), content)
	wantError(t, err, `no part "txt"`, `did you mean "text"`)
}

func TestCancelledReadingStops(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("interrupted")
	cancel(why)
	_, _, err := Read(ctx, "set", dataset("text", nil), "", files{"a.jsonl": `{"text": "a"}`}.fs(), nil)
	if !errors.Is(err, why) {
		t.Errorf("error %v", err)
	}
}

func TestPeekReadsOnlyTheBeginning(t *testing.T) {
	f := files{"a.jsonl": "{\"text\": \"a\"}\n{\n" + strings.Repeat("{\"text\": \"b\"}\n", 9), "b.jsonl": "\x00"}
	good, bad, err := Peek(t.Context(), "set", dataset("text", nil), "", f.fs(), 3)
	if err != nil || len(good) != 2 || len(bad) != 1 {
		t.Errorf("%d good, %d bad, %v", len(good), len(bad), err)
	}
}

func TestIDDependsOnContentOnly(t *testing.T) {
	one := mustRead(t, dataset("text", nil), files{"a.jsonl": `{"text": "same"}`})[0]
	described := dataset("text", func(ds *recipe.Dataset) { ds.Source, ds.Language = "x", "fr" })
	two := mustRead(t, described, files{"b/c.txt": "same"})[0]
	if one.ID != two.ID || len(one.ID) != 32 {
		t.Errorf("ids %s, %s", one.ID, two.ID)
	}
	if two.Source != "x" || two.Language != "fr" || one.Source != "set" || one.Language != "en" {
		t.Errorf("sources %s, %s, languages %s, %s", one.Source, two.Source, one.Language, two.Language)
	}
}

func TestLanguageByScriptOrField(t *testing.T) {
	content := files{"a.jsonl": `{"text": "高血压 hypertension 的治疗", "l": "x"}` + "\n" +
		`{"text": "The 高血压 of an old man", "l": "y"}`}
	for language, want := range map[string][]string{"auto": {"zh", "en"}, "{l}": {"x", "y"}} {
		records := mustRead(t, dataset("text", func(ds *recipe.Dataset) { ds.Language = language }), content)
		if got := []string{records[0].Language, records[1].Language}; !cmp.Equal(got, want) {
			t.Errorf("language %s gives %v, want %v", language, got, want)
		}
	}
}
