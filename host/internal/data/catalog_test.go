package data

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/google/go-cmp/cmp"
)

// folder writes files below a new folder.
func folder(t testing.TB, f files) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range f {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// catalogued reads the entry "set" of a catalog beside which its data lies.
func catalogued(t *testing.T, entry, name, text string) ([]*Record, error) {
	return cataloguedAs(t, "auto", entry, name, text)
}

func cataloguedAs(t *testing.T, format, entry, name, text string) ([]*Record, error) {
	t.Helper()
	dir := folder(t, files{"lf/dataset_info.json": `{"other": 1, "set": ` + entry + `}`, "lf/" + name: text})
	ds := dataset(format, func(ds *recipe.Dataset) { ds.Files, ds.Info, ds.Entry = nil, "lf/dataset_info.json", "set" })
	records, _, err := Read(t.Context(), "set", ds, dir, nil, nil)
	return records, err
}

func TestEntriesOfLLaMAFactory(t *testing.T) {
	turns := []sdk.Turn{question, answer}
	system := said(sdk.RoleSystem, "s")
	for _, c := range []struct {
		entry, name, text string
		want              Record
	}{
		{`{"file_name": "a.json"}`, "a.json", `[{"instruction": "q", "output": "a", "system": "no", "history": [["x", "y"]]}]`,
			Record{Turns: turns}},
		{`{"file_name": "a.json", "columns": {"prompt": "p", "query": "i", "response": "r", "system": "s", "history": "h"}}`,
			"a.json", `[{"p": "q", "i": "", "r": "a", "s": "s", "h": [["q", "a"]]}]`,
			Record{Turns: []sdk.Turn{system, question, answer, question, answer}}},
		{`{"file_name": "wiki.txt", "columns": {"prompt": "text"}}`, "wiki.txt", "one line\n", Record{Text: "one line"}},
		{`{"file_name": "docs", "columns": {"prompt": "text"}}`, "docs/a.jsonl", `{"text": "t", "input": "no"}`, Record{Text: "t"}},
		{`{"file_name": "a.json", "ranking": true, "columns": {"prompt": "instruction", "query": "input", "chosen": "c", "rejected": "r"}}`,
			"a.json", `[{"instruction": "q", "input": "", "c": "a", "r": "b"}]`,
			Record{Prompt: turns[:1], Chosen: "a", Rejected: "b"}},
		{`{"file_name": "a.json", "formatting": "sharegpt"}`, "a.json",
			`[{"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "tools": "[1]"}]`,
			Record{Turns: turns}},
		{`{"file_name": "a.json", "formatting": "sharegpt", "columns": {"messages": "m"}, "tags": {"role_tag": "who", ` +
			`"content_tag": "what", "user_tag": "U", "assistant_tag": "A"}}`, "a.json",
			`[{"m": [{"who": "U", "what": "q"}, {"who": "A", "what": "a"}]}]`, Record{Turns: turns}},
		{`{"file_name": "a.json", "formatting": "sharegpt", "ranking": true, "columns": {"messages": "conversations", ` +
			`"chosen": "chosen", "rejected": "rejected"}}`, "a.json",
			`[{"conversations": [{"from": "human", "value": "q"}], "chosen": {"from": "gpt", "value": "a"}, ` +
				`"rejected": {"from": "gpt", "value": "b"}}]`, Record{Prompt: turns[:1], Chosen: "a", Rejected: "b"}},
	} {
		records, err := catalogued(t, c.entry, c.name, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.entry, err)
			continue
		}
		r := records[0]
		got := Record{Text: r.Text, Turns: r.Turns, Prompt: r.Prompt, Chosen: r.Chosen, Rejected: r.Rejected, Scores: r.Scores}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.entry, diff)
		}
	}
}

// Bad answers do not become dialogues to learn from without the recipe saying that they are labelled.
func TestLabelledEntriesAreNamed(t *testing.T) {
	entry := `{"file_name": "a.json", "columns": {"prompt": "instruction", "response": "output", "kto_tag": "good"}}`
	text := `[{"instruction": "q", "output": "a", "good": true}]`
	_, err := catalogued(t, entry, "a.json", text)
	wantError(t, err, "set format: labelled")
	records, err := cataloguedAs(t, "labelled", entry, "a.json", text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]sdk.Turn{question, answer}, records[0].Turns); diff != "" || records[0].Scores["label"] != 1 {
		t.Errorf("label %v, turns (-want +got):\n%s", records[0].Scores, diff)
	}
}

func TestEntriesThatCannotBeRead(t *testing.T) {
	for entry, want := range map[string]string{
		`{"script_url": "code"}`:                                             "script_url is a program, which is never run",
		`{"ms_hub_url": "a/b"}`:                                              "on a hub other than Hugging Face's",
		`{"ranking": true}`:                                                  "neither file_name nor hf_hub_url",
		`{"file_name": "a.json", "formatting": "dialog"}`:                    `formatting "dialog" is none of`,
		`{"file_name": "a.json", "columns": {"promt": "x"}}`:                 `"promt" is not known, did you mean "prompt"`,
		`{"file_name": "a.json", "columns": {"prompt": "x", "images": "i"}}`: "images are not read",
		`{"file_name": "a.json", "file": "b"}`:                               `unknown field "file"`,
		`{"file_name": "a.json", "num_samples": -1}`:                         "num_samples is -1",
		`{"file_name": "a.json", "formatting": "sharegpt", "tags": {}}`:      "want role_tag and content_tag",
		`{"file_name": "a.json", "formatting": "sharegpt", "columns": {}}`:   "no messages are named",
		`{"hf_hub_url": "../x"}`:                                             "is no name on a hub",
		`{"hf_hub_url": "org/x"}`:                                            "is not in the Hugging Face cache",
	} {
		t.Setenv("HF_HUB_CACHE", t.TempDir())
		_, err := catalogued(t, entry, "a.json", "[]")
		wantError(t, err, want)
	}
	dir := folder(t, files{"dataset_info.json": `{"alpaca_en": {}}`})
	_, err := Described(recipe.Dataset{Info: "dataset_info.json", Entry: "alpaca"}, dir)
	wantError(t, err, filepath.Join(dir, "dataset_info.json"), `no entry "alpaca"`)
}

func FuzzCatalog(f *testing.F) {
	f.Add(`{"set": {"file_name": "a.json", "ranking": true, "columns": {"prompt": "x", "history": "h"}}}`)
	f.Add(`{"set": {"hf_hub_url": "a/b", "formatting": "openai", "tags": {"role_tag": "r", "content_tag": "c"}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		entry, err := catalogEntryOf([]byte(text), "set")
		if err != nil {
			return
		}
		ds, err := entry.describe(dataset("auto", func(ds *recipe.Dataset) { ds.Files, ds.Info = nil, "dataset_info.json" }))
		if err != nil {
			return
		}
		if _, err := newParser("set", ds); err != nil {
			t.Errorf("%s becomes a dataset that cannot be read: %v", text, err)
		}
	})
}
