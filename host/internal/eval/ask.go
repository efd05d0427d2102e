package eval

import (
	"slices"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/sdk"
)

// Ask is what a record asks a model, as a sample without a response: a question with its options listed, the right
// letter its reference; a dialogue up to the last turn of the user, the turn that follows its reference; the prompt of
// a preference pair, the chosen answer its reference. ok is false when the record asks nothing, as a dialogue with tools
// does, which a sample can't hold.
func Ask(r *data.Record) (s sdk.Sample, ok bool) {
	s.ID = r.ID
	switch r.Kind() {
	case data.KindChoice:
		listed := ChoiceOptions{Letters: true}
		s.History = []sdk.Turn{{Role: sdk.RoleUser, Text: listed.question(r)}}
		s.Reference = letter(r.Answer)
	case data.KindPair:
		s.History, s.Reference = r.Prompt, r.Chosen
	case data.KindDialogue:
		if r.Whole.Tools != "" {
			return s, false
		}
		s.History, s.Reference = lastQuestion(r.Turns)
	}
	return s, len(s.History) > 0
}

// lastQuestion cuts a dialogue after the last turn of the user.
func lastQuestion(turns []sdk.Turn) (history []sdk.Turn, reference string) {
	for i, t := range slices.Backward(turns) {
		if t.Role != sdk.RoleUser {
			continue
		}
		if rest := turns[i+1:]; len(rest) > 0 && rest[0].Role == sdk.RoleAssistant {
			reference = rest[0].Text
		}
		return turns[: i+1 : i+1], reference
	}
	return nil, ""
}
