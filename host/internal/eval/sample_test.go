package eval

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/sdk"
)

func TestRecordsAskForTheirAnswer(t *testing.T) {
	turn := func(role sdk.Role, text string) sdk.Turn { return sdk.Turn{Role: role, Text: text} }
	talk := []sdk.Turn{turn(sdk.RoleSystem, "be kind"), turn(sdk.RoleUser, "one"), turn(sdk.RoleAssistant, "1"),
		turn(sdk.RoleUser, "two"), turn(sdk.RoleAssistant, "2"), turn(sdk.RoleTool, "3")}
	for what, c := range map[string]struct {
		record *data.Record
		want   sdk.Sample
	}{
		"a question": {english, sdk.Sample{ID: "en-1", Reference: "A",
			History: user("What helps against fever?\nA. rest\nB. running\nC. noise")}},
		"a dialogue with its answer": {&data.Record{ID: "d", Turns: talk},
			sdk.Sample{ID: "d", History: talk[:4], Reference: "2"}},
		"a dialogue without": {&data.Record{ID: "d", Turns: talk[:2]}, sdk.Sample{ID: "d", History: talk[:2]}},
		"a pair": {&data.Record{ID: "p", Prompt: talk[:2], Chosen: "yes", Rejected: "no"},
			sdk.Sample{ID: "p", History: talk[:2], Reference: "yes"}},
		"a dialogue that asks nothing": {&data.Record{ID: "a", Turns: talk[2:3]}, sdk.Sample{ID: "a"}},
		"a text":                       {&data.Record{ID: "t", Text: "one"}, sdk.Sample{ID: "t"}},
	} {
		got, ok := Ask(c.record)
		if diff := cmp.Diff(c.want, got); diff != "" || ok != (len(c.want.History) > 0) {
			t.Errorf("%s: ok is %v (-want +got):\n%s", what, ok, diff)
		}
	}
}

func TestDrawnAnswersDoNotDependOnTheCall(t *testing.T) {
	s := talker(t, 1)
	var prompts [][]int32
	for _, text := range []string{"fever", "the patient rests", "water", "noise and rest"} {
		ids, ok, err := s.Prompt(user(text), 8)
		if !ok || err != nil {
			t.Fatalf("%s: %v, %v", text, ok, err)
		}
		prompts = append(prompts, ids)
	}
	o := Sampling{Number: 3, MaxTokens: 8, Temperature: 1, TopP: 0.9, Seed: 5}
	together, err := s.Draw(t.Context(), prompts, 0, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range prompts {
		alone, err := s.Draw(t.Context(), prompts[i:i+1], i, o)
		if diff := cmp.Diff(together[i], alone[0]); err != nil || diff != "" {
			t.Errorf("prompt %d: %v (-in a call of four +alone):\n%s", i, err, diff)
		}
		if len(together[i]) != 3 || together[i][0] == together[i][1] && together[i][1] == together[i][2] {
			t.Errorf("prompt %d has the answers %+v", i, together[i])
		}
	}
}

func TestAnAnswerThatHasNotEndedIsCut(t *testing.T) {
	tok := toyTokenizer(t)
	end, _ := tok.EndOfTurn()
	s := reciter(t, append(tok.Encode("Be"), end)...)
	prompt, _, err := s.Prompt(user("now"), 1)
	if err != nil {
		t.Fatal(err)
	}
	for most, want := range map[int]Drawn{1: {Text: "B", Cut: true}, 10: {Text: "Be"}} {
		got, err := s.Draw(t.Context(), [][]int32{prompt}, 0, Sampling{Number: 1, MaxTokens: most, Temperature: 1e-3})
		if err != nil || !slices.Equal(got[0], []Drawn{want}) {
			t.Errorf("at most %d tokens: %+v, want %+v (%v)", most, got, want, err)
		}
	}
}

func TestAPromptNeedsRoomForItsAnswer(t *testing.T) {
	s := talker(t, 1)
	ids, ok, err := s.Prompt(user("fever"), 1)
	if !ok || err != nil {
		t.Fatalf("a short prompt: %v, %v", ok, err)
	}
	if _, ok, _ = s.Prompt(user("fever"), contextLen-len(ids)); !ok {
		t.Error("a prompt that fits with its answer is too long")
	}
	if _, ok, _ = s.Prompt(user("fever"), contextLen-len(ids)+1); ok {
		t.Error("a prompt has no room for its answer and fits")
	}
	if _, ok, _ = s.Prompt(user(strings.Repeat("fever ", contextLen)), 1); ok {
		t.Error("a prompt longer than the context fits")
	}
}
