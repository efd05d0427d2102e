package data

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

const doseTool = `{"name":"dose","parameters":{"z":1.0,"a":{}}}`

// Tools, calls and reasoning go to the template in the order of the file; plugins see text.
func TestDialoguesWithToolsAreKeptWhole(t *testing.T) {
	wrappedTool := `{"type":"function","function":` + doseTool + `}`
	call := `[{"type":"function","function":{"name":"dose","arguments":{"weight":70.0,"by":null}}}]`
	asked := sdk.Turn{Role: sdk.RoleUser, Text: "how much?"}
	called, told := sdk.Turn{Role: sdk.RoleAssistant, Text: call}, sdk.Turn{Role: sdk.RoleTool, Text: "5 mg"}
	said := sdk.Turn{Role: sdk.RoleAssistant, Text: "5 mg."}
	for name, c := range map[string]struct {
		format, line string
		want         Record
	}{
		"OpenAI": {"messages", `{"tools": [` + wrappedTool + `], "messages": [{"role": "user", "content": "how much?"},
			{"role": "assistant", "content": null, "tool_calls": [{"type": "function", "function": {"name": "dose", "arguments": "{\"weight\": 70.0, \"by\": null}"}}]},
			{"role": "tool", "tool_call_id": "1", "content": "5 mg"}, {"role": "assistant", "content": "5 mg."}]}`,
			Record{Turns: []sdk.Turn{asked, called, told, said}, Whole: Whole{`[{"role":"user","content":"how much?"},` +
				`{"role":"assistant","content":null,"tool_calls":` + call + `},` +
				`{"role":"tool","content":"5 mg","tool_call_id":"1"},{"role":"assistant","content":"5 mg."}]`, `[` + wrappedTool + `]`}}},
		"LLaMA-Factory": {"sharegpt", `{"tools": "[` + strings.ReplaceAll(doseTool, `"`, `\"`) + `]", "system": "be brief", "conversations": [
			{"from": "human", "value": "how much?"}, {"from": "function_call", "value": "{\"name\": \"dose\", \"arguments\": {\"weight\": 70.0, \"by\": null}}"},
			{"from": "observation", "value": "5 mg"}, {"from": "gpt", "value": "5 mg."}]}`,
			Record{Turns: []sdk.Turn{{Role: sdk.RoleSystem, Text: "be brief"}, asked, called, told, said},
				Whole: Whole{`[{"role":"system","content":"be brief"},{"role":"user","content":"how much?"},` +
					`{"role":"assistant","content":"","tool_calls":` + call + `},` +
					`{"role":"tool","content":"5 mg"},{"role":"assistant","content":"5 mg."}]`, `[` + wrappedTool + `]`}}},
		"reasoning": {"messages", `{"messages": [{"role": "user", "content": "how much?"}, {"role": "assistant", "reasoning_content": "r", "content": "5 mg."}]}`,
			Record{Turns: []sdk.Turn{asked, said}, Whole: Whole{
				`[{"role":"user","content":"how much?"},{"role":"assistant","content":"5 mg.","reasoning_content":"r"}]`, ""}}},
	} {
		line := strings.ReplaceAll(c.line, "\n", "")
		got := mustRead(t, dataset(c.format, nil), files{"a.jsonl": line + "\n"})[0]
		if diff := cmp.Diff(c.want.Turns, got.Turns); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(c.want.Whole, got.Whole); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		other := *got
		if other.Whole.Messages += " "; func() string { other.Identify(); return other.ID }() == got.ID {
			t.Errorf("%s: what the template reads does not count for the id", name)
		}
		dir := t.TempDir() + "/set"
		if err := WriteDataset(dir, []*Record{got}); err != nil {
			t.Fatal(err)
		}
		again, err := OpenDataset(dir)
		if err != nil || again[0].Whole != got.Whole {
			t.Errorf("%s: read back as %v, %v", name, again, err)
		}
	}
}

func TestTheFirstFieldWithMessagesIsTaken(t *testing.T) {
	line := `{"prompt": "", "messages": [], "label": true, "conversations": [{"role": "user", "content": "q"},
		{"role": "assistant", "content": "a", "thinking": "r"}]}`
	got := mustRead(t, dataset("labelled", nil), files{"a.jsonl": strings.ReplaceAll(line, "\n", "") + "\n"})
	if !strings.Contains(got[0].Whole.Messages, `"thinking":"r"`) {
		t.Errorf("messages %s", got[0].Whole.Messages)
	}
}

// Rows of Parquet and Arrow come as maps, whose keys have no order, and have nulls where others have values.
func TestOrderThatIsLostIsNotGuessed(t *testing.T) {
	message := func(extra map[string]any) object {
		m := map[string]any{"role": "assistant", "content": "a", "reasoning_content": nil, "tool_calls": nil}
		for key, value := range extra {
			m[key] = value
		}
		return object{"messages": []any{map[string]any{"role": "user", "content": "q", "tool_calls": nil}, m}}
	}
	p, err := newParser("set", recipe.Dataset{Format: "messages"})
	if err != nil {
		t.Fatal(err)
	}
	for want, extra := range map[string]map[string]any{
		`[{"role":"user","content":"q"},{"role":"assistant","content":"a","reasoning_content":"r"}]`: {"reasoning_content": "r"},
		`[{"role":"user","content":"q"},{"role":"assistant","content":"a","tool_calls":[{"b":1,"a":2}]}]`: {
			"tool_calls": `[{"b": 1, "a": 2}]`},
	} {
		r, err := p.record("a.parquet", row{line: 1, fields: message(extra)})
		if err != nil || r.Whole.Messages != want {
			t.Errorf("messages %+v, %v, want %s", r, err, want)
		}
	}
	_, err = p.record("a.parquet", row{line: 1, fields: message(map[string]any{"tool_calls": []any{map[string]any{"a": 1}}})})
	if err == nil || !strings.Contains(err.Error(), "must be JSON in text") {
		t.Errorf("error %v", err)
	}
}
