package jinja

import (
	"slices"
	"strings"
	"unicode/utf8"
)

func ascii(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c >= utf8.RuneSelf }) < 0
}

// stripped removes characters, or white space, by one of strings' functions.
func stripped(trim func(string, func(rune) bool) string) func(f *frame, v any, a []any) any {
	return func(f *frame, v any, a []any) any {
		chars := or(a[0], nil)
		if chars == nil {
			return trim(f.r.textArg(v), isSpace)
		}
		set := f.r.textArg(chars)
		return trim(f.r.textArg(v), func(c rune) bool { return strings.ContainsRune(set, c) })
	}
}

// strs are texts as a list.
func (r *renderer) strs(parts []string) []any {
	all := make([]any, len(parts))
	for i, s := range parts {
		all[i] = s
	}
	return r.listed(all)
}

func split(f *frame, v any, a []any) any {
	s, limit := f.r.textArg(v), f.r.index(or(a[1], -1))
	sep := or(a[0], nil)
	if sep == nil {
		f.r.charge(8 * len(s))
		return f.r.strs(splitSpace(s, limit))
	}
	mark := f.r.textArg(sep)
	if mark == "" {
		f.r.fail("the separator is empty")
	}
	f.r.charge(16 * strings.Count(s, mark))
	return f.r.strs(strings.SplitN(s, mark, parts(limit)))
}

// parts is how many parts strings.SplitN makes for as many cuts.
func parts(cuts int) int {
	if cuts < 0 {
		return -1
	}
	return min(cuts, 1<<40) + 1
}

// splitSpace cuts at runs of white space, at most limit times unless it is negative.
func splitSpace(s string, limit int) []string {
	var all []string
	for s = strings.TrimLeftFunc(s, isSpace); s != ""; s = strings.TrimLeftFunc(s, isSpace) {
		end := strings.IndexFunc(s, isSpace)
		if limit >= 0 && len(all) == limit {
			return append(all, strings.TrimRightFunc(s, isSpace))
		}
		if end < 0 {
			return append(all, s)
		}
		all = append(all, s[:end])
		s = s[end:]
	}
	return all
}

func rsplit(f *frame, v any, a []any) any {
	s, limit := f.r.textArg(v), f.r.index(or(a[1], -1))
	sep := or(a[0], nil)
	if limit < 0 {
		return split(f, v, a)
	}
	if sep == nil {
		f.r.unsupported("rsplit at white space with a limit")
	}
	mark := f.r.textArg(sep)
	if mark == "" {
		f.r.fail("the separator is empty")
	}
	var all []string
	for ; limit > 0; limit-- {
		i := strings.LastIndex(s, mark)
		if i < 0 {
			break
		}
		all = append(all, s[i+len(mark):])
		s = s[:i]
	}
	all = append(all, s)
	slices.Reverse(all)
	return f.r.strs(all)
}

// lines cuts a text after its line breaks, as Python knows them.
func lines(s string) []string {
	var all []string
	for s != "" {
		end := strings.IndexFunc(s, isBreak)
		if end < 0 {
			return append(all, s)
		}
		n := end + utf8.RuneLen(firstRune(s[end:]))
		if strings.HasPrefix(s[end:], "\r\n") {
			n = end + 2
		}
		all = append(all, s[:n])
		s = s[n:]
	}
	return all
}

func firstRune(s string) rune {
	c, _ := utf8.DecodeRuneInString(s)
	return c
}

func isBreak(c rune) bool {
	return '\n' <= c && c <= '\r' || 0x1c <= c && c <= 0x1e || c == 0x85 || c == 0x2028 || c == 0x2029
}

// bareLines are the lines of a text without their breaks.
func bareLines(s string) []string {
	all := lines(s)
	for i, line := range all {
		all[i] = line[:breakAt(line)]
	}
	return all
}

func breakAt(line string) int {
	if i := strings.IndexFunc(line, isBreak); i >= 0 {
		return i
	}
	return len(line)
}

func splitLines(f *frame, v any, a []any) any {
	s := f.r.textArg(v)
	f.r.charge(8 * len(s))
	if f.r.truth(or(a[0], false)) {
		return f.r.strs(lines(s))
	}
	return f.r.strs(bareLines(s))
}

func partition(f *frame, v any, a []any) any {
	s, sep := f.r.textArg(v), f.r.textArg(a[0])
	if sep == "" {
		f.r.fail("the separator is empty")
	}
	if before, after, ok := strings.Cut(s, sep); ok {
		return tuple{before, sep, after}
	}
	return tuple{s, "", ""}
}

func rpartition(f *frame, v any, a []any) any {
	s, sep := f.r.textArg(v), f.r.textArg(a[0])
	if sep == "" {
		f.r.fail("the separator is empty")
	}
	if i := strings.LastIndex(s, sep); i >= 0 {
		return tuple{s[:i], sep, s[i+len(sep):]}
	}
	return tuple{"", "", s}
}

// window is the part of a text that start and end arguments leave, and how many characters are before it.
func (r *renderer) window(s string, start, end any) (part string, before int, ok bool) {
	if start == missing && end == missing {
		return s, 0, true
	}
	n := utf8.RuneCountInString(s)
	if from := or(start, nil); from != nil && r.index(from) > n {
		return "", 0, false
	}
	from, to, _ := r.bounds([3]any{or(start, nil), or(end, nil), nil}, n)
	if from > to {
		return "", 0, false
	}
	return string([]rune(s)[from:to]), from, true
}

// affix is startswith or endswith, with one affix or a tuple of them.
func affix(has func(s, affix string) bool) func(f *frame, v any, a []any) any {
	return func(f *frame, v any, a []any) any {
		s, _, ok := f.r.window(f.r.textArg(v), a[1], a[2])
		affixes, many := a[0].(tuple)
		if !many {
			affixes = tuple{a[0]}
		}
		for _, one := range affixes {
			if has(s, f.r.textArg(one)) && ok {
				return true
			}
		}
		return false
	}
}

func removePrefix(r *renderer, v, prefix any) any {
	return strings.TrimPrefix(r.textArg(v), r.textArg(prefix))
}

func removeSuffix(r *renderer, v, suffix any) any {
	return strings.TrimSuffix(r.textArg(v), r.textArg(suffix))
}

// replaced replaces a part of a text, count times unless count is negative.
func (r *renderer) replaced(s, part, by string, count int) string {
	n := strings.Count(s, part)
	if count >= 0 {
		n = min(n, count)
	}
	r.charge(len(s))
	r.chargeTimes(len(by), n)
	return strings.Replace(s, part, by, count)
}

func replaceMethod(f *frame, v any, a []any) any {
	return f.r.replaced(f.r.textArg(v), f.r.textArg(a[0]), f.r.textArg(a[1]), f.r.index(or(a[2], -1)))
}

func joinMethod(f *frame, v any, a []any) any {
	var all []string
	for _, item := range f.r.list(a[0]) {
		all = append(all, f.r.textArg(item))
	}
	return f.r.join(all, f.r.textArg(v))
}

func (r *renderer) join(all []string, sep string) string {
	for _, s := range all {
		r.charge(len(s) + len(sep))
	}
	return strings.Join(all, sep)
}

// within finds a part of a text; what it gives is -1 or a number of characters.
func within(search func(s, part string) int) func(f *frame, v any, a []any) any {
	return func(f *frame, v any, a []any) any {
		s, before, ok := f.r.window(f.r.textArg(v), a[1], a[2])
		n := search(s, f.r.textArg(a[0]))
		if !ok || n < 0 {
			return -1
		}
		return before + utf8.RuneCountInString(s[:n])
	}
}

// countText counts how often a part is in a text.
func countText(f *frame, v any, a []any) any {
	s, _, ok := f.r.window(f.r.textArg(v), a[1], a[2])
	part := f.r.textArg(a[0])
	if !ok {
		return 0
	}
	return strings.Count(s, part)
}

// found is a search that must find something.
func found(search func(f *frame, v any, a []any) any) func(f *frame, v any, a []any) any {
	return func(f *frame, v any, a []any) any {
		at := search(f, v, a)
		if at == -1 {
			f.r.fail("the text is not found")
		}
		return at
	}
}

// pad fills a text up to a width; sides says how much of it goes where.
func pad(sides func(n int) (left, right int)) func(f *frame, v any, a []any) any {
	return func(f *frame, v any, a []any) any {
		s, fill := f.r.textArg(v), f.r.textArg(or(a[1], " "))
		if utf8.RuneCountInString(fill) != 1 {
			f.r.fail("a text is filled up with one character")
		}
		n := f.r.index(a[0]) - utf8.RuneCountInString(s)
		if n <= 0 {
			return s
		}
		f.r.chargeTimes(len(fill), n)
		left, right := sides(n)
		return f.r.made(strings.Repeat(fill, left) + s + strings.Repeat(fill, right))
	}
}

func zeroFill(f *frame, v any, a []any) any {
	s, width := f.r.textArg(v), f.r.index(a[0])
	n := width - utf8.RuneCountInString(s)
	if n <= 0 {
		return s
	}
	_, sign := tagSign(s)
	f.r.charge(n)
	return f.r.made(s[:sign] + strings.Repeat("0", n) + s[sign:])
}
