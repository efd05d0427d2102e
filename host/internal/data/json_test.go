package data

import (
	"bufio"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/google/go-cmp/cmp"
)

func TestJSONShapesAreRecognised(t *testing.T) {
	cases := map[string]string{
		"array":              "[\n {\"text\": \"a\"},\n {\"text\": \"b ]}\\\" {\"}\n]\n",
		"object by id":       "{\"7\": {\"text\": \"a\"},\n \"8\": {\"text\": \"b ]}\\\" {\"}}",
		"lines":              "{\"text\": \"a\"}\n{\"text\": \"b ]}\\\" {\"}\n",
		"lines with objects": "{\"text\": \"a\", \"m\": {\"k\": 1}}\n\n{\"text\": \"b ]}\\\" {\", \"m\": {}}\n",
	}
	for name, content := range cases {
		t.Run(name, func(t *testing.T) {
			wantTexts(t, mustRead(t, dataset("text", nil), files{"a.json": content}), "a", `b ]}" {`)
		})
	}
	single := files{"a.json": `{"title": {"x": 1}, "text": ["one", "two"]}`}
	wantTexts(t, mustRead(t, dataset("text", nil), single), "one\ntwo")
	wantTexts(t, mustRead(t, dataset("text", nil), files{"a.json": `{"text": "one line"}` + "\n"}), "one line")
}

func TestKeysOfObjectsBecomeIds(t *testing.T) {
	ds := dataset("text", func(ds *recipe.Dataset) { ds.Fields = map[string]recipe.Fields{"text": {"id", "q"}} })
	content := files{"a.json": "{\"21645374\": {\"q\": \"x\"}, \"5\": {\"id\": \"own\", \"q\": \"y\"}}"}
	records := mustRead(t, ds, content)
	wantTexts(t, records, "21645374\nx", "own\ny")
}

func TestMalformedElementsDoNotEndAnArray(t *testing.T) {
	records, _, bad, err := readFiles(t, dataset("text", anyBad), files{
		"a.json": "[{\"text\": \"a\"},\n {\"text\": tru},\n 5,\n null,\n \"s\",\n {\"text\": \"b\"}]",
	})
	if err != nil {
		t.Fatal(err)
	}
	wantTexts(t, records, "a", "b")
	lines := []int{}
	for _, b := range bad {
		lines = append(lines, b.Line)
	}
	if diff := cmp.Diff([]int{2, 3, 4, 5}, lines); diff != "" {
		t.Error(diff)
	}
}

func TestDamagedJSONStops(t *testing.T) {
	cases := map[string]string{
		"[{\"text\": \"a\"},\n{\"text\": \"b\"":  "line 2: the file is truncated",
		"[{\"text\": \"a\"}\n{\"text\": \"b\"}]": "line 2: want one of ,]",
		"[{\"text\": \"a\"}]\n[{}]":              "line 2: '[' follows the end",
		"<html>":                                 "want an array or an object",
		"":                                       "truncated",
		"{\"a\": {}, 5: {}}":                     "key",
	}
	for content, want := range cases {
		_, _, _, err := readFiles(t, dataset("text", anyBad), files{"a.json": content})
		wantError(t, err, "a.json", want)
	}
}

func TestPathsLeadIntoRecords(t *testing.T) {
	o := object{"a.b": "dotted", "c": map[string]any{"d": []any{"x", []any{"y", map[string]any{"e": 5}}}}}
	for path, want := range map[string]any{"a.b": "dotted", "c.d[0]": "x", "c.d[1][0]": "y", "c.d[1][1].e": 5} {
		if got, ok := o.get(path); !ok || got != want {
			t.Errorf("%s is %v, %t", path, got, ok)
		}
	}
	for _, path := range []string{"a", "c.x", "c.d[2]", "c.d[-1]", "c.d[x]", "c.d[0", "c.d[0].e", "c[0]", ""} {
		if got, ok := o.get(path); ok {
			t.Errorf("%q is %v", path, got)
		}
	}
}

func FuzzJSONReader(f *testing.F) {
	seeds := []string{`[{"text": "a"}, 1]`, `{"a": {"text": "b"}}`, "{}\n{}", `{"a": [}`, `[`, `{"\u00`, "[,]"}
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows := 0
		readJSON(input{text: bufio.NewReader(strings.NewReader(text))}, func(r row) bool {
			rows++
			return true
		})
		if rows > len(text) {
			t.Errorf("%d rows out of %d bytes", rows, len(text))
		}
	})
}
