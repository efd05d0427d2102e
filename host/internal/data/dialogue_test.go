package data

import (
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/google/go-cmp/cmp"
)

// turns makes turns of pairs of role and text: s, u, a, t.
func turns(pairs ...string) []sdk.Turn {
	names := map[string]sdk.Role{"s": sdk.RoleSystem, "u": sdk.RoleUser, "a": sdk.RoleAssistant, "t": sdk.RoleTool}
	var all []sdk.Turn
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, sdk.Turn{Role: names[pairs[i]], Text: pairs[i+1]})
	}
	return all
}

// A formatCase is a record in JSON, and the turns or the reason it must give.
type formatCase struct {
	name, json string
	set        func(*recipe.Dataset)
	want       []sdk.Turn
	bad        string
}

func checkTurns(t *testing.T, format string, cases []formatCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			records, _, bad, err := readFiles(t, dataset(format, func(ds *recipe.Dataset) {
				ds.MaxBad = 1
				if c.set != nil {
					c.set(ds)
				}
			}), files{"a.jsonl": oneLine(c.json)})
			if c.bad != "" {
				if len(bad) != 1 || bad[0].Reason != c.bad {
					t.Errorf("malformed %v, %v; want %q", bad, err, c.bad)
				}
				return
			}
			if err != nil || len(records) != 1 {
				t.Fatalf("malformed %v, %v", bad, err)
			}
			if diff := cmp.Diff(c.want, records[0].Turns); diff != "" {
				t.Errorf("turns (-want +got):\n%s", diff)
			}
		})
	}
}

// oneLine makes a JSON line of a text that was broken for reading.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", " ") }

func fieldsOf(pairs ...string) func(*recipe.Dataset) {
	return func(ds *recipe.Dataset) {
		ds.Fields = map[string]recipe.Fields{}
		for i := 0; i < len(pairs); i += 2 {
			ds.Fields[pairs[i]] = append(ds.Fields[pairs[i]], pairs[i+1])
		}
	}
}

func TestMessages(t *testing.T) {
	checkTurns(t, "messages", []formatCase{
		{
			name: "all roles",
			json: `{"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": " U\r\nv "},
				{"role": "assistant", "content": "A"}, {"role": "tool", "content": "T"}]}`,
			want: turns("s", "S", "u", "U\nv", "a", "A", "t", "T"),
		},
		{
			name: "content in parts",
			json: `{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, "b"]}]}`,
			want: turns("u", "a\nb"),
		},
		{
			name: "nested",
			json: `{"chat": {"m": [{"role": "user", "content": "a"}]}}`,
			set:  fieldsOf("messages", "chat.m"), want: turns("u", "a"),
		},
		{
			name: "image",
			json: `{"messages": [{"role": "user", "content": [{"type": "image"}]}]}`,
			bad:  "turn 1: content has a part without text",
		},
		{
			name: "role",
			json: `{"messages": [{"role": "narrator", "content": "a"}]}`,
			bad:  `turn 1: role "narrator" is not known`,
		},
		{name: "no user", json: `{"messages": [{"role": "assistant", "content": "a"}]}`, bad: "no turn of the user"},
		{
			name: "empty",
			json: `{"messages": [{"role": "user", "content": ""}]}`,
			bad:  "turn 1: content (field content) is empty",
		},
		{name: "none", json: `{"message": 1}`, bad: "no messages: none of the fields messages is there, but message"},
		{name: "text", json: `{"messages": "hello"}`, bad: "messages are not a list"},
	})
}

func TestShareGPT(t *testing.T) {
	checkTurns(t, "sharegpt", []formatCase{
		{
			name: "with system",
			json: `{"system": "S", "conversations": [{"from": "human", "value": "U"},
				{"from": "gpt", "value": "A"},
				{"from": "observation", "value": "T"}]}`,
			want: turns("s", "S", "u", "U", "a", "A", "t", "T"),
		},
		{
			name: "named otherwise", json: `{"m": [{"who": "user", "what": "U"}]}`,
			set: fieldsOf("messages", "m", "role", "who", "content", "what"), want: turns("u", "U"),
		},
	})
}

func TestAlpaca(t *testing.T) {
	checkTurns(t, "alpaca", []formatCase{
		{
			name: "with history",
			json: `{"system": "S", "instruction": "q2", "input": "more", "output": "a2", "history": [["q1", "a1"]]}`,
			want: turns("s", "S", "u", "q1", "a", "a1", "u", "q2\nmore", "a", "a2"),
		},
		{
			name: "lists",
			json: `{"instruction": ["q"], "input": "", "output": ["a", "b"]}`,
			want: turns("u", "q", "a", "a\nb"),
		},
		{
			name: "one of two names",
			json: `{"instruct": " q", "output": "a"}`,
			set:  fieldsOf("instruction", "instruct"),
			want: turns("u", "q", "a", "a"),
		},
		{name: "no output", json: `{"instruction": "q", "output": null}`, bad: "output (field output) is empty"},
		{
			name: "history", json: `{"instruction": "q", "output": "a", "history": [["q1"]]}`,
			bad: "history 1 is not a question with its answer",
		},
	})
}

func speakers(ds *recipe.Dataset) {
	ds.Speakers = map[string]string{
		"D:": "assistant", "D2:": "assistant", "P:": "user", "患者：": "user", "医生：": "assistant",
	}
}

func TestTranscripts(t *testing.T) {
	checkTurns(t, "transcript", []formatCase{
		{
			name: "the assistant may begin",
			json: `{"dialogue": "D: hi \nP: a\n  b\nP: c\nD2: d\n\n e\n"}`,
			set:  speakers,
			want: turns("a", "hi", "u", "a\n  b\nc", "a", "d\n\n e"),
		},
		{
			name: "list", json: `{"dialog": ["患者：头痛", "患者：两天了", "医生：吃药"]}`, set: speakers,
			want: turns("u", "头痛\n两天了", "a", "吃药"),
		},
		{name: "silent turn", json: `{"text": "P: a\nD:\nP: b"}`, set: speakers, want: turns("u", "a\nb")},
		{name: "no user", json: `{"text": "D: a"}`, set: speakers, bad: "no turn of the user"},
		{name: "nobody", json: `{"text": "\n a\nD: b"}`, set: speakers, bad: "line 1 of the transcript has no speaker"},
	})
	_, _, _, err := readFiles(t, dataset("transcript", nil), files{"a.jsonl": "{}"})
	wantError(t, err, "needs speakers")
	_, _, _, err = readFiles(t, dataset("transcript", func(ds *recipe.Dataset) {
		ds.Speakers = map[string]string{"D:": "doctor"}
	}), files{"a.jsonl": "{}"})
	wantError(t, err, `role "doctor" of "D:"`)
}
