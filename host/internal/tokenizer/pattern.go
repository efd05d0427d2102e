package tokenizer

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

// A pattern is what Split and Replace look for: a regular expression or a text.
type pattern struct {
	Regex  *string
	String *string
}

// A match is where a pattern is found.
type match struct{ start, end int }

// A finderFunc returns the matches of a pattern in a text, which do not overlap, in order.
type finderFunc func(text string) []match

func (p *pattern) finder() (finderFunc, error) {
	switch {
	case p.Regex != nil && p.String == nil:
		return expression(*p.Regex)
	case p.String != nil && p.Regex == nil && *p.String != "":
		return literal(*p.String), nil
	}
	return nil, errors.New("pattern is neither a Regex nor a String that is not empty")
}

// literal finds a text that is not empty.
func literal(s string) finderFunc {
	return func(text string) (all []match) {
		for at := 0; ; {
			n := strings.Index(text[at:], s)
			if n < 0 {
				return all
			}
			all = append(all, match{at + n, at + n + len(s)})
			at += n + len(s)
		}
	}
}

// characters finds each character for which is holds.
func characters(is func(rune) bool) finderFunc {
	return func(text string) (all []match) {
		for i, r := range text {
			if is(r) {
				all = append(all, match{i, i + utf8.RuneLen(r)})
			}
		}
		return all
	}
}

// patience is how long a regular expression may work on one text. Those of tokenizers take milliseconds; dangerous
// refuses what takes exponential time, and this ends the rest.
const patience = 30 * time.Second

// expression finds any regular expression that translate takes, by a backtracking engine: the patterns of tokenizers
// look ahead.
func expression(expr string) (finderFunc, error) {
	translated, err := translate(expr)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", expr, err)
	}
	re, err := regexp2.Compile(translated)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", expr, err)
	}
	re.MatchTimeout = patience
	return func(text string) (all []match) {
		found, err := re.FindAllStringIndex(text, -1)
		if err != nil {
			panic(fmt.Sprintf("tokenizer: pattern %q on a text of %d bytes: %v", expr, len(text), err))
		}
		for _, m := range found {
			all = append(all, match{m[0], m[1]})
		}
		return all
	}, nil
}

// understood lists the syntax that means the same to the Hugging Face library's engine (Oniguruma) and to ours (.NET).
var understood = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`\\[pP]\{[A-Z][A-Za-z]*\}`,      // general categories and scripts
	`\\x\{[0-9A-Fa-f]{1,6}\}`,       // code points
	`\\[sSdDrntAz]`,                 // classes, controls, start and end of the text
	`\\[^0-9A-Za-z]`,                // escaped punctuation
	`\(\?(?:i\)|i:|:|=|!|<=|<!|>)`,  // groups and look-around
	`\(`, `\)`, `\|`, `\.`, `[?*+]`, // groups, any character, repetition
	`\{[0-9]+(?:,[0-9]*)?\}`, // counted repetition
	`\[\^?(?:\\[pP]\{[A-Z][A-Za-z]*\}|\\[sSdDrnt]|\\[^0-9A-Za-z]|[^\\\[\]])+\]`, // sets
	`[^\\\[\]{}()|.^$?*+]`, // a character
}, "|") + `)`)

// patternLimit bounds the length of a regular expression.
const patternLimit = 1 << 12

// translate writes an expression for our engine. It refuses what the two engines read differently, such as anchors, \w,
// nested sets and a count made possessive, and what can take exponential time.
func translate(expr string) (string, error) {
	if len(expr) > patternLimit {
		return "", fmt.Errorf("it is longer than %d bytes", patternLimit)
	}
	var out strings.Builder
	counted := false
	var nested nesting
	for rest := expr; rest != ""; {
		token := understood.FindString(rest)
		if token == "" || token[0] == '[' && strings.Contains(token, "&&") {
			return "", fmt.Errorf("%.8q is not understood", rest)
		}
		if token == "(" && strings.HasPrefix(rest, "(?") || counted && token == "+" {
			return "", fmt.Errorf("the group or possessive count at %.8q is not understood", rest)
		}
		if nested.dangerous(token, rest[len(token):]) {
			return "", fmt.Errorf("the group before %.8q repeats what matches in several ways, which can take forever",
				rest)
		}
		counted = strings.HasPrefix(token, "{")
		rest = rest[len(token):]
		renewed, err := renew(token)
		if err != nil {
			return "", err
		}
		out.WriteString(renewed)
	}
	return out.String(), nil
}

// classToken finds the classes of characters in a token.
var classToken = regexp.MustCompile(`\\(?:[pP]\{([A-Z][A-Za-z]*)\}|[dD]|.)`)

// renew gives the classes in a token the characters that our engine does not know yet.
func renew(token string) (renewed string, err error) {
	renewed = classToken.ReplaceAllStringFunc(token, func(class string) string {
		name := "Nd"
		switch class[1] {
		case 'p', 'P':
			name = class[3 : len(class)-1]
		case 'd', 'D':
		default:
			return class
		}
		if newer[name] == nil {
			err = fmt.Errorf("category or script %s is not known", name)
			return class
		}
		set := strings.ToLower(class[:2]) + class[2:] + newerRanges(name)
		switch {
		case class[1] >= 'a' && token[0] == '[':
			return set
		case class[1] >= 'a':
			return "[" + set + "]"
		case token[0] == '[':
			err = fmt.Errorf("%s in a set is not understood", class)
		}
		return "[^" + set + "]"
	})
	return renewed, err
}

// nesting follows the groups of a regular expression.
type nesting struct {
	open   []group
	closed group // the group that has just ended
	ended  bool
}

// group says of a group whether what is in it can match one text in several ways, and whether it is atomic.
type group struct{ ambiguous, atomic bool }

// dangerous says whether a token repeats an ambiguous group, which lets a backtracking engine try exponentially many
// ways. after is what follows it.
func (n *nesting) dangerous(token, after string) bool {
	before, ended := n.closed, n.ended
	n.ended = false
	here := &group{}
	if len(n.open) > 0 {
		here = &n.open[len(n.open)-1]
	}
	switch {
	case token[0] == '(' && token != "(?i)":
		n.open = append(n.open, group{atomic: token == "(?>"})
	case token == ")" && len(n.open) > 0:
		n.closed, n.ended = *here, true
		n.open = n.open[:len(n.open)-1]
		if len(n.open) > 0 {
			inner := n.closed.ambiguous && !n.closed.atomic
			outer := &n.open[len(n.open)-1]
			outer.ambiguous = outer.ambiguous || inner
		}
	case token == "|":
		here.ambiguous = true
	case strings.Contains("?*+", token) || token[0] == '{':
		fixed := token[0] == '{' && !strings.Contains(token, ",")
		here.ambiguous = here.ambiguous || !fixed && !strings.HasPrefix(after, "+")
		return ended && before.ambiguous && !before.atomic && token != "?"
	}
	return false
}
