package author

import (
	"strings"
	"testing"
)

func TestCasesThatAreWrongAreNamedByFileLineAndKey(t *testing.T) {
	const doc = `"document": {"text": "a"}`
	for line, parts := range map[string][]string{
		`{` + doc + `}`: {"cases.jsonl:2: want: missing"},
		`{"want": {}}`:  {"one of document, dialogue and sample"},
		`{` + doc + `, "sample": {}, "want": {}}`:         {"one of document, dialogue and sample"},
		`{` + doc + `, "want": {"reward": 1}}`:            {"want.reward: unknown key", "status scores"},
		`{` + doc + `, "want": {"status": "fine"}}`:       {`want.status: unknown status "fine"`, "ok abstain fault"},
		`{` + doc + `, "want": {"scores": {"a": "b"}}}`:   {"want: ", "scores"},
		`{` + doc + `, "wants": {}}`:                      {"wants"},
		`{` + doc + `, "want": {}} {}`:                    {"more than one object"},
		`{"document": {"txt": "a"}, "want": {}}`:          {"txt"},
		`{"dialogue": {}, "want": {"action": "go"}}`:      {`want.action: unknown action "go"`},
		`{"dialogue": {}, "want": {"edits": [{"op":1}]}}`: {"want: "},
		`{"dialogue": {}, "want": {"edits": [{}]}}`:       {`want.edits: unknown op ""`},
	} {
		_, err := readCases(strings.NewReader("\n"+line+"\n"), "cases.jsonl")
		wantError(t, err, append(parts, "cases.jsonl:2: ")...)
	}
}

func FuzzCases(f *testing.F) {
	f.Add(`{"document": {"text": "a"}, "want": {"scores": {"letters": 1}}}`)
	f.Add(`{"dialogue": {"turns": [{"role": "user"}]}, "with": {"a": [1]}, "want": {"edits": [{"op": "insert"}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		cases, err := readCases(strings.NewReader(text), "cases.jsonl")
		for _, c := range cases {
			if records := (c.Document != nil) != (c.Dialogue != nil) != (c.Sample != nil); err == nil && !records {
				t.Errorf("case of line %d has not one record", c.Line)
			}
		}
	})
}
