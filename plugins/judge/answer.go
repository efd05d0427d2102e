package judge

import (
	"fmt"
	"strings"
)

// Words that the asked-for line has before the colon, in lower case.
var (
	ratingMarks     = []string{"score", "得分", "评分", "分数"}
	comparisonMarks = []string{"better answer", "更好的回答", "更好的答案"}
)

// readRating reads the last rating in a text: Quality score: 4, 质量得分：3.5. It lies from 0 to 5.
func readRating(text string) (float64, error) {
	value, found := 0.0, false
	for rest := range marked(text, ratingMarks) {
		if v, ok := number(rest); ok {
			value, found = v, true
		}
	}
	if !found || value > 5 {
		return 0, fmt.Errorf("%w: no rating from 0 to 5 in %q", errUnreadable, tail(text))
	}
	return value, nil
}

// readComparison reads the last comparison in a text and returns how the first answer came off.
func readComparison(text string) (first outcome, err error) {
	found := false
	for rest := range marked(text, comparisonMarks) {
		if o, ok := better(rest); ok {
			first, found = o, true
		}
	}
	if !found {
		return tie, fmt.Errorf("%w: neither 1, 2 nor tie in %q", errUnreadable, tail(text))
	}
	return first, nil
}

func better(text string) (outcome, bool) {
	switch v, isNumber := number(text); {
	case strings.HasPrefix(text, "tie"), strings.HasPrefix(text, "平"):
		return tie, true
	case isNumber && v == 1:
		return win, true
	case isNumber && v == 2:
		return loss, true
	}
	return tie, false
}

// marked yields what follows each of the marks, in lower case, without the colon and what dresses it.
func marked(text string, marks []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		text = strings.ToLower(text)
		for i := range text {
			for _, m := range marks {
				if rest, ok := strings.CutPrefix(text[i:], m); ok && !yield(strings.TrimLeft(rest, " \t*_`\"':：=是为<[(（")) {
					return
				}
			}
		}
	}
}

// number reads a number of one digit and up to three decimals at the start of a text.
func number(text string) (float64, bool) {
	if text == "" || !isDigit(text[0]) {
		return 0, false
	}
	v, unit := float64(text[0]-'0'), 1.0
	rest := text[1:]
	if len(rest) > 1 && rest[0] == '.' && isDigit(rest[1]) {
		for rest = rest[1:]; rest != "" && isDigit(rest[0]) && unit > 0.001; rest = rest[1:] {
			unit /= 10
			v += float64(rest[0]-'0') * unit
		}
	}
	return v, rest == "" || !isDigit(rest[0])
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// tail is the end of a text, for error messages.
func tail(text string) string {
	const most = 80
	if r := []rune(strings.TrimSpace(text)); len(r) > most {
		return "..." + string(r[len(r)-most:])
	}
	return strings.TrimSpace(text)
}
