package jinja

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

func (r *renderer) abs(v any) any {
	r.noOperand(v)
	if i, ok := whole(v); ok {
		if i < 0 {
			return r.subtract(0, i)
		}
		return i
	}
	x, ok := v.(float64)
	if !ok {
		r.fail("abs of a value of type %s", typeName(v))
	}
	return math.Abs(x)
}

// toInt is int(v), int(float(v)) or the default.
func toInt(f *frame, v any, a []any) any {
	f.r.noOperand(v)
	base := f.r.index(or(a[1], 10))
	if s, ok := text(v); ok {
		if base != 10 {
			f.r.unsupported("int of base %d", base)
		}
		if i, ok := f.r.parseInt(s); ok {
			return i
		}
		v, ok = f.r.parseFloat(s)
		if x, _ := v.(float64); !ok || math.IsNaN(x) || math.IsInf(x, 0) {
			return or(a[0], 0)
		}
	}
	switch v := v.(type) {
	case bool, int:
		i, _ := whole(v)
		return i
	case float64:
		return f.r.truncated(v, or(a[0], 0))
	}
	return or(a[0], 0)
}

func (r *renderer) truncated(x float64, otherwise any) any {
	switch {
	case math.IsNaN(x):
		return otherwise
	case math.IsInf(x, 0):
		r.fail("infinity is no whole number")
	case math.Abs(x) >= 1<<63:
		r.overflow()
	}
	return int(x)
}

var (
	wholeText = regexp.MustCompile(`^[+-]?\d+(_\d+)*$`)
	floatText = regexp.MustCompile(`^(?i)[+-]?((\d+(_\d+)*)?\.?(\d+(_\d+)*)?(e[+-]?\d+(_\d+)*)?|inf(inity)?|nan)$`)
)

// parseInt reads a text as Python's int does.
func (r *renderer) parseInt(s string) (int, bool) {
	s = r.numeral(s)
	if !wholeText.MatchString(s) {
		return 0, false
	}
	i, err := strconv.Atoi(strings.ReplaceAll(s, "_", ""))
	if err != nil {
		r.overflow()
	}
	return i, true
}

// numeral is a text without the white space around it. Python reads digits of all scripts.
func (r *renderer) numeral(s string) string {
	if s = strings.TrimFunc(s, isSpace); !ascii(s) && strings.IndexFunc(s, r.isDigit) >= 0 {
		r.unsupported("numbers in other digits than 0 to 9")
	}
	return s
}

// parseFloat reads a text as Python's float does.
func (r *renderer) parseFloat(s string) (float64, bool) {
	s = r.numeral(s)
	if !floatText.MatchString(s) {
		return 0, false
	}
	x, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	return x, err == nil || errors.Is(err, strconv.ErrRange)
}

func toFloat(f *frame, v any, a []any) any {
	f.r.noOperand(v)
	if s, ok := text(v); ok {
		if x, ok := f.r.parseFloat(s); ok {
			return x
		}
	}
	if x, ok := number(v); ok {
		return x
	}
	return or(a[0], 0.0)
}

func round(f *frame, v any, a []any) any {
	f.r.noOperand(v)
	precision, method := f.r.index(or(a[0], 0)), or(a[1], "common")
	x, ok := number(v)
	if !ok {
		f.r.fail("round of a value of type %s", typeName(v))
	}
	if precision < 0 || precision > 15 {
		f.r.unsupported("rounding to %d digits", precision)
	}
	scale := math.Pow10(precision)
	switch method {
	case "floor":
		return math.Floor(x*scale) / scale
	case "ceil":
		return math.Ceil(x*scale) / scale
	case "common":
		return rounded(v, precision)
	}
	f.r.fail("the method of round is common, ceil or floor")
	return nil
}

// rounded is Python's round: to the even neighbour when a float lies exactly between two.
func rounded(v any, precision int) any {
	x, isFloat := v.(float64)
	if !isFloat {
		i, _ := whole(v)
		return i
	}
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', precision, 64), 64)
	return y
}

func trimFilter(f *frame, v any, a []any) any {
	return stripped(strings.TrimFunc)(f, f.r.plain(v), a)
}

func replaceFilter(f *frame, v any, a []any) any {
	count := or(a[2], nil)
	if count == nil {
		count = -1
	}
	return f.r.replaced(f.r.str(v), f.r.str(a[0]), f.r.str(a[1]), f.r.index(count))
}

// indent puts white space before every line but the first, and those that are empty.
func indent(f *frame, v any, a []any) any {
	f.r.noOperand(v)
	s, ok := v.(string)
	if !ok {
		f.r.unsupported("indent of a value of type %s", typeName(v))
	}
	by, isText := or(a[0], 4).(string)
	if !isText {
		by = f.r.repeat(" ", f.r.index(or(a[0], 4))).(string)
	}
	first, blank := f.r.truth(or(a[1], false)), f.r.truth(or(a[2], false))
	f.r.charge(9 * len(s))
	all := bareLines(s + "\n")
	for i, line := range all {
		if i == 0 && first || i > 0 && (blank || line != "") {
			all[i] = by + line
			f.r.charge(len(by))
		}
	}
	return f.r.join(all, "\n")
}

var wordStart = regexp.MustCompile(`[-\s({\[<\x{1c}-\x{1f}\x{85}\x{a0}\pZ]+`)

// titleWords is the filter title: words begin after white space, hyphens and opening brackets.
func (r *renderer) titleWords(s string) string {
	var all []string
	for s != "" {
		end := len(s)
		if at := wordStart.FindStringIndex(s); at != nil {
			if end = at[0]; end == 0 {
				end = at[1]
			}
		}
		_, n := utf8.DecodeRuneInString(s)
		all = append(all, r.upper(s[:n]), r.lower(s[n:end]))
		s = s[end:]
	}
	return joined(all)
}
