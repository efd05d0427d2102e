package tokenizer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/carebot-llm/carebot/host/internal/jinja"
	"github.com/carebot-llm/carebot/sdk"
)

// chatTemplate is the template of our own models, in Jinja as Hugging Face transformers renders it. ownChat renders the
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

// An ownChat renders chatTemplate token by token, so that the text of a special token within a turn stays text.
type ownChat struct {
	tok        *Tokenizer
	start, end int32
}

func (c ownChat) prompt(messages []*jinja.Object, tools []any, generate bool) ([]int32, error) {
	ids, _, err := c.learned(messages, tools, false)
	if err == nil && generate {
		ids = append(append(ids, c.start), c.tok.Encode(header(sdk.RoleAssistant))...)
	}
	return ids, err
}

func (c ownChat) learned(messages []*jinja.Object, tools []any, last bool) (ids []int32, answers []Span, err error) {
	if len(tools) > 0 {
		return nil, nil, errors.New("the model's chat template takes no tools")
	}
	if last {
		messages = untilLast(messages)
	}
	for i, m := range messages {
		from, all, err := c.message(m)
		if err != nil {
			return nil, nil, fmt.Errorf("turn %d: %w", i, err)
		}
		if role(m) == sdk.RoleAssistant {
			answers = append(answers, Span{len(ids) + from, len(ids) + len(all)})
		}
		if ids = append(ids, all...); role(m) != sdk.RoleRaw {
			ids = append(ids, c.tok.Encode("\n")...)
		}
	}
	if last && len(answers) > 1 {
		answers = answers[len(answers)-1:]
	}
	return ids, answers, nil
}

// message encodes a turn, or plain text; from is where its text starts.
func (c ownChat) message(m *jinja.Object) (from int, ids []int32, err error) {
	if content, _ := m.Get("content"); content != text(m) {
		return 0, nil, errors.New("the model's chat template takes text alone")
	}
	for _, p := range parts {
		if _, there := lacking([]*jinja.Object{m}, p.keys); there {
			return 0, nil, fmt.Errorf("the model's chat template takes no %s", p.what)
		}
	}
	if role(m) == sdk.RoleRaw {
		return 0, c.tok.Encode(text(m)), nil
	}
	return c.turn(sdk.Turn{Role: role(m), Text: text(m)})
}

func (c ownChat) endOfTurn() (int32, bool) { return c.end, true }

func header(role sdk.Role) string { return string(role) + "\n" }

// turn encodes one turn, up to and with its end token; from is where its text starts.
func (c ownChat) turn(turn sdk.Turn) (from int, ids []int32, err error) {
	switch turn.Role {
	case sdk.RoleSystem, sdk.RoleUser, sdk.RoleAssistant, sdk.RoleTool:
	default:
		return 0, nil, fmt.Errorf("role %q is not known", turn.Role)
	}
	head := c.tok.Encode(header(turn.Role))
	body := c.tok.Encode(header(turn.Role) + strings.TrimFunc(turn.Text, pythonSpace))
	if len(body) < len(head) || !slices.Equal(body[:len(head)], head) {
		return 0, nil, errors.New("the tokenizer joins the header with the text")
	}
	ids = slices.Concat([]int32{c.start}, body, []int32{c.end})
	return 1 + len(head), ids, nil
}

// pythonSpace is what Python's str.strip, and so Jinja's trim, takes for white space.
func pythonSpace(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f }
