package data

import (
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/google/go-cmp/cmp"
)

func said(role sdk.Role, text string) sdk.Turn { return sdk.Turn{Role: role, Text: text} }

var (
	question = said(sdk.RoleUser, "q")
	answer   = said(sdk.RoleAssistant, "a")
)

// The types of TRL, standard and conversational, told by their columns.
func TestFormatIsToldByTheFields(t *testing.T) {
	turns := []sdk.Turn{question, answer}
	for line, want := range map[string]Record{
		`{"text": "q"}`: {Text: "q"},
		`{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "tools": null}`: {Turns: turns},
		`{"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "tools": "[]"}`:     {Turns: turns},
		`{"prompt": "q"}`: {Turns: turns[:1]},
		`{"prompt": [{"role": "user", "content": "q"}]}`:                                                        {Turns: turns[:1]},
		`{"prompt": "q", "completion": "a"}`:                                                                    {Turns: turns},
		`{"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "a"}]}`: {Turns: turns},
		`{"instruction": "q", "input": "", "output": "a"}`:                                                      {Turns: turns},
		`{"prompt": "q", "chosen": "a", "rejected": "b"}`:                                                       {Prompt: turns[:1], Chosen: "a", Rejected: "b"},
		`{"prompt": [{"role": "user", "content": "q"}], "chosen": [{"role": "assistant", "content": "a"}], "rejected": [{"role": "assistant", "content": "b"}]}`:                       {Prompt: turns[:1], Chosen: "a", Rejected: "b"},
		`{"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]}`: {Prompt: turns[:1], Chosen: "a", Rejected: "b"},
	} {
		got := mustRead(t, dataset("auto", nil), files{"a.jsonl": line + "\n"})[0]
		kept := Record{Text: got.Text, Turns: got.Turns, Prompt: got.Prompt, Chosen: got.Chosen, Rejected: got.Rejected}
		if diff := cmp.Diff(want, kept); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

func TestFormatIsNotGuessed(t *testing.T) {
	for line, want := range map[string]string{
		`{"prompt": "q", "completion": "a", "label": false}`: "labelled good or bad: set format: labelled",
		`{"body": "q"}`: "the fields body tell no format",
	} {
		_, _, _, err := readFiles(t, dataset("auto", nil), files{"a.jsonl": line + "\n"})
		wantError(t, err, want)
	}
}

func TestLabelledAnswers(t *testing.T) {
	lines := `{"prompt": "q", "completion": "a", "label": true}
{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "label": false}
`
	for i, got := range mustRead(t, dataset("labelled", nil), files{"a.jsonl": lines}) {
		if diff := cmp.Diff([]sdk.Turn{question, answer}, got.Turns); diff != "" || got.Scores["label"] != float32(1-i) {
			t.Errorf("label %v, turns (-want +got):\n%s", got.Scores, diff)
		}
	}
}

// What a format has no place for is no record, rather than one that lacks it.
func TestNothingBeyondTextIsDroppedSilently(t *testing.T) {
	call := `[{"function": {"name": "f", "arguments": {}}}]`
	for line, want := range map[string]string{
		`{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "function_call": {"name": "f"}}]}`:                   "chat template does",
		`{"prompt": "q", "completion": "a", "tools": ` + call + `}`:                                                                 "chat template does",
		`{"prompt": "q", "completion": [{"role": "assistant", "content": "a", "tool_calls": ` + call + `}]}`:                        "chat template does",
		`{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "function_call": {"a": 1}}], "tools": ` + call + `}`: "as chat templates read it",
		`{"messages": [{"role": "user", "content": "q"}, {"role": "x", "tool_calls": ` + call + `}]}`:                               `role "x"`,
		`{"messages": [{"role": "user", "content": "q"}], "tools": {"a": 1}}`:                                                       "no list",
		`{"messages": [{"role": "user", "content": "q"}], "tools": "f()"}`:                                                          "tools",
		`{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": "f()"}]}`:                              "tool_calls",
	} {
		_, _, bad, _ := readFiles(t, dataset("auto", nil), files{"a.jsonl": line + "\n"})
		if len(bad) != 1 || !strings.Contains(bad[0].Reason, want) {
			t.Errorf("%s: malformed %v, want %s", line, bad, want)
		}
	}
}

func TestRolesAreNamed(t *testing.T) {
	ds := dataset("sharegpt", func(ds *recipe.Dataset) { ds.Roles = map[string]string{"Arzt": "assistant", "Patient": "user"} })
	got := mustRead(t, ds, files{"a.jsonl": `{"conversations": [{"from": "Patient", "value": "q"}, {"from": "Arzt", "value": "a"}]}`})
	if diff := cmp.Diff([]sdk.Turn{question, answer}, got[0].Turns); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
}
