package jinja

import (
	"fmt"
	"strings"
)

// directives of strftime in the layouts of package time.
var directives = map[byte]string{
	'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", 'y': "06", 'I': "03", 'p': "PM",
	'B': "January", 'b': "Jan", 'h': "Jan", 'A': "Monday", 'a': "Mon",
	'F': "2006-01-02", 'T': "15:04:05", 'R': "15:04", 'D': "01/02/06", 'e': "_2", 'Z': "", 'z': "",
}

// formatNow is strftime_now: the time by the clock, in English as in Python's default locale.
func formatNow(f *frame, _ any, a []any) any {
	format := f.r.textArg(a[0])
	if f.r.now.IsZero() {
		f.r.now = f.r.template.Clock()
	}
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.WriteByte(format[i])
			continue
		}
		i++
		if i == len(format) {
			f.r.unsupported("a time format that ends with %%")
		}
		out.WriteString(f.r.directive(format[i]))
	}
	return f.r.made(out.String())
}

func (r *renderer) directive(c byte) string {
	switch c {
	case '%':
		return "%"
	case 'j':
		return fmt.Sprintf("%03d", r.now.YearDay())
	}
	layout, ok := directives[c]
	if !ok {
		r.unsupported("%%%c in a time format", c)
	}
	return r.now.Format(layout)
}
