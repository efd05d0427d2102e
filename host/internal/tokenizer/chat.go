package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/carebot-llm/carebot/sdk"
)

// chatTemplate is the template of our own models, in Jinja as Hugging Face transformers renders it. Chat renders the
// same. Every turn is <|im_start|>role, a line break, its text without white space at both ends, <|im_end|>, a line
// break. Nothing stands before the first turn: BOS is for plain text. The generation block marks what an assistant turn
// learns.
const chatTemplate = `{%- for message in messages %}
    {{- '<|im_start|>' + message['role'] + '\n' }}
    {%- if message['role'] == 'assistant' %}
        {%- generation %}
            {{- message['content'] | trim + '<|im_end|>' }}
        {%- endgeneration %}
    {%- else %}
        {{- message['content'] | trim + '<|im_end|>' }}
    {%- endif %}
    {{- '\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
`

// chatTokens are the tokens around a turn, -1 when the tokenizer's template is not ours.
type chatTokens struct{ start, end int32 }

// A Span is the tokens From up to, not including, To.
type Span struct{ From, To int }

// ErrTemplate says that a tokenizer has no chat template, or one that Chat does not know.
var ErrTemplate = errors.New("the model's chat template is not one that can be rendered here")

// EndOfTurn returns the token that ends each turn of a chat, and so an answer, if Chat can render the tokenizer's
// template.
func (t *Tokenizer) EndOfTurn() (int32, bool) { return t.chat.end, t.chat.end >= 0 }

// Chat renders turns by the chat template and encodes them. The spans are what the assistant's turns learn: the text
// and the token that ends the turn. generate appends the header of an assistant turn. Turns of sdk.RoleRaw are encoded
// as plain text, without header and end; if there are no others, any tokenizer will do. The text of a special token
// within a turn stays text, which transformers, rendering before it encodes, would take for the token.
func (t *Tokenizer) Chat(turns []sdk.Turn, generate bool) (ids []int32, assistant []Span, err error) {
	for i, turn := range turns {
		if turn.Role == sdk.RoleRaw {
			ids = append(ids, t.Encode(turn.Text)...)
			continue
		}
		from, all, err := t.turn(turn)
		if err != nil {
			return nil, nil, fmt.Errorf("chat: turn %d: %w", i, err)
		}
		if turn.Role == sdk.RoleAssistant {
			assistant = append(assistant, Span{len(ids) + from, len(ids) + len(all)})
		}
		ids = append(append(ids, all...), t.Encode("\n")...)
	}
	if generate {
		if t.chat.start < 0 {
			return nil, nil, fmt.Errorf("chat: %w", ErrTemplate)
		}
		ids = append(append(ids, t.chat.start), t.Encode(header(sdk.RoleAssistant))...)
	}
	return ids, assistant, nil
}

func header(role sdk.Role) string { return string(role) + "\n" }

// turn encodes one turn, up to and with its end token; from is where its text starts.
func (t *Tokenizer) turn(turn sdk.Turn) (from int, ids []int32, err error) {
	if t.chat.start < 0 {
		return 0, nil, ErrTemplate
	}
	switch turn.Role {
	case sdk.RoleSystem, sdk.RoleUser, sdk.RoleAssistant, sdk.RoleTool:
	default:
		return 0, nil, fmt.Errorf("role %q is not known", turn.Role)
	}
	head := t.Encode(header(turn.Role))
	body := t.Encode(header(turn.Role) + strings.TrimFunc(turn.Text, pythonSpace))
	if len(body) < len(head) || !slices.Equal(body[:len(head)], head) {
		return 0, nil, errors.New("the tokenizer joins the header with the text")
	}
	ids = slices.Concat([]int32{t.chat.start}, body, []int32{t.chat.end})
	return 1 + len(head), ids, nil
}

// pythonSpace is what Python's str.strip, and so Jinja's trim, takes for white space.
func pythonSpace(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f }

// readTemplate takes the chat template from its own file or else from tokenizer_config.json.
func (t *Tokenizer) readTemplate(inConfig json.RawMessage, vocab map[string]int32) error {
	t.template = string(t.files.template)
	if t.files.template == nil && len(inConfig) > 0 {
		var err error
		if t.template, err = templateOf(inConfig); err != nil {
			return fmt.Errorf("tokenizer_config.json: chat_template: %w", err)
		}
	}
	t.chat = chatTokens{-1, -1}
	if t.template != chatTemplate {
		return nil
	}
	start, okStart := vocab[startToken]
	end, okEnd := vocab[endToken]
	if !okStart || !okEnd {
		return fmt.Errorf("chat_template: %s or %s is not in the vocabulary", startToken, endToken)
	}
	t.chat = chatTokens{start, end}
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
