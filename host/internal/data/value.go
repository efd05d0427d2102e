package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// fields are the named values of a row: strings, numbers, booleans, lists ([]any), objects (map[string]any) and nil.
type fields interface {
	get(path string) (any, bool)
	names() []string // sorted
}

// An object is a row of JSON, CSV, text or Parquet.
type object map[string]any

func (o object) names() []string { return slices.Sorted(maps.Keys(o)) }

// get looks a field up by its name or by a path into it: a.b is field b of object a, a[0] the first element of list a.
func (o object) get(path string) (any, bool) {
	if v, ok := o[path]; ok {
		return v, true
	}
	var v any = map[string]any(o)
	for step := range strings.SplitSeq(path, ".") {
		name, indices, _ := strings.Cut(step, "[")
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = m[name]; !ok {
			return nil, false
		}
		if v, ok = index(v, indices); !ok {
			return nil, false
		}
	}
	return v, true
}

// index applies what follows a name in a path: 0] or 0][1].
func index(v any, indices string) (any, bool) {
	for indices != "" {
		number, rest, ok := strings.Cut(indices, "]")
		list, isList := v.([]any)
		i, err := strconv.Atoi(number)
		if !ok || !isList || err != nil || i < 0 || i >= len(list) {
			return nil, false
		}
		v, indices = list[i], strings.TrimPrefix(rest, "[")
	}
	return v, true
}

var errObject = errors.New("is an object, want text")

// textOf turns a value into text; the elements of lists are joined by line breaks, null is empty.
func textOf(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		if !utf8.ValidString(v) {
			return "", errNotUTF8
		}
		return clean(v), nil
	case []any:
		parts := make([]string, 0, len(v))
		for _, e := range v {
			part, err := textOf(e)
			if err != nil {
				return "", err
			}
			parts = append(parts, part)
		}
		return clean(strings.Join(parts, "\n")), nil
	case map[string]any:
		return "", errObject
	}
	return fmt.Sprint(v), nil
}

// clean makes line feeds the only line breaks and removes white space around the text.
func clean(s string) string {
	if strings.ContainsRune(s, '\r') {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	return strings.TrimSpace(s)
}

// numberOf reads a finite number; a boolean counts as 1 or 0.
func numberOf(v any) (float64, error) {
	var number float64
	var err error
	switch v := v.(type) {
	case bool:
		number = float64(b2i(v))
	case json.Number:
		number, err = v.Float64()
	case string:
		number, err = strconv.ParseFloat(strings.TrimSpace(v), 64)
	case nil, []any, map[string]any:
		err = errors.New("is not a number")
	default: // a number of Parquet
		number, err = strconv.ParseFloat(fmt.Sprint(v), 64)
	}
	if err == nil && (math.IsNaN(number) || math.IsInf(number, 0)) {
		err = errors.New("is not finite")
	}
	return number, err
}

// isNumber reports whether a value is a number in the file, not text that may look like one.
func isNumber(v any) bool {
	switch v.(type) {
	case nil, bool, string, []any, map[string]any:
		return false
	}
	return true
}
