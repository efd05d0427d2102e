package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// An element is one object of a pipeline.
type element struct {
	kind string
	raw  json.RawMessage
}

// decode reads the element into v. keys says which keys each type has; a type or a key that it lacks is an error.
func (e element) decode(v any, keys map[string][]string) error {
	known, ok := keys[e.kind]
	if !ok {
		return fmt.Errorf("type %q is not supported", e.kind)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(e.raw, &object); err != nil {
		return err
	}
	for key := range object {
		if key != "type" && !slices.Contains(known, key) {
			return fmt.Errorf("%s: unknown field %q", e.kind, key)
		}
	}
	if err := strict(e.raw, v); err != nil {
		return fmt.Errorf("%s: %w", e.kind, err)
	}
	return nil
}

// depthLimit bounds how deep sequences stand in each other.
const depthLimit = 16

// flatten lists the elements of a part of the file: none for null, several for a Sequence, whose list has the name key.
func flatten(raw json.RawMessage, key string) ([]element, error) {
	return flattenTo(raw, key, depthLimit)
}

func flattenTo(raw json.RawMessage, key string, depth int) ([]element, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, err
	}
	if head.Type != "Sequence" {
		return []element{{head.Type, raw}}, nil
	}
	if depth == 0 {
		return nil, errors.New("sequences stand too deep in each other")
	}
	var sequence map[string]json.RawMessage
	if err := json.Unmarshal(raw, &sequence); err != nil {
		return nil, err
	}
	delete(sequence, "type")
	var list []json.RawMessage
	if err := json.Unmarshal(sequence[key], &list); err != nil || len(sequence) != 1 {
		return nil, fmt.Errorf("a Sequence holds other than %s", key)
	}
	var all []element
	for _, raw := range list {
		more, err := flattenTo(raw, key, depth-1)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// strict decodes JSON that is nothing but a v.
func strict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more after the end of the JSON value")
	}
	return nil
}
