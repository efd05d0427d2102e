package examreward

import (
	"math/bits"
	"strings"
)

// options is a set of the options A to H, a bit for each.
type options uint8

const lastOption = 'H'

func (o options) count() int { return bits.OnesCount8(uint8(o)) }

// String lists the options, or says none.
func (o options) String() string {
	var names []string
	for r := 'A'; r <= lastOption; r++ {
		if o&option(r) != 0 {
			names = append(names, string(r))
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ",")
}

// option returns the set of one letter of either case, the empty set for other characters.
func option(r rune) options {
	switch {
	case r >= 'A' && r <= lastOption:
		return 1 << (r - 'A')
	case r >= 'a' && r <= lastOption+'a'-'A':
		return 1 << (r - 'a')
	}
	return 0
}

// chosen returns the options that an answer chooses, and whether it states them. It goes from what says most to what
// says least and stops at the first form that the answer uses: a statement (Answer: B; 答案是B; \boxed{B}), a verdict on
// an option (B is correct; B正确), an option that begins a line (B. Pneumonia), an option in brackets anywhere, which
// states nothing. More than one option of a form are all returned.
func chosen(text string) (named options, stated bool) {
	t := fold(text)
	for _, form := range []func(*folded) options{(*folded).statements, (*folded).verdicts, (*folded).lineStarts} {
		if o := form(t); o != 0 {
			return o, true
		}
	}
	return t.bracketed(), false
}
