package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/jinja"
	"github.com/carebot-llm/carebot/sdk"
)

// A Span is the tokens From up to, not including, To.
type Span struct{ From, To int }

// ErrTemplate says that a tokenizer has no chat template, or one that can't be rendered here.
var ErrTemplate = errors.New("the model has no chat template that can be rendered here")

// A chat renders dialogues by a chat template: messages as templates see them, and tools, which may be nil.
type chat interface {
	// prompt is a dialogue as the model reads it; generate adds what stands before an answer.
	prompt(messages []*jinja.Object, tools []any, generate bool) ([]int32, error)
	// learned is a dialogue with what the assistant's turns learn; last: what the last of them learns, and nothing
	// behind it.
	learned(messages []*jinja.Object, tools []any, last bool) (ids []int32, answers []Span, err error)
	endOfTurn() (int32, bool)
}

// Chat renders turns by the chat template and encodes them. generate appends the header of an assistant turn. Nothing
// is put around the tokens: a token that begins a text is there if the template writes it, and so never twice. Turns of
// sdk.RoleRaw are encoded as plain text, without header and end; if there are no others, any tokenizer will do.
//
// The text of a special token within a turn stays text in our own template. Other templates are rendered before they
// are encoded, as transformers does, so that it becomes the token.
func (t *Tokenizer) Chat(turns []sdk.Turn, generate bool) ([]int32, error) {
	ids, err := t.chatOf(turns, generate).prompt(messages(turns), nil, generate)
	if err != nil {
		return nil, fmt.Errorf("chat: %w", err)
	}
	return ids, nil
}

// Learned is Chat with the stretches of tokens that the assistant's turns learn: their text and the token that ends the
// turn. It is an error if the template does not let them be told. last leaves out what is behind the last of these
// turns, which alone learns: so any template can teach that writes an answer as it was generated.
func (t *Tokenizer) Learned(turns []sdk.Turn, last bool) (ids []int32, answers []Span, err error) {
	ids, answers, err = t.chatOf(turns, false).learned(messages(turns), nil, last)
	if err != nil {
		return nil, nil, fmt.Errorf("chat: %w", err)
	}
	return ids, answers, nil
}

// EndOfTurn returns the token that ends each turn of a chat, and so an answer, if the template has one.
func (t *Tokenizer) EndOfTurn() (int32, bool) { return t.chat.endOfTurn() }

func (t *Tokenizer) chatOf(turns []sdk.Turn, generate bool) chat {
	if generate || slices.ContainsFunc(turns, func(t sdk.Turn) bool { return t.Role != sdk.RoleRaw }) {
		return t.chat
	}
	return rawChat{t}
}

// A rawChat encodes plain text.
type rawChat struct{ tok *Tokenizer }

func (c rawChat) prompt(messages []*jinja.Object, _ []any, _ bool) (ids []int32, err error) {
	for _, m := range messages {
		ids = append(ids, c.tok.Encode(text(m))...)
	}
	return ids, nil
}

func (c rawChat) learned(messages []*jinja.Object, _ []any, _ bool) ([]int32, []Span, error) {
	ids, err := c.prompt(messages, nil, false)
	return ids, nil, err
}

func (rawChat) endOfTurn() (int32, bool) { return 0, false }

// A noChat has no template, or one that can't be rendered.
type noChat struct{ err error }

func (c noChat) prompt([]*jinja.Object, []any, bool) ([]int32, error) { return nil, c.err }
func (c noChat) learned([]*jinja.Object, []any, bool) ([]int32, []Span, error) {
	return nil, nil, c.err
}
func (noChat) endOfTurn() (int32, bool) { return 0, false }

// readTemplate takes the chat template from its own file or else from tokenizer_config.json. One that can't be rendered
// is an error of Chat, since the tokenizer is good for plain text.
func (t *Tokenizer) readTemplate(inConfig json.RawMessage, vocab map[string]int32) error {
	t.template = string(t.files.template)
	if t.files.template == nil && len(inConfig) > 0 {
		var err error
		if t.template, err = templateOf(inConfig); err != nil {
			return fmt.Errorf("tokenizer_config.json: chat_template: %w", err)
		}
	}
	switch t.template {
	case "":
		t.chat = noChat{ErrTemplate}
		return nil
	case chatTemplate:
		start, okStart := vocab[startToken]
		end, okEnd := vocab[endToken]
		if !okStart || !okEnd {
			return fmt.Errorf("chat_template: %s or %s is not in the vocabulary", startToken, endToken)
		}
		t.chat = ownChat{t, start, end}
		return nil
	}
	return t.foreign()
}

// foreign makes a chat of a template that is not ours.
func (t *Tokenizer) foreign() error {
	template, err := jinja.Parse("chat_template", t.template)
	if err != nil {
		t.chat = noChat{fmt.Errorf("%w: %w", ErrTemplate, err)}
		return nil
	}
	template.Clock, err = clock()
	if err != nil {
		return err
	}
	c := &templateChat{tok: t, template: template}
	if c.names, err = t.templateNames(); err != nil {
		return err
	}
	c.findEnd()
	t.chat = c
	return nil
}

// templateOf reads a template that is written as a string or as a list of named ones, of which "default" is taken.
func templateOf(raw json.RawMessage) (string, error) {
	if raw[0] != '[' {
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	}
	var named []struct{ Name, Template string }
	if err := json.Unmarshal(raw, &named); err != nil {
		return "", err
	}
	for _, n := range named {
		if n.Name == "default" {
			return n.Template, nil
		}
	}
	return "", nil
}
