package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
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

// render fills the template with turns.
func (c *templateChat) render(turns []sdk.Turn, generate bool) (jinja.Rendered, error) {
	return c.fill(messages(turns), nil, generate)
}

func (c *templateChat) fill(messages []any, tools any, generate bool) (jinja.Rendered, error) {
	var values jinja.Object
	values.Set("messages", messages)
	values.Set("tools", tools)
	values.Set("documents", nil)
	values.Set("add_generation_prompt", generate)
	for key, name := range c.names {
		values.Set(key, name)
	}
	return c.template.Render(&values)
}

func messages(turns []sdk.Turn) []any {
	all := make([]any, len(turns))
	for i, turn := range turns {
		var m jinja.Object
		m.Set("role", string(turn.Role))
		m.Set("content", strings.ToValidUTF8(turn.Text, "\uFFFD"))
		all[i] = &m
	}
	return all
}

var errMixed = errors.New("plain text among the turns of a chat is for our own template only")

func (c *templateChat) text(turns []sdk.Turn, generate bool) (jinja.Rendered, error) {
	if slices.ContainsFunc(turns, func(t sdk.Turn) bool { return t.Role == sdk.RoleRaw }) {
		return jinja.Rendered{}, errMixed
	}
	if len(turns) == 0 {
		return jinja.Rendered{}, errors.New("there are no turns")
	}
	return c.render(turns, generate)
}

func (c *templateChat) prompt(turns []sdk.Turn, generate bool) ([]int32, error) {
	out, err := c.text(turns, generate)
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
	ids, answers, err := c.learned(turns)
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
func (c *templateChat) learned(turns []sdk.Turn) ([]int32, []Span, error) {
	out, err := c.text(turns, false)
	if err != nil {
		return nil, nil, err
	}
	marked := c.template.Marks()
	spans := out.Generated
	if !marked {
		if spans, err = c.added(turns, out.Text); err != nil {
			return nil, nil, err
		}
	}
	ids := c.tok.EncodeAll(out.Text)
	answers, err := c.tok.locate(out.Text, ids, spans)
	if err != nil {
		return nil, nil, err
	}
	for i := range answers {
		if answers[i], err = c.closed(ids, answers[i], marked); err != nil {
			return nil, nil, err
		}
	}
	return ids, answers, nil
}

// added are the stretches that answers add to a text. Each must stay as it is when the dialogue goes on: a template
// that rewrites what was said is refused.
func (c *templateChat) added(turns []sdk.Turn, whole string) ([]jinja.Span, error) {
	var spans []jinja.Span
	for i, turn := range turns {
		if turn.Role != sdk.RoleAssistant {
			continue
		}
		s, err := c.addedBy(turns[:i+1], whole)
		if err != nil {
			return nil, fmt.Errorf("turn %d: %w", i, err)
		}
		spans = append(spans, s)
	}
	return spans, nil
}

// addedBy is the stretch of the last turn, an answer: from where it departs from the prompt by which it would have been
// generated. whole is the text of the dialogue as it goes on.
func (c *templateChat) addedBy(turns []sdk.Turn, whole string) (s jinja.Span, err error) {
	before, err := c.text(turns[:len(turns)-1], false)
	if err != nil {
		return s, fmt.Errorf("what is before the answer can't be rendered: %w", err)
	}
	prompt, err := c.text(turns[:len(turns)-1], true)
	if err != nil {
		return s, fmt.Errorf("the prompt for the answer can't be rendered: %w", err)
	}
	after, err := c.text(turns, false)
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
	"blocks that say what an answer is: give it such blocks, or learn all tokens")

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
