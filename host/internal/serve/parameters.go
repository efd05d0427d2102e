package serve

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
)

// parameters are those of a request that were not taken yet. The first error sticks.
type parameters struct {
	left map[string]json.RawMessage
	err  error
}

// ignored are parameters that change no answer.
var ignored = []string{
	"metadata", "parallel_tool_calls", "prediction", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
	"service_tier", "store", "user",
}

func readParameters(r *http.Request) (*parameters, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p := &parameters{}
	if err := json.Unmarshal(body, &p.left); err != nil || p.left == nil {
		return nil, &failure{Status: http.StatusBadRequest, Type: typeRequest,
			Message: fmt.Sprintf("the body is no JSON object: %v", err)}
	}
	for _, name := range ignored {
		delete(p.left, name)
	}
	return p, nil
}

// raw takes a parameter; nil when it is absent or null.
func (p *parameters) raw(name string) json.RawMessage {
	raw := p.left[name]
	delete(p.left, name)
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// take reads a parameter into a variable that holds its default, and reports whether it is there.
func (p *parameters) take(name string, into any) bool {
	raw := p.raw(name)
	if raw == nil || p.err != nil {
		return false
	}
	if err := json.Unmarshal(raw, into); err != nil {
		p.refuse(name, "is no %s", kindOf(into))
		return false
	}
	return true
}

// number takes a number within bounds.
func number[T int | float32](p *parameters, name string, into *T, low, high T) {
	if p.take(name, into) && !(*into >= low && *into <= high) {
		p.refuse(name, "%v is not in %v to %v", *into, low, high)
	}
}

// kindOf is what JSON calls a variable.
func kindOf(v any) string {
	switch v.(type) {
	case *int, *uint64:
		return "whole number"
	case *float32:
		return "number"
	case *bool:
		return "boolean"
	case *string:
		return "string"
	}
	return "value of the kind that is documented"
}

func (p *parameters) refuse(name, format string, args ...any) {
	if p.err == nil {
		p.err = wrong(name, format, args...)
	}
}

// only takes a parameter that is known, but of which this server does nothing else than these values say.
func (p *parameters) only(name string, values ...string) {
	raw := p.raw(name)
	if raw == nil {
		return
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		p.refuse(name, "is no JSON")
		return
	}
	plain, _ := json.Marshal(v)
	if !slices.Contains(values, string(plain)) {
		p.refuse(name, "is not supported here beyond %v", values)
	}
}

// done is the first error. A parameter that nothing took is one: it would have changed the answer.
func (p *parameters) done() error {
	for _, name := range slices.Sorted(maps.Keys(p.left)) {
		p.refuse(name, "is not a parameter of this route, or not supported")
	}
	return p.err
}

// oneOrMore is one T or a list of them.
type oneOrMore[T any] []T

func (l *oneOrMore[T]) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*l = []T{one}
	return nil
}
