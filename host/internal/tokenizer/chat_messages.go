package tokenizer

import (
	"errors"
	"fmt"

	"github.com/carebot-llm/carebot/host/internal/jinja"
	"github.com/carebot-llm/carebot/sdk"
)

// ChatMessages is Chat up to where an answer begins, for messages as templates see them: objects with a role, a content
// and whatever else the template reads, beside a list of tools, which may be nil. Our own template knows role and
// content alone and takes no tools.
func (t *Tokenizer) ChatMessages(messages []*jinja.Object, tools []any) ([]int32, error) {
	ids, err := t.chat.answer(messages, tools)
	if err != nil {
		return nil, fmt.Errorf("chat: %w", err)
	}
	return ids, nil
}

func (c noChat) answer([]*jinja.Object, []any) ([]int32, error) { return nil, c.err }

func (rawChat) answer([]*jinja.Object, []any) ([]int32, error) { return nil, ErrTemplate }

func (c ownChat) answer(messages []*jinja.Object, tools []any) ([]int32, error) {
	if len(tools) > 0 {
		return nil, errors.New("the model's chat template takes no tools")
	}
	turns := make([]sdk.Turn, len(messages))
	for i, m := range messages {
		role, _ := m.Get("role")
		content, _ := m.Get("content")
		name, known := role.(string)
		text, plain := content.(string)
		if !known || name == "" || !plain {
			return nil, fmt.Errorf("message %d: the model's chat template takes a role and text", i)
		}
		turns[i] = sdk.Turn{Role: sdk.Role(name), Text: text}
	}
	return c.prompt(turns, true)
}

func (c *templateChat) answer(messages []*jinja.Object, tools []any) ([]int32, error) {
	all := make([]any, len(messages))
	for i, m := range messages {
		all[i] = m
	}
	var listed any
	if len(tools) > 0 {
		listed = tools
	}
	out, err := c.fill(all, listed, true)
	if err != nil {
		return nil, err
	}
	return c.tok.EncodeAll(out.Text), nil
}
