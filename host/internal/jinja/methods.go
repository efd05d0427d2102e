package jinja

import "strings"

// methods of Python's types, by type and name.
var methods map[string]*procedure

func init() {
	methods = map[string]*procedure{
		"str.capitalize":   ofText(func(r *renderer, s string) any { return r.capitalize(s) }),
		"str.lower":        ofText(func(r *renderer, s string) any { return r.lower(s) }),
		"str.upper":        ofText(func(r *renderer, s string) any { return r.upper(s) }),
		"str.title":        ofText(func(r *renderer, s string) any { return r.title(s) }),
		"str.isalpha":      every(isAlpha),
		"str.isdigit":      every((*renderer).isDigit),
		"str.isdecimal":    every((*renderer).isDigit),
		"str.isalnum":      every(func(r *renderer, c rune) bool { return isAlpha(r, c) || r.isDigit(c) }),
		"str.isspace":      every(func(_ *renderer, c rune) bool { return isSpace(c) }),
		"str.islower":      ofText(func(_ *renderer, s string) any { return isCase(s, isLower, isUpper) }),
		"str.isupper":      ofText(func(_ *renderer, s string) any { return isCase(s, isUpper, isLower) }),
		"str.isascii":      ofText(func(_ *renderer, s string) any { return ascii(s) }),
		"str.strip":        takes("-chars?", stripped(strings.TrimFunc)),
		"str.lstrip":       takes("-chars?", stripped(strings.TrimLeftFunc)),
		"str.rstrip":       takes("-chars?", stripped(strings.TrimRightFunc)),
		"str.split":        takes("sep? maxsplit?", split),
		"str.rsplit":       takes("sep? maxsplit?", rsplit),
		"str.splitlines":   takes("keepends?", splitLines),
		"str.partition":    takes("-sep", partition),
		"str.rpartition":   takes("-sep", rpartition),
		"str.startswith":   takes("-prefix -start? -end?", affix(strings.HasPrefix)),
		"str.endswith":     takes("-suffix -start? -end?", affix(strings.HasSuffix)),
		"str.removeprefix": takes("-prefix", func(f *frame, v any, a []any) any { return removePrefix(f.r, v, a[0]) }),
		"str.removesuffix": takes("-suffix", func(f *frame, v any, a []any) any { return removeSuffix(f.r, v, a[0]) }),
		"str.replace":      takes("-old -new -count?", replaceMethod),
		"str.join":         takes("-iterable", joinMethod),
		"str.count":        takes("-sub -start? -end?", countText),
		"str.find":         takes("-sub -start? -end?", within(strings.Index)),
		"str.rfind":        takes("-sub -start? -end?", within(strings.LastIndex)),
		"str.index":        takes("-sub -start? -end?", found(within(strings.Index))),
		"str.rindex":       takes("-sub -start? -end?", found(within(strings.LastIndex))),
		"str.ljust":        takes("-width -fillchar?", pad(func(n int) (int, int) { return 0, n })),
		"str.rjust":        takes("-width -fillchar?", pad(func(n int) (int, int) { return n, 0 })),
		"str.zfill":        takes("-width", zeroFill),
		"str.format":       {open: format},

		"list.count":  takes("-value", count),
		"list.index":  takes("-value", position),
		"list.copy":   of(func(_ *renderer, v any) any { return v }),
		"tuple.count": takes("-value", count),
		"tuple.index": takes("-value", position),

		"dict.get":    takes("-key -default?", get),
		"dict.items":  of(func(_ *renderer, v any) any { return &view{"items", v.(*Object)} }),
		"dict.keys":   of(func(_ *renderer, v any) any { return &view{"keys", v.(*Object)} }),
		"dict.values": of(func(_ *renderer, v any) any { return &view{"values", v.(*Object)} }),
		"dict.copy":   of(func(_ *renderer, v any) any { return v }),
	}
}

func ofText(fn func(r *renderer, s string) any) *procedure {
	return of(func(r *renderer, v any) any { return fn(r, r.textArg(v)) })
}

func get(f *frame, v any, a []any) any {
	if !hashable(a[0]) {
		f.r.unsupported("a value of type %s as the key of a dict", typeName(a[0]))
	}
	if found, ok := v.(*Object).get(a[0]); ok {
		return found
	}
	return or(a[1], nil)
}

func count(f *frame, v any, a []any) any {
	n := 0
	for _, item := range f.r.list(v) {
		n += truthInt(f.r.equal(item, a[0]))
	}
	return n
}

func position(f *frame, v any, a []any) any {
	for i, item := range f.r.list(v) {
		if f.r.equal(item, a[0]) {
			return i
		}
	}
	f.r.fail("the value is not in the list")
	return nil
}
