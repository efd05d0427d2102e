package data

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// buildChoice reads a question, its options and the right one.
func (p *parser) buildChoice(f fields, rec *Record) (err error) {
	if rec.Question, err = p.layout.need(f, "question"); err != nil {
		return err
	}
	if rec.Options, err = p.options(f); err != nil {
		return err
	}
	answer := p.layout.value(f, "answer")
	if answer == nil {
		return p.layout.missing(f, "answer")
	}
	rec.Answer, err = answerOf(answer, rec.Options, p.ds.AnswerBase)
	return err
}

// options reads an object by its sorted keys, a list, one text with lettered lines, or one field for each option.
func (p *parser) options(f fields) ([]string, error) {
	var values []any
	switch v := p.layout.value(f, "options").(type) {
	case nil:
		return nil, p.layout.missing(f, "options")
	case []any:
		values = v
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			values = append(values, v[key])
		}
	case string:
		for _, option := range splitLettered(clean(v)) {
			values = append(values, option)
		}
	}
	if n := len(p.layout.parts["options"]); n > 1 && len(values) != n {
		return nil, fmt.Errorf("%d of %d options are there", len(values), n)
	}
	return optionTexts(values)
}

const maxOptions = 26 // as many as there are letters

func optionTexts(values []any) ([]string, error) {
	for n := len(values); n > 0 && (values[n-1] == nil || values[n-1] == ""); n-- {
		values = values[:n-1] // a fifth option that only some questions have
	}
	if len(values) < 2 || len(values) > maxOptions {
		return nil, fmt.Errorf("%d options, want 2 to %d", len(values), maxOptions)
	}
	options := make([]string, len(values))
	for i, v := range values {
		var err error
		if options[i], err = textOf(v); err != nil {
			return nil, fmt.Errorf("option %d: %w", i+1, err)
		}
	}
	options = withoutLetters(options)
	if slices.Contains(options, "") {
		return nil, errors.New("an option is empty")
	}
	return options, nil
}

// lettered is an option with its letter: "(A) text", "A. text", "A) text", "A、text", "A：text".
var lettered = regexp.MustCompile(`^(?:[(（]([A-Z])[)）]|([A-Z])[.)．、:：)）])\s*`)

// letterOf returns the index of the letter that an option begins with, and the text after it.
func letterOf(option string) (index int, text string, ok bool) {
	m := lettered.FindStringSubmatch(option)
	if m == nil {
		return 0, option, false
	}
	return int((m[1] + m[2])[0] - 'A'), option[len(m[0]):], true
}

// withoutLetters removes the letters when all options have theirs.
func withoutLetters(options []string) []string {
	bare := make([]string, len(options))
	for i, option := range options {
		index, text, ok := letterOf(option)
		if !ok || index != i {
			return options
		}
		bare[i] = text
	}
	return bare
}

// splitLettered splits at the lines that begin with the next letter; other lines go on with their option.
func splitLettered(text string) []string {
	var options []string
	for line := range strings.SplitSeq(text, "\n") {
		index, _, ok := letterOf(line)
		if (ok && index == len(options)) || len(options) == 0 {
			options = append(options, line)
		} else {
			options[len(options)-1] += "\n" + line
		}
	}
	return options
}

var answerLetter = regexp.MustCompile(`^[(（]?([A-Za-z])[)）]?[.．]?$`)

// answerOf finds the index of the right option: a number counts from base; text is a letter, the text of an option or
// digits.
func answerOf(v any, options []string, base int) (int, error) {
	text, err := textOf(v)
	if err != nil {
		return 0, fmt.Errorf("answer: %w", err)
	}
	if m := answerLetter.FindStringSubmatch(text); m != nil {
		return within(int(strings.ToUpper(m[1])[0]-'A'), options, text)
	}
	number, isIndex := wholeNumber(text)
	number -= base
	index := slices.Index(options, text)
	switch {
	case isIndex && (isNumber(v) || index < 0):
		return within(number, options, text)
	case index < 0:
		return 0, fmt.Errorf("answer %q is no letter, number or text of an option", text)
	case isIndex && number != index && number >= 0 && number < len(options):
		return 0, fmt.Errorf("answer %q can be the text of an option or the number of another", text)
	}
	return index, nil
}

func wholeNumber(text string) (int, bool) {
	number, err := strconv.ParseFloat(text, 64)
	return int(number), err == nil && number == math.Trunc(number) && math.Abs(number) < 1<<31
}

func within(index int, options []string, text string) (int, error) {
	if index < 0 || index >= len(options) {
		return 0, fmt.Errorf("answer %q is none of the %d options", text, len(options))
	}
	return index, nil
}
