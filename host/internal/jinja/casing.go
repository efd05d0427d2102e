package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Python maps some letters to several, and one by what stands around it. They are refused.
const (
	manyUpper = "ßŉǰΐΰևẖẗẘẙẚὐὒὔὖᾀᾁᾂᾃᾄᾅᾆᾇᾈᾉᾊᾋᾌᾍᾎᾏᾐᾑᾒᾓᾔᾕᾖᾗ" +
		"ᾘᾙᾚᾛᾜᾝᾞᾟᾠᾡᾢᾣᾤᾥᾦᾧᾨᾩᾪᾫᾬᾭᾮᾯᾲᾳᾴᾶᾷᾼῂῃῄῆῇῌῒΐῖῗῢΰῤῦῧῲῳῴῶῷῼ" +
		"ﬀﬁﬂﬃﬄﬅﬆﬓﬔﬕﬖﬗ"
	manyLower = "İΣ"
)

func (r *renderer) mapped(s, refused string, by func(rune) rune) string {
	if i := strings.IndexAny(s, refused); i >= 0 && !ascii(s) {
		r.unsupported("the case of %q", firstRune(s[i:]))
	}
	return r.made(strings.Map(by, s))
}

func (r *renderer) upper(s string) string { return r.mapped(s, manyUpper, unicode.ToUpper) }
func (r *renderer) lower(s string) string { return r.mapped(s, manyLower, unicode.ToLower) }

// capitalize is Python's: the first letter in title case, the others in lower case.
func (r *renderer) capitalize(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return r.mapped(s[:n], manyUpper, unicode.ToTitle) + r.lower(s[n:])
}

// title is Python's: each letter after one that has no case in title case, the others in lower case.
func (r *renderer) title(s string) string {
	cased := false
	return r.mapped(s, manyUpper+manyLower, func(c rune) rune {
		after := cased
		cased = isLower(c) || isUpper(c) || unicode.IsTitle(c)
		if after {
			return unicode.ToLower(c)
		}
		return unicode.ToTitle(c)
	})
}

func isLower(c rune) bool { return unicode.In(c, unicode.Ll, unicode.Other_Lowercase) }
func isUpper(c rune) bool { return unicode.In(c, unicode.Lu, unicode.Other_Uppercase) }

// isCase reports whether a text has letters of one case and none of the other.
func isCase(s string, this, other func(rune) bool) bool {
	seen := false
	for _, c := range s {
		if other(c) || unicode.IsTitle(c) {
			return false
		}
		seen = seen || this(c)
	}
	return seen
}

// every tests whether a text is not empty and all its characters pass.
func every(pass func(r *renderer, c rune) bool) *procedure {
	return ofText(func(r *renderer, s string) any {
		for _, c := range s {
			if !pass(r, c) {
				return false
			}
		}
		return s != ""
	})
}

func isAlpha(_ *renderer, c rune) bool { return unicode.IsLetter(c) }

// isDigit knows decimal digits. What Unicode calls other numbers is a digit to some of Python's methods only.
func (r *renderer) isDigit(c rune) bool {
	if unicode.In(c, unicode.Nl, unicode.No) {
		r.unsupported("telling whether %q is a digit", c)
	}
	return unicode.IsDigit(c)
}
