package data

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/carebot-llm/carebot/sdk"
)

// roles are the names of roles in OpenAI's and ShareGPT's formats.
var roles = map[string]sdk.Role{
	"system": sdk.RoleSystem, "developer": sdk.RoleSystem,
	"user": sdk.RoleUser, "human": sdk.RoleUser,
	"assistant": sdk.RoleAssistant, "gpt": sdk.RoleAssistant, "model": sdk.RoleAssistant,
	"function_call": sdk.RoleAssistant,
	"tool":          sdk.RoleTool, "function": sdk.RoleTool, "observation": sdk.RoleTool,
}

var (
	errNoUser = errors.New("no turn of the user")
	errTools  = errors.New("tools are described, which this format has no place for: " +
		"use messages, or write them into the system turn as your chat template does")
)

// rolesWith are the known roles and those that a dataset names.
func rolesWith(named map[string]string) map[string]sdk.Role {
	all := maps.Clone(roles)
	for name, role := range named {
		all[name] = sdk.Role(role)
	}
	return all
}

// setTurns makes rec a dialogue. A dialogue may begin with the assistant and end with the user, but the user speaks in
// it.
func (rec *Record) setTurns(turns []sdk.Turn) error {
	for _, t := range turns {
		if t.Role == sdk.RoleUser {
			rec.Turns = turns
			return nil
		}
	}
	return errNoUser
}

// buildMessages reads a list of messages, each with role and content (OpenAI) or from and value (ShareGPT).
func (p *parser) buildMessages(f fields, rec *Record) error {
	v := p.layout.value(f, "messages")
	if v == nil {
		return p.layout.missing(f, "messages")
	}
	list, ok := v.([]any)
	if !ok {
		return errors.New("messages are not a list")
	}
	if p.beyond(f, list) {
		return p.buildWhole(f, rec)
	}
	turns, err := p.messages(list)
	if err != nil {
		return err
	}
	system, err := p.system(f)
	if err != nil {
		return err
	}
	return rec.setTurns(append(system, turns...))
}

func (p *parser) messages(list []any) ([]sdk.Turn, error) {
	turns := make([]sdk.Turn, len(list))
	for i, m := range list {
		var err error
		if turns[i], err = p.message(m); err != nil {
			return nil, fmt.Errorf("turn %d: %w", i+1, err)
		}
	}
	return turns, nil
}

func (p *parser) message(v any) (sdk.Turn, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return sdk.Turn{}, errors.New("is not an object")
	}
	name, err := p.layout.need(object(m), "role")
	if err != nil {
		return sdk.Turn{}, err
	}
	role, ok := p.roles[name]
	if !ok {
		return sdk.Turn{}, fmt.Errorf("role %q is not known", name)
	}
	for _, part := range append([]string{"function_call"}, beyondText...) {
		if !isEmpty(m[part]) {
			return sdk.Turn{}, fmt.Errorf("%s cannot be kept, a turn is text: "+
				"write it into %s as your chat template does", part, strings.Join(p.layout.parts["content"], " or "))
		}
	}
	text, err := p.content(m)
	return sdk.Turn{Role: role, Text: text}, err
}

// content is the text of a message: a string, or a list of parts of which those with a text count.
func (p *parser) content(m object) (string, error) {
	parts, ok := p.layout.value(m, "content").([]any)
	if !ok {
		return p.layout.need(m, "content")
	}
	var texts []any
	for _, part := range parts {
		if o, ok := part.(map[string]any); ok {
			part = o["text"]
		}
		if part == nil {
			return "", errors.New("content has a part without text")
		}
		texts = append(texts, part)
	}
	return textOf(texts)
}

// buildAlpaca reads instruction, input and output, after the pairs of the history.
func (p *parser) buildAlpaca(f fields, rec *Record) error {
	turns, err := p.system(f)
	if err != nil {
		return err
	}
	history, err := p.history(f)
	if err != nil {
		return err
	}
	instruction, err := p.layout.need(f, "instruction")
	if err != nil {
		return err
	}
	input, err := p.layout.text(f, "input")
	if err != nil {
		return err
	}
	output, err := p.layout.need(f, "output")
	if err != nil {
		return err
	}
	turns = append(turns, history...)
	return rec.setTurns(append(turns,
		sdk.Turn{Role: sdk.RoleUser, Text: clean(instruction + "\n" + input)},
		sdk.Turn{Role: sdk.RoleAssistant, Text: output}))
}

func (p *parser) history(f fields) ([]sdk.Turn, error) {
	v := p.layout.value(f, "history")
	if v == nil {
		return nil, nil
	}
	pairs, ok := v.([]any)
	if !ok {
		return nil, errors.New("history is not a list")
	}
	var turns []sdk.Turn
	for i, v := range pairs {
		pair, ok := v.([]any)
		if !ok || len(pair) != 2 {
			return nil, fmt.Errorf("history %d is not a question with its answer", i+1)
		}
		for j, role := range []sdk.Role{sdk.RoleUser, sdk.RoleAssistant} {
			text, err := textOf(pair[j])
			if err != nil || text == "" {
				return nil, errors.Join(err, fmt.Errorf("history %d has no text of the %s", i+1, role))
			}
			turns = append(turns, sdk.Turn{Role: role, Text: text})
		}
	}
	return turns, nil
}
