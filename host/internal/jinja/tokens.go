package jinja

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	floatPattern = regexp.MustCompile(`^(?i)(\d+_)*\d+((\.(\d+_)*\d+)?e[+\-]?(\d+_)*\d+|\.(\d+_)*\d+)`)
	intPattern   = regexp.MustCompile(`^(?i)(0b(_?[01])+|0o(_?[0-7])+|0x(_?[\da-f])+|[1-9](_?\d)*|0(_?0)*)`)
)

// operators, those of two characters first.
var operators = []string{
	"//", "**", "==", "!=", ">=", "<=",
	"+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";",
}

// token reads one token within a tag.
func (l *lexer) token() {
	rest := l.rest()
	switch c := rest[0]; {
	case '0' <= c && c <= '9':
		l.number(rest[:run(rest, func(c byte) bool { return wordByte(c) || c == '.' || c == '+' || c == '-' })])
	case wordByte(c):
		n := run(rest, wordByte)
		l.add("name", rest[:n], nil)
		l.advance(n)
	case c == '\'' || c == '"':
		l.quoted(c)
	default:
		l.operator()
	}
}

func wordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// run is how many bytes at the start of s are of a kind.
func run(s string, kind func(c byte) bool) int {
	n := 0
	for n < len(s) && kind(s[n]) {
		n++
	}
	return n
}

// number reads the number at the start of s.
func (l *lexer) number(s string) {
	if m := floatPattern.FindString(s); m != "" && l.src[l.pos-1] != '.' {
		l.float(m)
		return
	}
	l.integer(intPattern.FindString(s))
}

func (l *lexer) float(text string) {
	v, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if err != nil && !math.IsInf(v, 0) {
		fail(l.line, "number %s: %w", text, err)
	}
	l.add("float", text, v)
	l.advance(len(text))
}

func (l *lexer) integer(text string) {
	v, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 0, 64)
	if err != nil {
		unsupported(l.line, "the number %s is beyond 64 bits", text)
	}
	l.add("int", text, int(v))
	l.advance(len(text))
}

func (l *lexer) operator() {
	rest := l.rest()
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			l.balance(op)
			l.add(op, "", nil)
			l.advance(len(op))
			return
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	if r >= utf8.RuneSelf {
		unsupported(l.line, "the character %q outside strings", r)
	}
	fail(l.line, "the character %q is not expected", r)
}

// balance keeps track of brackets.
func (l *lexer) balance(op string) {
	closes := map[string]byte{"{": '}', "(": ')', "[": ']'}
	if c, ok := closes[op]; ok {
		l.open = append(l.open, c)
		return
	}
	if op != "}" && op != ")" && op != "]" {
		return
	}
	if len(l.open) == 0 || l.open[len(l.open)-1] != op[0] {
		fail(l.line, "%q closes nothing", op)
	}
	l.open = l.open[:len(l.open)-1]
}

// quoted reads a string.
func (l *lexer) quoted(quote byte) {
	rest := l.rest()
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case quote:
			l.add("string", l.unescaped(rest[1:i]), nil)
			l.advance(i + 1)
			return
		}
	}
	fail(l.line, "a string has no end")
}

var simpleEscapes = map[byte]string{
	'\\': "\\", '\'': "'", '"': "\"", '\n': "",
	'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
}

// unescaped is a string as Python's unicode-escape reads it.
func (l *lexer) unescaped(s string) string {
	var out strings.Builder
	for s != "" {
		if s[0] != '\\' {
			n := strings.IndexByte(s, '\\')
			if n < 0 {
				n = len(s)
			}
			out.WriteString(s[:n])
			s = s[n:]
			continue
		}
		text, n := l.escape(s[1:])
		out.WriteString(text)
		s = s[1+n:]
	}
	return out.String()
}

// escape reads what follows a backslash: its text and its length.
func (l *lexer) escape(s string) (text string, n int) {
	if text, ok := simpleEscapes[s[0]]; ok {
		return text, 1
	}
	switch c := s[0]; {
	case c == 'x':
		return l.code(s, 1, 2, 16)
	case c == 'u':
		return l.code(s, 1, 4, 16)
	case c == 'U':
		return l.code(s, 1, 8, 16)
	case '0' <= c && c <= '7':
		for n = 1; n < 3 && n < len(s) && '0' <= s[n] && s[n] <= '7'; n++ {
		}
		return l.code(s, 0, n, 8)
	case c == 'N' || c >= utf8.RuneSelf:
		unsupported(l.line, "the escape \\%s in a string", s[:1])
	}
	return "\\", 0
}

func (l *lexer) code(s string, from, digits, base int) (string, int) {
	if len(s) < from+digits {
		fail(l.line, "the escape \\%s in a string is cut short", s)
	}
	n, err := strconv.ParseUint(s[from:from+digits], base, 32)
	if err != nil || n > utf8.MaxRune {
		fail(l.line, "the escape \\%s in a string is wrong", s[:from+digits])
	}
	if !utf8.ValidRune(rune(n)) {
		unsupported(l.line, "half of a surrogate pair, \\%s, in a string", s[:from+digits])
	}
	return string(rune(n)), from + digits
}
