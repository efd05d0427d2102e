package recipe

import (
	"fmt"
	"strings"
)

// Reference is the documentation of all keys as Markdown: a heading and a table for each record of a recipe.
func Reference() string {
	var b strings.Builder
	b.WriteString("# Keys of a recipe\n\nRequired keys are marked with *. `NAME` is a name of your choice.\n")
	eachRecord(recipeShape(), wholeRecipe, func(where string, fields []field) {
		fmt.Fprintf(&b, "\n## %s\n\n| key | value | default | meaning |\n|---|---|---|---|\n", where)
		for _, f := range fields {
			b.WriteString(f.row())
		}
	})
	return b.String()
}

func (f field) row() string {
	key, preset := "`"+f.key+"`", ""
	if f.required {
		key += " *"
	}
	if f.preset != "" {
		preset = "`" + f.preset + "`"
	}
	meaning := f.doc
	if f.when.key != "" {
		meaning += "; not read " + f.when.String()
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", key, f.values(), preset, strings.ReplaceAll(meaning, "|", `\|`))
}

// values says in words what a key may hold.
func (f field) values() string {
	words := f.shape.words()
	if f.enum != nil {
		words = strings.Replace(words, "text", "`"+strings.Join(f.enum, "`, `")+"`", 1)
	}
	for _, limit := range []struct {
		sign  string
		value *float64
	}{{"≥", f.min}, {">", f.above}, {"≤", f.max}, {"<", f.below}} {
		if limit.value != nil {
			words += fmt.Sprintf(", %s %v", limit.sign, *limit.value)
		}
	}
	return words
}

func (s *shape) words() string {
	switch s.form {
	case whole:
		return "whole number"
	case number:
		return "number"
	case yesNo:
		return "`true`, `false`"
	case size:
		return "size"
	case span:
		return "time span"
	case columns:
		return "field or list of fields"
	case list:
		return "list: " + s.elem.words()
	case mapping:
		return "mapping to " + s.elem.words()
	case record:
		return s.recordWords()
	case anything:
		return "anything"
	}
	return "text"
}

func (s *shape) recordWords() string {
	if s.short != "" {
		return "a name, or keys as below"
	}
	return "keys as below"
}
