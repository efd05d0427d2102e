package data

import (
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/google/go-cmp/cmp"
)

func TestPreferencePairs(t *testing.T) {
	hh := func(ds *recipe.Dataset) { ds.Speakers = map[string]string{"Human:": "user", "Assistant:": "assistant"} }
	cases := []struct {
		name, json string
		set        func(*recipe.Dataset)
		prompt     []sdk.Turn
		bad        string
	}{
		{name: "text", json: `{"prompt": "q", "chosen": "good", "rejected": "bad"}`, prompt: turns("u", "q")},
		{
			name: "messages", prompt: turns("s", "S", "u", "q"),
			json: `{"prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "q"}],
				"chosen": [{"role": "assistant", "content": "good"}],
				"rejected": [{"role": "assistant", "content": "bad"}]}`,
		},
		{
			name: "conversations", prompt: turns("u", "q", "a", "b", "u", "c"),
			json: `{"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "b"},
				{"from": "human", "value": "c"}],
				"chosen": {"from": "gpt", "value": "good"}, "rejected": {"from": "gpt", "value": "bad"}}`,
		},
		{
			name: "implicit in messages", prompt: turns("u", "q"),
			json: `{"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "good"}],
				"rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "bad"}]}`,
		},
		{
			name: "explicit and repeated", prompt: turns("u", "q"),
			json: `{"prompt": "q",
				"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "good"}],
				"rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "bad"}]}`,
		},
		{
			name: "implicit in transcripts", prompt: turns("u", "q", "a", "b", "u", "c"), set: hh,
			json: `{"chosen": "\n\nHuman: q\n\nAssistant: b\n\nHuman: c\n\nAssistant: good",
				"rejected": "\n\nHuman: q\n\nAssistant: b\n\nHuman: c\n\nAssistant: bad"}`,
		},
		{name: "no prompt", json: `{"chosen": "good", "rejected": "bad"}`, bad: "no turn of the user"},
		{
			name: "equal", json: `{"prompt": "q", "chosen": "same", "rejected": "same "}`,
			bad: "chosen and rejected do not differ in exactly their last turns",
		},
		{
			name: "parted early", set: hh, bad: "chosen and rejected do not differ in exactly their last turns",
			json: `{"chosen": "Human: q\nAssistant: b\nHuman: c\nAssistant: good",
				"rejected": "Human: q\nAssistant: x\nHuman: c\nAssistant: bad"}`,
		},
		{
			name: "empty",
			json: `{"prompt": "q", "chosen": "good", "rejected": ""}`,
			bad:  "rejected (field rejected) is empty",
		},
		{
			name: "empty list",
			json: `{"prompt": [], "chosen": "good", "rejected": "bad"}`,
			bad:  "no turn of the user",
		},
		{
			name: "user's answer",
			json: `{"prompt": "q", "chosen": {"role": "user", "content": "x"},
				"rejected": {"role": "user", "content": "y"}}`,
			bad: "an answer is not the assistant's",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			records, _, bad, err := readFiles(t, dataset("preference", func(ds *recipe.Dataset) {
				ds.MaxBad = 1
				if c.set != nil {
					c.set(ds)
				}
			}), files{"a.jsonl": oneLine(c.json)})
			if c.bad != "" {
				if len(bad) != 1 || bad[0].Reason != c.bad {
					t.Errorf("malformed %v, want %q", bad, c.bad)
				}
				return
			}
			if err != nil || len(bad) > 0 {
				t.Fatalf("malformed %v, %v", bad, err)
			}
			r := records[0]
			if diff := cmp.Diff(c.prompt, r.Prompt); diff != "" || r.Chosen != "good" || r.Rejected != "bad" {
				t.Errorf("chosen %q, rejected %q, prompt (-want +got):\n%s", r.Chosen, r.Rejected, diff)
			}
		})
	}
}
