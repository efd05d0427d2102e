package data

import (
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/google/go-cmp/cmp"
)

func TestMultipleChoice(t *testing.T) {
	base := func(n int) func(*recipe.Dataset) { return func(ds *recipe.Dataset) { ds.AnswerBase = n } }
	cases := []struct {
		name, json string
		set        func(*recipe.Dataset)
		options    []string
		answer     int
		bad        string
	}{
		{
			name:    "object",
			json:    `{"question": "q", "options": {"B": "y", "A": "x"}, "answer": "B"}`,
			options: []string{"x", "y"}, answer: 1,
		},
		{
			name:    "list",
			json:    `{"question": "q", "options": ["x", "y"], "answer": "(B)"}`,
			options: []string{"x", "y"}, answer: 1,
		},
		{
			name:    "lettered list",
			json:    `{"question": "q", "options": ["(A)x", "(B) y"], "answer": "A."}`,
			options: []string{"x", "y"},
		},
		{
			name: "one text", json: `{"question": "q", "options": "(A) x.\nmore\n(B) (A) y\n（C）z", "answer": "(C)"}`,
			options: []string{"x.\nmore", "(A) y", "z"}, answer: 2,
		},
		{
			name: "fields", json: `{"q": "q", "o1": "x", "o2": "y", "cop": 2}`, options: []string{"x", "y"}, answer: 1,
			set: func(ds *recipe.Dataset) {
				ds.AnswerBase = 1
				fieldsOf("question", "q", "options", "o1", "options", "o2", "answer", "cop")(ds)
			},
		},
		{
			name:    "text of an option",
			json:    `{"question": "q", "options": ["x", "y z"], "answer": "y z"}`,
			options: []string{"x", "y z"}, answer: 1,
		},
		{
			name:    "number counts from 0",
			json:    `{"question": "q", "options": ["4", "1"], "answer": 1}`,
			options: []string{"4", "1"}, answer: 1,
		},
		{
			name: "digits",
			json: `{"question": "q", "options": ["x", "y"], "answer": "2"}`,
			set:  base(1), options: []string{"x", "y"}, answer: 1,
		},
		{
			name:    "empty last option",
			json:    `{"question": "q", "options": {"A": "x", "B": "y", "C": ""}, "answer": "a"}`,
			options: []string{"x", "y"},
		},
		{
			name: "digits that are an option, too", json: `{"question": "q", "options": ["1", "0"], "answer": "1"}`,
			bad: `answer "1" can be the text of an option or the number of another`,
		},
		{
			name: "beyond",
			json: `{"question": "q", "options": ["x", "y"], "answer": "C"}`,
			bad:  `answer "C" is none of the 2 options`,
		},
		{
			name: "below",
			json: `{"question": "q", "options": ["x", "y"], "answer": 0}`,
			set:  base(1), bad: `answer "0" is none of the 2 options`,
		},
		{
			name: "several",
			json: `{"question": "q", "options": ["x", "y"], "answer": "AB"}`,
			bad:  `answer "AB" is no letter, number or text of an option`,
		},
		{
			name: "one option",
			json: `{"question": "q", "options": ["x"], "answer": "A"}`,
			bad:  "1 options, want 2 to 26",
		},
		{
			name: "empty option",
			json: `{"question": "q", "options": ["x", "", "y"], "answer": "A"}`,
			bad:  "an option is empty",
		},
		{
			name: "field missing",
			json: `{"question": "q", "a": "x", "c": "y", "b": null, "answer": "A"}`,
			bad:  "2 of 3 options are there",
			set:  fieldsOf("options", "a", "options", "b", "options", "c"),
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			records, _, bad, err := readFiles(t, dataset("choice", func(ds *recipe.Dataset) {
				ds.MaxBad = 1
				if c.set != nil {
					c.set(ds)
				}
			}), files{"a.jsonl": c.json})
			if c.bad != "" {
				if len(bad) != 1 || bad[0].Reason != c.bad {
					t.Errorf("malformed %v, want %q", bad, c.bad)
				}
				return
			}
			if err != nil || len(bad) > 0 {
				t.Fatalf("malformed %v, %v", bad, err)
			}
			if r := records[0]; !cmp.Equal(r.Options, c.options) || r.Answer != c.answer || r.Question != "q" {
				t.Errorf("options %q, answer %d; want %q, %d", r.Options, r.Answer, c.options, c.answer)
			}
		})
	}
}

func TestRatedText(t *testing.T) {
	records, _, bad, err := readFiles(t, dataset("rated", anyBad), files{
		"a.jsonl": `{"text": "a", "label": 3.5}` + "\n" + `{"text": "b", "label": "-1"}` + "\n" +
			`{"text": "c", "label": true}` + "\n" + `{"text": "d", "label": "good"}` + "\n" + `{"text": "e"}` + "\n" +
			`{"text": "f", "label": "NaN"}` + "\n" + `{"text": "g", "label": [1]}`,
	})
	if err != nil || len(bad) != 4 {
		t.Fatalf("malformed %v, %v", bad, err)
	}
	for i, want := range []float32{3.5, -1, 1} {
		if got := records[i].Scores["label"]; got != want {
			t.Errorf("label %d is %g, want %g", i, got, want)
		}
	}
}
