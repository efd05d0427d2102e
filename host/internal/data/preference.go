package data

import (
	"errors"
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/sdk"
)

// buildPreference reads a pair of answers. The prompt stands in its own field (text, a transcript, messages) or is what
// the two answers, dialogues then, have in common up to their last turns.
func (p *parser) buildPreference(f fields, rec *Record) error {
	prompt, err := p.prompt(f)
	if err != nil {
		return err
	}
	chosen, err := p.answer(f, "chosen")
	if err != nil {
		return err
	}
	rejected, err := p.answer(f, "rejected")
	if err != nil {
		return err
	}
	shared := commonTurns(chosen, rejected)
	if len(chosen) != shared+1 || len(rejected) != shared+1 {
		return errors.New("chosen and rejected do not differ in exactly their last turns")
	}
	rec.Chosen, rec.Rejected = chosen[shared].Text, rejected[shared].Text
	rec.Prompt = join(prompt, chosen[:shared])
	if rec.Chosen == "" || rec.Rejected == "" {
		return errors.New("an answer is empty")
	}
	if chosen[shared].Role != sdk.RoleAssistant || rejected[shared].Role != sdk.RoleAssistant {
		return errors.New("an answer is not the assistant's")
	}
	if !slices.ContainsFunc(rec.Prompt, func(t sdk.Turn) bool { return t.Role == sdk.RoleUser }) {
		return errNoUser
	}
	return nil
}

// join puts the explicit prompt before the turns that the answers share, which may repeat it.
func join(prompt, shared []sdk.Turn) []sdk.Turn {
	if len(shared) >= len(prompt) && commonTurns(prompt, shared) == len(prompt) {
		return shared
	}
	return append(slices.Clone(prompt), shared...)
}

func commonTurns(a, b []sdk.Turn) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// prompt reads the explicit prompt; there may be none.
func (p *parser) prompt(f fields) ([]sdk.Turn, error) {
	system, err := p.system(f)
	if err != nil {
		return nil, err
	}
	v := p.layout.value(f, "prompt")
	if v == nil {
		return system, nil
	}
	turns, err := p.turnsOf(v, sdk.RoleUser)
	if err != nil {
		return nil, fmt.Errorf("prompt: %w", err)
	}
	return append(system, turns...), nil
}

// answer reads one of the two answers: text, a transcript, one message, or a list of messages.
func (p *parser) answer(f fields, part string) ([]sdk.Turn, error) {
	v := p.layout.value(f, part)
	if v == nil {
		return nil, p.layout.missing(f, part)
	}
	turns, err := p.turnsOf(v, sdk.RoleAssistant)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", part, err)
	}
	return turns, nil
}

// turnsOf reads turns in any of their forms; bare text is a turn of the role.
func (p *parser) turnsOf(v any, role sdk.Role) ([]sdk.Turn, error) {
	if m, ok := v.(map[string]any); ok {
		v = []any{m}
	}
	if list, ok := v.([]any); ok {
		if _, ok := list[0].(map[string]any); ok {
			return p.messages(list)
		}
	}
	text, err := textOf(v)
	if err != nil {
		return nil, err
	}
	if _, _, ok := p.spoken(text); ok {
		return p.transcript(text)
	}
	return []sdk.Turn{{Role: role, Text: text}}, nil
}
