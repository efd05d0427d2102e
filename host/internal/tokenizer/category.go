package tokenizer

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode"
)

// categories lists the general categories and scripts that patterns may name, each with the characters of it that the
// Hugging Face library's regular expressions know (Unicode 16) and package unicode (15) does not, in ranges.
//
//go:embed categories.txt
var categories string

// newer has these characters by the name of the category.
var newer = func() map[string]*unicode.RangeTable {
	all := map[string]*unicode.RangeTable{}
	for line := range strings.Lines(categories) {
		fields := strings.Fields(line)
		table := &unicode.RangeTable{}
		for _, field := range fields[1:] {
			r := unicode.Range32{Stride: 1}
			if _, err := fmt.Sscanf(field, "%x-%x", &r.Lo, &r.Hi); err != nil {
				panic(fmt.Sprintf("tokenizer: categories.txt: %q: %v", field, err))
			}
			table.R32 = append(table.R32, r)
		}
		all[fields[0]] = table
	}
	return all
}()

// newerRanges writes the newer characters of a category as a set of a regular expression does.
func newerRanges(name string) string {
	var out strings.Builder
	for _, r := range newer[name].R32 {
		fmt.Fprintf(&out, "%c-%c", r.Lo, r.Hi)
	}
	return out.String()
}
