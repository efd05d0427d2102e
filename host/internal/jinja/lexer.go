package jinja

import (
	"strings"
	"unicode"
)

// A token is a piece of a template. Its kind is "data", "{{", "}}", "{%", "%}", "name", "string", "int", "float", "eof"
// or, of an operator, the operator itself.
type token struct {
	kind  string
	text  string // of data, names and strings
	value any    // of numbers
	line  int
}

// A lexer cuts a source into tokens. Text before tags loses white space as trim_blocks, lstrip_blocks and the signs -
// and + in tags say.
type lexer struct {
	src    string
	pos    int
	line   int
	tokens []token
	// lineStart: what was last read ends with a line break, or nothing was read yet.
	lineStart bool
	open      []byte // brackets that must be closed
}

func lex(source string) []token {
	source = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(source)
	l := &lexer{src: strings.TrimSuffix(source, "\n"), line: 1, lineStart: true}
	for l.pos < len(l.src) {
		l.root()
	}
	l.add("eof", "", nil)
	return l.tokens
}

func (l *lexer) add(kind, text string, value any) {
	l.tokens = append(l.tokens, token{kind, text, value, l.line})
}

func (l *lexer) rest() string { return l.src[l.pos:] }

// advance moves over n bytes.
func (l *lexer) advance(n int) {
	read := l.src[l.pos : l.pos+n]
	l.line += strings.Count(read, "\n")
	l.lineStart = strings.HasSuffix(read, "\n")
	l.pos += n
}

// root reads data up to the next tag, and the tag.
func (l *lexer) root() {
	rest := l.rest()
	at := nextTag(rest)
	if at < 0 {
		l.add("data", rest, nil)
		l.advance(len(rest))
		return
	}
	tag := rest[at : at+2]
	sign, width := tagSign(rest[at+2:])
	l.data(rest[:at], sign, tag == "{{")
	l.advance(at)
	switch tag {
	case "{#":
		l.advance(2 + width)
		l.comment()
	case "{{":
		l.advance(2 + width)
		l.inside("{{", "}}")
	case "{%":
		if n := rawStart(rest[at+2+width:]); n > 0 {
			l.advance(2 + width + n)
			l.raw()
			return
		}
		l.advance(2 + width)
		l.inside("{%", "%}")
	}
}

// nextTag finds the first opening of a tag.
func nextTag(s string) int {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '{')
		if i < 0 || from+i+1 >= len(s) {
			return -1
		}
		if from += i; strings.IndexByte("{%#", s[from+1]) >= 0 {
			return from
		}
		from++
	}
}

func tagSign(s string) (sign byte, width int) {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		return s[0], 1
	}
	return 0, 0
}

// data adds the text before a tag.
func (l *lexer) data(text string, sign byte, variable bool) {
	switch {
	case sign == '-':
		text = strings.TrimRightFunc(text, isSpace)
	case sign != '+' && !variable:
		from := strings.LastIndexByte(text, '\n') + 1
		if (from > 0 || l.lineStart) && strings.TrimLeftFunc(text[from:], isSpace) == "" {
			text = text[:from]
		}
	}
	if text != "" {
		l.add("data", text, nil)
	}
}

// isSpace is what Python takes for white space.
func isSpace(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f }

func leadingSpace(s string) int { return len(s) - len(strings.TrimLeftFunc(s, isSpace)) }

// comment skips the rest of a comment.
func (l *lexer) comment() {
	i := strings.Index(l.rest(), "#}")
	if i < 0 {
		fail(l.line, "a comment has no end")
	}
	sign := byte(0)
	if i > 0 {
		sign, _ = tagSign(l.rest()[i-1:])
	}
	l.advance(i)
	l.advance(l.closing(sign, 2))
}

// closing is the length of a tag's end and of the white space that goes with it.
func (l *lexer) closing(sign byte, n int) int {
	after := l.rest()[n:]
	switch {
	case sign == '-':
		n += leadingSpace(after)
	case sign != '+' && strings.HasPrefix(after, "\n"):
		n++
	}
	return n
}

// rawStart is the length of what follows the opening of a raw tag and its sign, 0 if it is not one.
func rawStart(s string) int {
	n := leadingSpace(s)
	if !strings.HasPrefix(s[n:], "raw") {
		return 0
	}
	n += 3
	n += leadingSpace(s[n:])
	switch {
	case strings.HasPrefix(s[n:], "-%}"):
		return n + 3 + leadingSpace(s[n+3:])
	case strings.HasPrefix(s[n:], "%}"):
		return n + 2
	}
	return 0
}

// raw reads text up to endraw.
func (l *lexer) raw() {
	rest := l.rest()
	for at := 0; ; at++ {
		i := strings.Index(rest[at:], "{%")
		if i < 0 {
			fail(l.line, "a raw block has no end")
		}
		at += i
		sign, width := tagSign(rest[at+2:])
		if n, ends := l.rawEnd(rest, at+2+width); n > 0 {
			l.data(rest[:at], sign, false)
			l.advance(n)
			l.advance(l.closing(ends, 2))
			return
		}
	}
}

// rawEnd returns where the %} of an endraw tag stands whose inside begins at from, and the sign before it.
func (l *lexer) rawEnd(rest string, from int) (at int, sign byte) {
	from += leadingSpace(rest[from:])
	if !strings.HasPrefix(rest[from:], "endraw") {
		return 0, 0
	}
	from += len("endraw")
	from += leadingSpace(rest[from:])
	sign, width := tagSign(rest[from:])
	if !strings.HasPrefix(rest[from+width:], "%}") {
		return 0, 0
	}
	return from + width, sign
}

// inside reads the tokens of a tag up to its end.
func (l *lexer) inside(opening, ending string) {
	l.add(opening, "", nil)
	for !l.end(ending) {
		if l.pos == len(l.src) {
			fail(l.line, "the template ends within a tag")
		}
		if n := leadingSpace(l.rest()); n > 0 {
			l.advance(n)
			continue
		}
		l.token()
	}
}

// end reads the end of a tag, if it is there. Within brackets it is not looked for.
func (l *lexer) end(ending string) bool {
	if len(l.open) > 0 {
		return false
	}
	rest := l.rest()
	sign, width := tagSign(rest)
	if sign == '+' && ending == "}}" || !strings.HasPrefix(rest[width:], ending) {
		return false
	}
	l.add(ending, "", nil)
	l.advance(width)
	if n := 2; ending == "}}" && sign == 0 {
		l.advance(n)
	} else {
		l.advance(l.closing(sign, n))
	}
	return true
}
