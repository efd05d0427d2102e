package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/carebot-llm/carebot/host/internal/jinja"
	"github.com/carebot-llm/carebot/sdk"
)

// A templateChat renders a template of others and encodes the text with its special tokens.
type templateChat struct {
	tok      *Tokenizer
	template *jinja.Template
	names    map[string]string // of special tokens, such as bos_token
	end      int32             // that ends an answer, none if there is none
}

// templateNames are the special tokens that the files name: a template knows them under the same names.
func (t *Tokenizer) templateNames() (map[string]string, error) {
	names := map[string]string{}
	usual := map[string]string{"bos_token": t.names.bos, "eos_token": t.names.eos, "pad_token": t.names.pad}
	for key, name := range usual {
		if name != "" {
			names[key] = name
		}
	}
	keys := []string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}
	for _, raw := range [][]byte{t.files.special, t.files.config} {
		var all map[string]json.RawMessage
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &all); err != nil {
				return nil, err
			}
		}
		for _, key := range keys {
			var name *tokenName
			if err := json.Unmarshal(all[key], &name); err == nil && name != nil {
				names[key] = string(*name)
			}
		}
	}
	return names, nil
}

// clock is what templates read that write the date: the time of SOURCE_DATE_EPOCH, so that a run can be repeated, or
// else the present.
func clock() (func() time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Now, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH is no number of seconds: %q", text)
	}
	return func() time.Time { return time.Unix(seconds, 0).UTC() }, nil
}

var errMixed = errors.New("plain text among the turns of a chat is for our own template only")

// text fills the template.
func (c *templateChat) text(messages []*jinja.Object, tools []any, generate bool) (jinja.Rendered, error) {
	if len(messages) == 0 {
		return jinja.Rendered{}, errors.New("there are no turns")
	}
	all := make([]any, len(messages))
	for i, m := range messages {
		if all[i] = m; role(m) == sdk.RoleRaw {
			return jinja.Rendered{}, errMixed
		}
	}
	var values jinja.Object
	values.Set("messages", all)
	values.Set("tools", nil)
	if len(tools) > 0 {
		values.Set("tools", tools)
	}
	values.Set("documents", nil)
	values.Set("add_generation_prompt", generate)
	for key, name := range c.names {
		values.Set(key, name)
	}
	return c.template.Render(&values)
}

func (c *templateChat) prompt(messages []*jinja.Object, tools []any, generate bool) ([]int32, error) {
	out, err := c.text(messages, tools, generate)
	if err == nil && !generate {
		err = c.writesAll(messages, tools, out.Text)
	}
	if err != nil {
		return nil, err
	}
	return c.tok.EncodeAll(out.Text), nil
}

func (c *templateChat) endOfTurn() (int32, bool) { return c.end, c.end >= 0 }

// findEnd looks for the token that ends an answer in a small dialogue.
func (c *templateChat) findEnd() {
	c.end = none
	turns := []sdk.Turn{{Role: sdk.RoleUser, Text: "a"}, {Role: sdk.RoleAssistant, Text: "b"}}
	ids, answers, err := c.learned(messages(turns), nil, false)
	if err != nil || len(answers) != 1 {
		return
	}
	for _, id := range ids[answers[0].From:answers[0].To] {
		if c.tok.isSpecial(id) {
			c.end = id
		}
	}
}

// learned finds what the assistant's turns learn: what the template's generation blocks write or else, when it has
// none, what each answer adds to the dialogue before it.
func (c *templateChat) learned(messages []*jinja.Object, tools []any, last bool) ([]int32, []Span, error) {
	if last {
		messages = untilLast(messages)
	}
	out, err := c.text(messages, tools, false)
	if err != nil {
		return nil, nil, err
	}
	if err := c.writesAll(messages, tools, out.Text); err != nil {
		return nil, nil, err
	}
	spans, err := c.spans(messages, tools, out, last)
	if err != nil {
		return nil, nil, err
	}
	ids := c.tok.EncodeAll(out.Text)
	answers, err := c.tok.locate(out.Text, ids, spans)
	if err != nil {
		return nil, nil, err
	}
	for i := range answers {
		if answers[i], err = c.closed(ids, answers[i], c.template.Marks()); err != nil {
			return nil, nil, err
		}
	}
	return ids, answers, nil
}

// BeyondText are the names under which a message has more than its text.
func BeyondText() (keys []string) {
	for _, p := range parts {
		keys = append(keys, p.keys...)
	}
	return keys
}

// parts are what a template may leave out of a dialogue: the names that a message has for it, none for the tools.
var parts = []struct {
	what string
	keys []string
}{
	{"tools", nil},
	{"calls of tools", []string{"tool_calls"}},
	{"reasoning", []string{"reasoning_content", "reasoning", "thinking"}},
}

// writesAll refuses a dialogue of which a part leaves no trace in its text.
func (c *templateChat) writesAll(messages []*jinja.Object, tools []any, text string) error {
	for _, p := range parts {
		less, fewer, there := messages, tools, len(tools) > 0
		if p.keys == nil {
			fewer = nil
		} else {
			less, there = lacking(messages, p.keys)
		}
		if !there {
			continue
		}
		if out, err := c.text(less, fewer, false); err == nil && out.Text == text {
			return fmt.Errorf("the dialogue has %s, which the model's chat template does not write", p.what)
		}
	}
	return nil
}

// spans are the stretches of a rendered dialogue that are learned.
func (c *templateChat) spans(
	messages []*jinja.Object, tools []any, out jinja.Rendered, last bool,
) ([]jinja.Span, error) {
	all := out.Generated
	if !c.template.Marks() {
		return c.added(messages, tools, out.Text, last)
	}
	if last && len(all) > 1 {
		all = all[len(all)-1:]
	}
	return all, nil
}

// added are the stretches that answers add to a text. Each must stay as it is when the dialogue goes on: a template
// that rewrites what was said is refused.
func (c *templateChat) added(messages []*jinja.Object, tools []any, whole string, last bool) ([]jinja.Span, error) {
	var spans []jinja.Span
	for i, m := range messages {
		if role(m) != sdk.RoleAssistant || last && i < len(messages)-1 {
			continue
		}
		s, err := c.addedBy(messages[:i+1], tools, whole)
		if err != nil {
			return nil, fmt.Errorf("turn %d: %w", i, err)
		}
		spans = append(spans, s)
	}
	return spans, nil
}

// addedBy is the stretch of the last message, an answer: from where it departs from the prompt by which it would have
// been generated. whole is the text of the dialogue as it goes on.
func (c *templateChat) addedBy(messages []*jinja.Object, tools []any, whole string) (s jinja.Span, err error) {
	before, err := c.text(messages[:len(messages)-1], tools, false)
	if err != nil {
		return s, fmt.Errorf("what is before the answer can't be rendered: %w", err)
	}
	prompt, err := c.text(messages[:len(messages)-1], tools, true)
	if err != nil {
		return s, fmt.Errorf("the prompt for the answer can't be rendered: %w", err)
	}
	after, err := c.text(messages, tools, false)
	if err != nil {
		return s, err
	}
	from := commonPrefix(prompt.Text, after.Text)
	if from < len(before.Text) || !strings.HasPrefix(whole, after.Text) {
		return s, errRewrites
	}
	return jinja.Span{From: from, To: len(after.Text)}, nil
}

// commonPrefix is the length of what two texts begin with, in whole characters.
func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && n < len(b) && !utf8.RuneStart(b[n]) {
		n--
	}
	return n
}

// errRewrites is about templates such as those that leave out earlier reasoning.
var errRewrites = errors.New("the template rewrites earlier turns when the dialogue goes on, and has no generation " +
	"blocks that say what an answer is: give it such blocks, or learn only the last answers (learn: last)")

// closed sees that a stretch ends with the special token that ends the answer, so that the model learns to stop. One
// right behind the stretch is taken in. White space behind it is left out, unless the template marks it.
func (c *templateChat) closed(ids []int32, s Span, marked bool) (Span, error) {
	for to := s.To; to > s.From; to-- {
		if c.tok.isSpecial(ids[to-1]) && marked {
			return s, nil
		}
		if c.tok.isSpecial(ids[to-1]) {
			return Span{s.From, to}, nil
		}
		if strings.TrimFunc(c.tok.DecodeAll(ids[to-1:to]), pythonSpace) != "" {
			break
		}
	}
	if s.To < len(ids) && c.tok.isSpecial(ids[s.To]) {
		return Span{s.From, s.To + 1}, nil
	}
	return s, errors.New("the template ends an answer with no special token: the model would never learn to stop")
}

func (t *Tokenizer) isSpecial(id int32) bool { return t.special[id] || id == t.eos }
