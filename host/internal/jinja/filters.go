package jinja

import (
	"slices"
	"strings"
)

// filters by name.
var filters map[string]*procedure

// otherFilters are those of Jinja2 that this package lacks.
const otherFilters = "attr center escape e filesizeformat forceescape format groupby pprint random slice striptags " +
	"truncate urlencode urlize wordcount wordwrap xmlattr"

func init() {
	filters = map[string]*procedure{
		"abs":        of((*renderer).abs),
		"batch":      takes("linecount fill_with?", batch),
		"capitalize": of(func(r *renderer, v any) any { return r.capitalize(r.plain(v)) }),
		"default":    takes("default_value? boolean?", defaulted),
		"dictsort":   takes("case_sensitive? by? reverse?", dictSort),
		"first":      of((*renderer).first),
		"float":      takes("default?", toFloat),
		"indent":     takes("width? first? blank?", indent),
		"int":        takes("default? base?", toInt),
		"items":      of((*renderer).pairs),
		"join":       takes("d? attribute?", joinFilter),
		"last":       of((*renderer).last),
		"length":     of((*renderer).len),
		"list":       of(func(r *renderer, v any) any { return r.list(v) }),
		"lower":      of(func(r *renderer, v any) any { return r.lower(r.plain(v)) }),
		"map":        {open: mapFilter},
		"max":        takes("case_sensitive? attribute?", extreme(func(order int) bool { return order > 0 })),
		"min":        takes("case_sensitive? attribute?", extreme(func(order int) bool { return order < 0 })),
		"reject":     {open: choose(false, false)},
		"rejectattr": {open: choose(true, false)},
		"replace":    takes("old new count?", replaceFilter),
		"reverse":    of((*renderer).reverse),
		"round":      takes("precision? method?", round),
		"safe":       of(func(r *renderer, v any) any { return markup(r.str(v)) }),
		"select":     {open: choose(false, true)},
		"selectattr": {open: choose(true, true)},
		"sort":       takes("reverse? case_sensitive? attribute?", sortFilter),
		"string":     of((*renderer).toText),
		"sum":        takes("attribute? start?", sum),
		"title":      of(func(r *renderer, v any) any { return r.titleWords(r.plain(v)) }),
		"tojson":     takes("ensure_ascii? indent? separators? sort_keys?", toJSON),
		"trim":       takes("chars?", trimFilter),
		"unique":     takes("case_sensitive? attribute?", unique),
		"upper":      of(func(r *renderer, v any) any { return r.upper(r.plain(v)) }),
	}
	filters["d"], filters["count"] = filters["default"], filters["length"]
}

func filterNamed(name string, line int) *procedure {
	p, ok := filters[name]
	if !ok && slices.Contains(strings.Fields(otherFilters), name) {
		unsupported(line, "the filter %s", name)
	}
	if !ok {
		fail(line, "there is no filter %s", name)
	}
	return p
}

func defaulted(f *frame, v any, a []any) any {
	_, isUndefined := v.(*undefined)
	if isUndefined || f.r.truth(or(a[1], false)) && !f.r.truth(v) {
		return or(a[0], "")
	}
	return v
}

// plain is the str of a value. What is marked safe would stay so.
func (r *renderer) plain(v any) string {
	if _, ok := v.(markup); ok {
		r.unsupported("this filter on a text that is marked safe")
	}
	return r.str(v)
}

func (r *renderer) toText(v any) any {
	if m, ok := v.(markup); ok {
		return m
	}
	return r.str(v)
}

func (r *renderer) len(v any) any {
	if l, ok := v.(*loopState); ok {
		return l.length()
	}
	n, ok := length(v)
	if !ok {
		r.fail("a value of type %s has no length", typeName(v))
	}
	return n
}

func (r *renderer) first(v any) any {
	if item, ok := r.iterate(v)(); ok {
		return item
	}
	return &undefined{"there is no first item: the sequence is empty"}
}

func (r *renderer) last(v any) any {
	if _, ok := v.(*generator); ok {
		r.fail("a generator has no last item")
	}
	if items := r.list(v); len(items) > 0 {
		return items[len(items)-1]
	}
	return &undefined{"there is no last item: the sequence is empty"}
}

// pairs gives the items of a dict.
func (r *renderer) pairs(v any) any {
	switch v := v.(type) {
	case *undefined:
		return generate(elements(nil))
	case *Object:
		return generate((&view{"items", v}).items())
	}
	return generate(func() (any, bool) {
		r.fail("a value of type %s has no pairs", typeName(v))
		return nil, false
	})
}

func (r *renderer) reverse(v any) any {
	switch s := v.(type) {
	case string:
		all := []rune(s)
		slices.Reverse(all)
		return r.made(string(all))
	case markup:
		r.unsupported("reversing a text that is marked safe")
	}
	all := r.list(v)
	slices.Reverse(all)
	if _, ok := v.(*generator); ok {
		return all
	}
	return generate(elements(all))
}

func batch(f *frame, v any, a []any) any {
	size, next := f.r.index(a[0]), f.r.lazy(v)
	var row []any
	done := false
	return generate(func() (any, bool) {
		for !done {
			item, ok := next()
			if done = !ok; done {
				break
			}
			full := row
			if len(row) == size {
				row = []any{item}
				return full, true
			}
			row = append(row, item)
		}
		last := row
		row = nil
		if fill := or(a[1], nil); fill != nil && len(last) > 0 {
			f.r.chargeTimes(16, max(size-len(last), 0))
			for len(last) < size {
				last = append(last, fill)
			}
		}
		return last, len(last) > 0
	})
}

func joinFilter(f *frame, v any, a []any) any {
	attribute := or(a[1], nil)
	var all []string
	next := f.r.iterate(v)
	for item, ok := next(); ok; item, ok = next() {
		if attribute != nil {
			item = f.r.path(attribute)(item)
		}
		all = append(all, f.r.str(item))
	}
	return f.r.join(all, f.r.str(or(a[0], "")))
}

func sum(f *frame, v any, a []any) any {
	total := or(a[1], 0)
	if _, ok := text(total); ok {
		f.r.fail("texts can't be summed")
	}
	get := f.r.path(or(a[0], nil))
	for _, item := range f.r.list(v) {
		total = f.r.operate("+", total, get(item))
	}
	return total
}
