package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/sdk"
)

// schemaTypes are the types that a configuration key may have.
var schemaTypes = []string{"string", "number", "integer", "boolean", "array", "object"}

// checkSchema reports what is wrong with a manifest's configuration schema.
func checkSchema(s *sdk.ConfigSchema) error {
	if s == nil {
		return nil
	}
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(s.Properties)) {
		k := s.Properties[key]
		for _, t := range k.Type {
			if !slices.Contains(schemaTypes, t) {
				problems = append(problems, fmt.Errorf("manifest: config.%s: unknown type %q", key, t))
			}
		}
		if k.Default != nil && !fits(k.Type, k.Default) {
			problems = append(problems, fmt.Errorf("manifest: config.%s: the default is %s", key, describeType(k.Default)))
		}
	}
	for _, key := range s.Required {
		if _, ok := s.Properties[key]; !ok {
			problems = append(problems, fmt.Errorf("manifest: config.%s is required and not described", key))
		}
	}
	return errors.Join(problems...)
}

// configure checks a recipe's `with` block against the manifest's schema and returns it as JSON, with defaults filled
// in and keys sorted. It reports every problem.
func configure(s *sdk.ConfigSchema, with map[string]any) ([]byte, error) {
	if s == nil {
		s = &sdk.ConfigSchema{}
	}
	var problems []error
	known := slices.Sorted(maps.Keys(s.Properties))
	all := maps.Clone(with)
	if all == nil {
		all = map[string]any{}
	}
	for _, key := range slices.Sorted(maps.Keys(with)) {
		k, ok := s.Properties[key]
		switch {
		case !ok && len(known) == 0:
			problems = append(problems, fmt.Errorf("with.%s: unknown key: the plugin takes no configuration", key))
		case !ok:
			problems = append(problems, fmt.Errorf("with.%s: unknown key (known: %s)", key, strings.Join(known, ", ")))
		case !fits(k.Type, with[key]):
			problems = append(problems, fmt.Errorf("with.%s: must be %s, is %s",
				key, strings.Join(k.Type, " or "), describeType(with[key])))
		}
	}
	for _, key := range known {
		if _, given := all[key]; !given && s.Properties[key].Default != nil {
			all[key] = s.Properties[key].Default
		}
	}
	for _, key := range s.Required {
		if _, given := all[key]; !given {
			problems = append(problems, fmt.Errorf("with.%s: missing", key))
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return json.Marshal(all)
}

// fits tells whether a value is of one of the types; no types means any. A number without a fraction is an integer.
func fits(types []string, v any) bool {
	is := typeOf(v)
	return len(types) == 0 || slices.Contains(types, is) || is == "integer" && slices.Contains(types, "number")
}

// typeOf returns the type that a value has in a schema.
func typeOf(v any) string {
	r := reflect.ValueOf(v)
	switch {
	case !r.IsValid():
		return "null"
	case r.CanInt(), r.CanUint():
		return "integer"
	case r.CanFloat() && r.Float() == math.Trunc(r.Float()):
		return "integer"
	case r.CanFloat():
		return "number"
	}
	switch r.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Slice:
		return "array"
	case reflect.Map:
		return "object"
	}
	return r.Type().String()
}

// describeType names a value's type, and the value when it is short.
func describeType(v any) string {
	if text := fmt.Sprint(v); len(text) <= 40 {
		return fmt.Sprintf("%s %q", typeOf(v), text)
	}
	return typeOf(v)
}
