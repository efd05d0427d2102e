package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/jinja"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
	"github.com/carebot-llm/carebot/sdk"
)

// Whole is a dialogue as chat templates see it, as JSON, where its turns of text do not say all: a list of messages,
// and one of tools, which may be empty.
type Whole struct{ Messages, Tools string }

// read is the dialogue for a template.
func (w Whole) read() (messages []*jinja.Object, tools []any, err error) {
	all, err := jinja.FromJSON([]byte(w.Messages))
	if err != nil {
		return nil, nil, err
	}
	list, _ := all.([]any)
	for _, v := range list {
		m, ok := v.(*jinja.Object)
		if !ok {
			return nil, nil, errors.New("a message is no object")
		}
		messages = append(messages, m)
	}
	if w.Tools != "" {
		all, err = jinja.FromJSON([]byte(w.Tools))
		tools, _ = all.([]any)
	}
	return messages, tools, err
}

// Chat renders a record's dialogue by the chat template.
func (r *Record) Chat(t Tokenizer) ([]int32, error) {
	if r.Whole.Messages == "" {
		return t.Chat(r.Turns, false)
	}
	messages, tools, err := r.Whole.read()
	if err != nil {
		return nil, err
	}
	return t.ChatMessages(messages, tools, false)
}

// Learned is Chat with what the assistant's turns learn, or the last of them alone.
func (r *Record) Learned(t Tokenizer, last bool) ([]int32, []tokenizer.Span, error) {
	if r.Whole.Messages == "" {
		return t.Learned(r.Turns, last)
	}
	messages, tools, err := r.Whole.read()
	if err != nil {
		return nil, nil, err
	}
	return t.LearnedMessages(messages, tools, last)
}

// beyondText are the parts of a message that its text does not have.
var beyondText = tokenizer.BeyondText()

// beyond says whether a dialogue has more than turns of text.
func (p *parser) beyond(f fields, list []any) bool {
	return p.layout.hasTools(f) || slices.ContainsFunc(list, func(v any) bool {
		m, _ := v.(map[string]any)
		return slices.ContainsFunc(beyondText, func(part string) bool { return !isEmpty(m[part]) })
	})
}

// hasTools says whether a record describes tools.
func (l *layout) hasTools(f fields) bool {
	v := l.value(f, "tools")
	return v != nil && v != "[]"
}

func isEmpty(v any) bool {
	list, isList := v.([]any)
	return v == nil || v == "" || isList && len(list) == 0
}

// buildWhole reads a dialogue of which a chat template writes more than text: its messages stay as they are, but for
// the names of roles and contents. Its turns are their texts, or the calls of tools where there is none.
func (p *parser) buildWhole(f fields, rec *Record) error {
	v, err := p.ordered(f, "messages")
	if err != nil {
		return err
	}
	list, ok := v.([]any)
	if !ok {
		return errors.New("messages are not a list")
	}
	messages, err := p.wholeMessages(f, list)
	if err != nil {
		return err
	}
	var turns []sdk.Turn
	for _, m := range messages {
		turn, err := turnOf(m.(*jinja.Object))
		if err != nil {
			return err
		}
		turns = append(turns, turn)
	}
	if rec.Whole.Messages, err = asJSON(messages); err != nil {
		return err
	}
	if rec.Whole.Tools, err = p.tools(f); err != nil {
		return fmt.Errorf("tools: %w", err)
	}
	return rec.setTurns(turns)
}

func (p *parser) wholeMessages(f fields, list []any) (all []any, err error) {
	system, err := p.layout.text(f, "system")
	if err != nil {
		return nil, err
	}
	if system != "" {
		m := &jinja.Object{}
		m.Set("role", string(sdk.RoleSystem))
		m.Set("content", system)
		all = append(all, m)
	}
	for i, v := range list {
		m, ok := v.(*jinja.Object)
		if !ok {
			return nil, fmt.Errorf("turn %d: is not an object", i+1)
		}
		if m, err = p.wholeMessage(m); err != nil {
			return nil, fmt.Errorf("turn %d: %w", i+1, err)
		}
		all = append(all, m)
	}
	return all, nil
}

// wholeMessage gives a message the names that templates know.
func (p *parser) wholeMessage(m *jinja.Object) (*jinja.Object, error) {
	roleKeys, contentKeys := p.layout.parts["role"], p.layout.parts["content"]
	name, _ := firstOf(m, roleKeys).(string)
	role, ok := p.roles[name]
	if !ok {
		return nil, fmt.Errorf("role %q is not known", name)
	}
	made := &jinja.Object{}
	made.Set("role", string(role))
	made.Set("content", firstOf(m, contentKeys))
	for _, key := range m.Keys() {
		if v, _ := m.Get(key); v != nil && !slices.Contains(roleKeys, key) && !slices.Contains(contentKeys, key) {
			made.Set(key, v)
		}
	}
	if name == "function_call" {
		return made, calls(made)
	}
	if text, ok := firstOf(made, []string{"tool_calls"}).(string); ok {
		v, err := jinja.FromJSON([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("tool_calls: %w", err)
		}
		made.Set("tool_calls", v)
	}
	if old, _ := made.Get("function_call"); old != nil {
		return nil, errors.New("function_call is not supported: write it as tool_calls, as chat templates read it")
	}
	tokenizer.OpenCalls(made)
	return made, nil
}

// calls makes of a ShareGPT turn that calls tools, whose text is JSON, a message with tool_calls.
func calls(m *jinja.Object) error {
	content, _ := m.Get("content")
	text, _ := content.(string)
	v, err := jinja.FromJSON([]byte(text))
	if err != nil {
		return fmt.Errorf("the turn of role function_call is no JSON: %w", err)
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	m.Set("content", "")
	m.Set("tool_calls", wrapped(list))
	tokenizer.OpenCalls(m)
	return nil
}

// wrapped puts bare functions, as ShareGPT has them, into objects of type function, as templates want them.
func wrapped(list []any) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = v
		o, ok := v.(*jinja.Object)
		if !ok {
			continue
		}
		if kind, _ := o.Get("type"); kind == "function" {
			continue
		}
		outer := &jinja.Object{}
		outer.Set("type", "function")
		outer.Set("function", o)
		all[i] = outer
	}
	return all
}

// tools is the list of tools that a record describes, as JSON; empty when there is none.
func (p *parser) tools(f fields) (string, error) {
	if !p.layout.hasTools(f) {
		return "", nil
	}
	v, err := p.ordered(f, "tools")
	if text, ok := v.(string); ok && err == nil {
		v, err = jinja.FromJSON([]byte(text))
	}
	list, ok := v.([]any)
	if err == nil && !ok {
		err = errors.New("is no list")
	}
	if err != nil {
		return "", err
	}
	if p.ds.Format == "sharegpt" {
		list = wrapped(list)
	}
	return asJSON(list)
}

func asJSON(v []any) (string, error) {
	text, err := jinja.ToJSON(v)
	return string(text), err
}

// turnOf is the text of a message.
func turnOf(m *jinja.Object) (sdk.Turn, error) {
	role, _ := m.Get("role")
	content, _ := m.Get("content")
	var parts []any
	switch v := content.(type) {
	case nil:
	case []any:
		for _, part := range v {
			if o, ok := part.(*jinja.Object); ok {
				part, _ = o.Get("text")
			}
			parts = append(parts, part)
		}
	default:
		parts = []any{v}
	}
	text, err := textOf(parts)
	if calls, _ := m.Get("tool_calls"); text == "" && calls != nil && err == nil {
		var raw []byte
		raw, err = jinja.ToJSON(calls)
		text = string(raw)
	}
	return sdk.Turn{Role: sdk.Role(role.(string)), Text: text}, err
}

// firstOf is the first value that is there under one of the keys.
func firstOf(m *jinja.Object, keys []string) any {
	for _, key := range keys {
		if v, _ := m.Get(key); v != nil {
			return v
		}
	}
	return nil
}

// ordered is the value of a part with the keys of its objects in the order of the file, which templates write.
func (p *parser) ordered(f fields, part string) (any, error) {
	if p.text == nil {
		return flat(p.layout.value(f, part), part == "messages")
	}
	for _, path := range p.layout.parts[part] {
		raw := json.RawMessage(p.text)
		for step := range strings.SplitSeq(path, ".") {
			var o map[string]json.RawMessage
			if err := json.Unmarshal(raw, &o); err != nil {
				return nil, fmt.Errorf("%s (field %s): %w", part, path, err)
			}
			raw = o[step]
		}
		if len(raw) == 0 {
			continue
		}
		if v, err := jinja.FromJSON(raw); err != nil || !isEmpty(v) {
			return v, err
		}
	}
	return nil, p.layout.missing(f, part)
}

// flat is a value of Parquet or Arrow, which have lost the order of keys and filled objects up with nulls: messages may
// hold text and lists of it, and what lies deeper must be JSON in text.
func flat(v any, objects bool) (any, error) {
	switch v := v.(type) {
	case []any:
		all := make([]any, len(v))
		var errs error
		for i := range v {
			var err error
			all[i], err = flat(v[i], objects)
			errs = errors.Join(errs, err)
		}
		return all, errs
	case map[string]any:
		if !objects {
			return nil, errors.New("in Parquet and Arrow files tools and tool_calls must be JSON in text")
		}
		o := &jinja.Object{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			value, err := flat(v[key], false)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			o.Set(key, value)
		}
		return o, nil
	case nil, bool, string:
		return v, nil
	}
	return jinja.FromJSON(fmt.Append(nil, v))
}
