package data

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/google/go-cmp/cmp"
)

func from(dir string, set func(*recipe.Dataset)) recipe.Dataset {
	return dataset("auto", func(ds *recipe.Dataset) {
		ds.Files, ds.From = nil, dir
		if set != nil {
			set(ds)
		}
	})
}

func TestFoldersAreSplitAsDatasetsDoes(t *testing.T) {
	for _, c := range []struct {
		files, below, split, want string
	}{
		{"a.jsonl b.jsonl README.md x.png LICENSE.txt", "", "", "a.jsonl b.jsonl"},
		{"data/train-00000-of-00002.parquet data/train-00001-of-00002.parquet data/test-00000-of-00001.parquet", "", "",
			"data/train-00000-of-00002.parquet data/train-00001-of-00002.parquet"},
		{"data/dev_sft-00000-of-00001.parquet data/train_sft-00000-of-00001.parquet", "", "train_sft",
			"data/train_sft-00000-of-00001.parquet"},
		{"train.csv my-test-file.csv validation.csv", "", "", "train.csv"},
		{"train.csv my-test-file.csv dev.csv", "", "validation", "dev.csv"},
		{"my-test-file.csv train.csv", "", "test", "my-test-file.csv"},
		{"train/a.json test/train.json", "", "", "train/a.json"},
		{"latest.json restrained.json", "", "", "latest.json restrained.json"},
		{"a.json b.json c.csv", "", "", "a.json b.json"},
		{"en/train.json fr/train.json", "fr", "", "fr/train.json"},
		{"en/train.json fr/train.json", "*/train.json", "", "en/train.json fr/train.json"},
		{"test.json", "", "", "test.json"},
		{"train.json test.json", "", "dev", `error: it has no split "dev", but test, train`},
		{"train.json", "en", "", "error: it has no data in en"},
		{"run.py", "", "", "error: it has no files that can be read"},
	} {
		got, err := Repository{Files: strings.Fields(c.files)}.Choose(c.below, recipe.Dataset{Split: c.split})
		if found := chosenOr(got, err); found != c.want {
			t.Errorf("%s, below %q, split %q: %s, want %s", c.files, c.below, c.split, found, c.want)
		}
	}
}

// The fixture says what the datasets library finds in folders.
func TestSplitsAreThoseOfDatasets(t *testing.T) {
	text, err := os.ReadFile("testdata/splits.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Files  []string
		Splits map[string][]string
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 100 {
		t.Fatalf("%d folders: %v", len(cases), err)
	}
	for _, c := range cases {
		if diff := cmp.Diff(c.Splits, bySplit(c.Files)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.Files, diff)
		}
	}
}

func chosenOr(files []string, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	return strings.Join(files, " ")
}

func TestReadmeNamesTheFiles(t *testing.T) {
	paths := strings.Fields("a.csv b.csv data/train-1.csv data/test-1.csv en/x.csv en/y.csv")
	for _, c := range []struct{ configs, config, split, want string }{
		{"[{config_name: default, data_files: a.csv}]", "", "", "a.csv"},
		{"[{config_name: default, data_files: [a.csv, b.csv]}]", "", "", "a.csv b.csv"},
		{"[{config_name: x, data_files: [{split: train, path: data/train-*}, {split: test, path: [data/test-*, b.csv]}]}]",
			"", "test", "b.csv data/test-1.csv"},
		{"[{config_name: x, data_files: {train: a.csv, dev: b.csv}}]", "", "dev", "b.csv"},
		{"[{config_name: x, data_files: a.csv}, {config_name: y, data_files: b.csv, default: true}]", "", "", "b.csv"},
		{"[{config_name: x, data_files: a.csv}, {config_name: y, data_files: b.csv}]", "x", "", "a.csv"},
		{"[{config_name: x, data_files: a.csv}, {config_name: y, data_files: b.csv}]", "", "",
			"error: it has several configurations: set config to one of x, y"},
		{"[{config_name: x, data_dir: en}]", "", "", "en/x.csv en/y.csv"},
		{"[{config_name: x, data_dir: en, data_files: '**'}]", "", "", "en/x.csv en/y.csv"},
		{"[{config_name: x, data_files: c.csv}]", "", "", "error: configuration x: no file matches c.csv"},
		{"[{config_name: x, data_files: a.csv}]", "z", "", `error: it has no configuration "z", but x`},
		{"[{config_name: x, data_files: [[a]]}]", "", "", "error: README.md: data_files: want a pattern or a list of them"},
	} {
		readme := "---\nlicense: mit\nconfigs: " + c.configs + "\n---\n# Title\n"
		got, err := Repository{paths, []byte(readme)}.Choose("", recipe.Dataset{Config: c.config, Split: c.split})
		if found := chosenOr(got, err); found != c.want {
			t.Errorf("%s, config %q, split %q: %s, want %s", c.configs, c.config, c.split, found, c.want)
		}
	}
}

func TestFoldersOfSaveToDisk(t *testing.T) {
	for _, c := range []struct {
		dir, split, last string
		records          int
	}{
		{"testdata/saved", "", "answer 4", 5},
		{"testdata/saved_splits", "", "answer 2", 3},
		{"testdata/saved_splits", "test", "answer 4", 2},
	} {
		records, _, err := Read(t.Context(), "set", from(c.dir, func(ds *recipe.Dataset) { ds.Split = c.split }), ".", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		last := records[len(records)-1]
		if len(records) != c.records || last.Turns[1].Text != c.last {
			t.Errorf("%s %s: %d records, the last %v", c.dir, c.split, len(records), last.Turns)
		}
	}
	_, err := Files(from("testdata/saved_splits", func(ds *recipe.Dataset) { ds.Split = "dev" }), ".", nil)
	wantError(t, err, `it has no split "dev", but test, train`)
}

// In the cache, files are links into the folder of contents.
func TestCachedRepositoriesAreReadOffline(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	cache := folder(t, files{
		"datasets--org--name/blobs/b":   `{"text": "a"}`,
		"datasets--org--name/refs/main": commit,
	})
	snapshot := filepath.Join(cache, "datasets--org--name", "snapshots", commit)
	if err := os.MkdirAll(snapshot, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../blobs/b", filepath.Join(snapshot, "train.jsonl")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HF_HUB_CACHE", cache)
	for _, name := range []string{"hf://datasets/org/name", "hf://datasets/org/name@" + commit + "/*.jsonl"} {
		records, _, err := Read(t.Context(), "set", from(name, nil), t.TempDir(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantTexts(t, records, "a")
		if diff := cmp.Diff("hf://datasets/org/name/train.jsonl", records[0].File); diff != "" {
			t.Errorf("file (-want +got):\n%s", diff)
		}
	}
	_, err := Files(from("hf://datasets/org/other", nil), ".", nil)
	wantError(t, err, "hf://datasets/org/other@main is not in the Hugging Face cache", "carebot fetch")
}

func FuzzReadme(f *testing.F) {
	f.Add("[{config_name: x, data_files: [{split: train, path: data/train-*}]}]", "data/train-1.csv a.csv", "")
	f.Add("[{data_dir: a, data_files: {dev: '**'}}]", "a/b.json", "a")
	f.Fuzz(func(t *testing.T, configs, names, below string) {
		files := strings.Fields(names)
		got, err := Repository{files, []byte("---\nconfigs: " + configs + "\n---\n")}.Choose(below, recipe.Dataset{})
		for _, name := range got {
			if err == nil && !strings.Contains(names, name) {
				t.Errorf("%q is none of %q", name, files)
			}
		}
	})
}
