package data

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// formatParts lists the parts of each format with the fields they are looked up in when the recipe does not say: the
// first that a record has.
var formatParts = map[string]map[string][]string{
	"text":     {"text": {"text"}},
	"rated":    {"text": {"text"}, "label": {"label"}},
	"messages": with(openAI, map[string][]string{"messages": {"messages"}}),
	"sharegpt": with(openAI, map[string][]string{"messages": {"conversations"}, "role": {"from"}, "content": {"value"}}),
	"alpaca": {
		"instruction": {"instruction"}, "input": {"input"}, "output": {"output"},
		"system": {"system"}, "history": {"history"}, "tools": {"tools"},
	},
	"completion": with(eitherRole, map[string][]string{"prompt": {"prompt"}, "completion": {"completion"}}),
	"prompt":     with(eitherRole, map[string][]string{"prompt": {"prompt"}}),
	"transcript": {"text": {"text", "dialogue", "dialog"}, "system": {"system"}},
	"preference": with(eitherRole, map[string][]string{
		"prompt": {"prompt", "conversations"}, "chosen": {"chosen"}, "rejected": {"rejected"},
	}),
	"labelled": with(eitherRole, map[string][]string{
		"messages": {"messages", "conversations"}, "prompt": {"prompt"}, "completion": {"completion"}, "label": {"label"},
	}),
	"choice": {"question": {"question"}, "options": {"options"}, "answer": {"answer"}},
}

// The parts of messages, and those beside them.
var (
	openAI     = map[string][]string{"role": {"role"}, "content": {"content"}, "system": {"system"}, "tools": {"tools"}}
	eitherRole = with(openAI, map[string][]string{"role": {"role", "from"}, "content": {"content", "value"}})
)

func with(parts, more map[string][]string) map[string][]string {
	all := maps.Clone(parts)
	maps.Copy(all, more)
	return all
}

// A layout finds the parts of a record in the fields of a row.
type layout struct {
	parts map[string][]string // fields of each part
	named map[string]bool     // parts whose fields the recipe names: all that a record has are joined
	found map[string]bool     // fields named by the recipe that some record had
	last  fields              // the newest row
}

func newLayout(ds recipe.Dataset) (*layout, error) {
	l := &layout{parts: map[string][]string{}, named: map[string]bool{}, found: map[string]bool{}}
	defaults, ok := formatParts[ds.Format]
	if !ok {
		known := slices.Sorted(maps.Keys(formatParts))
		return nil, fmt.Errorf("format %q is none of %s", ds.Format, strings.Join(known, ", "))
	}
	maps.Copy(l.parts, defaults)
	for _, part := range slices.Sorted(maps.Keys(ds.Fields)) {
		if _, ok := defaults[part]; !ok {
			return nil, fmt.Errorf("fields: format %s has no part %q%s", ds.Format, part,
				didYouMean(part, slices.Sorted(maps.Keys(defaults))))
		}
		l.parts[part], l.named[part] = ds.Fields[part], true
	}
	return l, nil
}

// values returns the values of a part's fields that the row has, null and empty ones left out.
func (l *layout) values(f fields, part string) []any {
	var all []any
	for _, name := range l.parts[part] {
		v, ok := f.get(name)
		l.found[name] = l.found[name] || ok
		if list, isList := v.([]any); !ok || v == nil || v == "" || isList && len(list) == 0 {
			continue
		}
		if all = append(all, v); !l.named[part] {
			break
		}
	}
	return all
}

// value returns the only value of a part, or the list of several; nil when the row has none.
func (l *layout) value(f fields, part string) any {
	switch all := l.values(f, part); len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	default:
		return all
	}
}

// text returns a part's text: its fields joined by line breaks, empty when the row has none.
func (l *layout) text(f fields, part string) (string, error) {
	text, err := textOf(l.values(f, part))
	if err != nil {
		return "", fmt.Errorf("%s (field %s): %w", part, strings.Join(l.parts[part], ", "), err)
	}
	return text, nil
}

// need is text of a part that every record must have.
func (l *layout) need(f fields, part string) (string, error) {
	text, err := l.text(f, part)
	if err == nil && text == "" {
		err = l.missing(f, part)
	}
	return text, err
}

// missing says that a row lacks a part, and what it has instead.
func (l *layout) missing(f fields, part string) error {
	for _, name := range l.parts[part] {
		if _, ok := f.get(name); ok {
			return fmt.Errorf("%s (field %s) is empty", part, name)
		}
	}
	const shown = 12
	names := f.names()
	if len(names) > shown {
		names = append(names[:shown:shown], "...")
	}
	return fmt.Errorf("no %s: none of the fields %s is there, but %s",
		part, strings.Join(l.parts[part], ", "), strings.Join(names, ", "))
}

// unused reports fields that the recipe names and no record had: a misspelt name would leave them out of every record
// silently.
func (l *layout) unused() error {
	var errs []error
	for _, part := range slices.Sorted(maps.Keys(l.named)) {
		for _, name := range l.parts[part] {
			if !l.found[name] {
				errs = append(errs, fmt.Errorf("fields: no record has %q, a field of part %s%s", name, part,
					didYouMean(name, l.last.names())))
			}
		}
	}
	return errors.Join(errs...)
}
