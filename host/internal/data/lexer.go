package data

import (
	"fmt"
	"regexp"
	"strings"
)

// A token of an expression. Its kind is the operator or word itself, or one of name, number, quantile and end.
type token struct {
	kind, text string
	column     int // counted from 1
}

const (
	nameToken     = "name"
	numberToken   = "number"
	quantileToken = "quantile"
	endToken      = "end"
)

// maxExpr bounds the length of an expression, in bytes, and maxNesting its parentheses and nots.
const (
	maxExpr    = 4096
	maxNesting = 64
)

// tokenForms are tried in this order. A quantile is written q05(name); a name may hold dots and hyphens.
var tokenForms = []struct {
	kind string
	form *regexp.Regexp
}{
	{quantileToken, regexp.MustCompile(`^q([0-9]{2})\(\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\)`)},
	{"operator", regexp.MustCompile(`^(>=|<=|==|!=|>|<|\(|\))`)},
	{numberToken, regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?`)},
	{nameToken, regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*`)},
}

// lex splits an expression into tokens, the last of kind end.
func lex(text string) ([]token, error) {
	if len(text) > maxExpr {
		return nil, fmt.Errorf("expression is longer than %d bytes", maxExpr)
	}
	var all []token
	at := 0
	for {
		at += len(text[at:]) - len(strings.TrimLeft(text[at:], " \t\r\n"))
		if at == len(text) {
			return append(all, token{kind: endToken, text: "the end", column: at + 1}), nil
		}
		t, ok := nextToken(text[at:])
		if !ok {
			return nil, fmt.Errorf("column %d: %q is not part of an expression", at+1, []rune(text[at:])[0])
		}
		t.column = at + 1
		all = append(all, t)
		at += len(t.text)
	}
}

func nextToken(text string) (token, bool) {
	for _, f := range tokenForms {
		found := f.form.FindString(text)
		if found == "" {
			continue
		}
		t := token{kind: f.kind, text: found}
		if f.kind == "operator" || found == "and" || found == "or" || found == "not" {
			t.kind = found
		}
		return t, true
	}
	return token{}, false
}
