package tokenizer

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"unicode"
)

// A property is a set of characters as the Hugging Face library sees them. It mixes libraries of several Unicode
// versions, so the sets are its own answers, written by testdata/fixtures.py, and not those of package unicode.
type property uint8

const (
	control     property = 1 << iota // what BERT's normalizer removes: U+FFFD and general categories Cc, Cf, Co
	punctuation                      // what BERT takes for punctuation: general category P, and ASCII symbols
	nonspacing                       // general category Mn, of BERT's strip_accents
	mark                             // general category M, of StripAccents
	wordChar                         // \w
	numeric                          // general category N, of Digits
	whitespace                       // White_Space
	combining                        // canonical combining class above 0
)

var propertyNames = []string{
	"control", "punctuation", "nonspacing", "mark", "word", "numeric", "space", "combining",
}

//go:embed properties.txt
var propertiesText string

// The properties of the characters below planes01 are in a table, those of the others in ranges.
type propertyTable struct {
	low  [planes01]property
	high [8]unicode.RangeTable
}

var properties = sync.OnceValue(func() *propertyTable {
	t := &propertyTable{}
	for i, line := range strings.Split(strings.TrimSpace(propertiesText), "\n") {
		fields := strings.Fields(line)
		if fields[0] != propertyNames[i] {
			panic("tokenizer: properties.txt has " + fields[0] + " in place of " + propertyNames[i])
		}
		for _, field := range fields[1:] {
			t.enter(i, field)
		}
	}
	return t
})

// enter adds a range, written in hex, to a property.
func (t *propertyTable) enter(index int, field string) {
	var r unicode.Range32
	if _, err := fmt.Sscanf(field, "%x-%x", &r.Lo, &r.Hi); err != nil {
		panic(fmt.Sprintf("tokenizer: properties.txt: %q: %v", field, err))
	}
	for c := r.Lo; c <= r.Hi && c < planes01; c++ {
		t.low[c] |= 1 << index
	}
	if r.Hi >= planes01 {
		r.Lo, r.Stride = max(r.Lo, planes01), 1
		t.high[index].R32 = append(t.high[index].R32, r)
	}
}

// of returns all properties of a character.
func (t *propertyTable) of(r rune) property {
	if r < planes01 {
		return t.low[r]
	}
	var all property
	for i := range t.high {
		if unicode.Is(&t.high[i], r) {
			all |= 1 << i
		}
	}
	return all
}

func has(r rune, p property) bool { return properties().of(r)&p != 0 }

// in returns the test for a property.
func in(p property) func(rune) bool {
	table := properties()
	return func(r rune) bool { return table.of(r)&p != 0 }
}
