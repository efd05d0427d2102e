package data

import (
	"fmt"

	"github.com/carebot-llm/carebot/sdk"
)

// buildCompletion reads a prompt and its completion, each text or a list of messages. Texts are a question and its
// answer, so they are put through the chat template, as all dialogues are.
func (p *parser) buildCompletion(f fields, rec *Record) error {
	prompt, err := p.needPrompt(f)
	if err != nil {
		return err
	}
	answer, err := p.answer(f, "completion")
	if err != nil {
		return err
	}
	return rec.setTurns(append(prompt, answer...))
}

// buildPrompt reads a prompt, to which a model is to give the answer.
func (p *parser) buildPrompt(f fields, rec *Record) error {
	prompt, err := p.needPrompt(f)
	if err != nil {
		return err
	}
	return rec.setTurns(prompt)
}

func (p *parser) needPrompt(f fields) ([]sdk.Turn, error) {
	if p.layout.value(f, "prompt") == nil {
		return nil, p.layout.missing(f, "prompt")
	}
	return p.prompt(f)
}

// buildLabelled reads a dialogue, as messages or as prompt and completion, and whether its last answer is a good one.
func (p *parser) buildLabelled(f fields, rec *Record) error {
	build := p.buildCompletion
	if p.layout.value(f, "messages") != nil {
		build = p.buildMessages
	}
	if err := build(f, rec); err != nil {
		return err
	}
	if last := rec.Turns[len(rec.Turns)-1]; last.Role != sdk.RoleAssistant {
		return fmt.Errorf("the last turn, which the label judges, is the %s's", last.Role)
	}
	return p.label(f, rec)
}
