package recipe

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Schema is the JSON Schema (draft 2020-12) of recipe files. It knows keys, types, allowed values and bounds;
// references and whatever else ties several keys together are checked by Load alone.
func Schema() []byte {
	definitions := object{}
	root := definitions.schema(recipeShape(), rules{})
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "CareBot recipe"
	root["$defs"] = definitions
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("recipe: write schema: %v", err))
	}
	return append(out, '\n')
}

// An object is a JSON object; encoding/json sorts its keys.
type object map[string]any

// schema describes a shape; records below the root are put among the definitions and referred to.
func (defs object) schema(s *shape, r rules) object {
	switch s.form {
	case list:
		return r.atLeastOne("minItems", object{"type": "array", "items": defs.schema(s.elem, r)})
	case mapping:
		out := object{"type": "object", "additionalProperties": defs.schema(s.elem, r)}
		if s.named {
			out["propertyNames"] = object{"pattern": patterns["name"].expr.String()}
		}
		return r.atLeastOne("minProperties", out)
	case record:
		return defs.record(s)
	case columns:
		name := object{"anyOf": []any{object{"type": "string", "minLength": 1}, object{"type": "integer"}}}
		return object{"anyOf": []any{name, object{"type": "array", "items": name, "minItems": 1}}}
	case anything:
		return object{}
	}
	return r.scalar(s)
}

func (r rules) atLeastOne(key string, out object) object {
	if r.filled {
		out[key] = 1
	}
	return out
}

func (r rules) scalar(s *shape) object {
	switch s.form {
	case whole:
		return r.bounded(object{"type": "integer"})
	case number:
		return r.bounded(object{"type": "number"})
	case yesNo:
		return object{"type": "boolean"}
	case size:
		return object{"anyOf": []any{
			object{"type": "string", "pattern": sizePattern},
			object{"type": "integer", "minimum": 0, "maximum": 999_999_999_999_999},
		}}
	case span:
		return object{"type": "string", "pattern": spanPattern}
	}
	return r.text()
}

func (r rules) text() object {
	out := object{"type": "string"}
	switch {
	case r.enum != nil:
		out["enum"] = r.enum
	case r.pattern != "":
		out["pattern"] = patterns[r.pattern].expr.String()
	case r.filled:
		out["minLength"] = 1
	}
	return out
}

func (r rules) bounded(out object) object {
	for key, limit := range map[string]*float64{
		"minimum": r.min, "exclusiveMinimum": r.above, "maximum": r.max, "exclusiveMaximum": r.below,
	} {
		if limit != nil {
			out[key] = *limit
		}
	}
	return out
}

func (defs object) record(s *shape) object {
	if s.name == "Recipe" {
		return defs.keys(s.fields)
	}
	if _, done := defs[s.name]; !done {
		defs[s.name] = nil // no shape contains itself, but the order of keys must not matter
		defs[s.name] = defs.definition(s)
	}
	return object{"$ref": "#/$defs/" + s.name}
}

func (defs object) definition(s *shape) object {
	switch {
	case s.variants != nil:
		return defs.kinds(s)
	case s.alone:
		out := defs.keys(s.fields)
		out["minProperties"], out["maxProperties"] = 1, 1
		return out
	case s.short != "":
		return object{"anyOf": []any{object{"type": "string", "minLength": 1}, defs.keys(s.fields)}}
	}
	return defs.keys(s.fields)
}

// keys describes a mapping with these keys and no others.
func (defs object) keys(fields []field) object {
	properties, required := object{}, []string{}
	for _, f := range fields {
		properties[f.key] = defs.property(f)
		if f.required {
			required = append(required, f.key)
		}
	}
	out := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

func (defs object) property(f field) object {
	out := defs.schema(f.shape, f.rules)
	out["description"] = f.doc
	if f.preset != "" {
		out["default"] = f.presetValue()
	}
	return out
}

// kinds describes a record whose kind decides about its other keys.
func (defs object) kinds(s *shape) object {
	own := object{}
	for _, f := range s.fields {
		own[f.key] = defs.property(f)
	}
	var all []any
	for _, v := range s.variants {
		is := object{"properties": object{"kind": object{"const": v.name}}}
		all = append(all, object{"if": is, "then": defs.keys(slices.Concat(s.fields, v.fields))})
	}
	return object{"type": "object", "properties": own, "required": []string{"kind"}, "allOf": all}
}
