package recipe

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Resolved is the recipe as YAML with all defaults filled in and everything in one fixed order. It is itself a
// recipe, with the same meaning when it stands in the same folder.
func (r *Recipe) Resolved() []byte {
	return encode(writer{stages: r.inFileOrder()}.node(reflect.ValueOf(r).Elem(), recipeShape()))
}

// Declaration is one entry of datasets, models, plugins or stages as Resolved writes it, but without the keys that
// change no result, and nothing when there is none of that name.
func (r *Recipe) Declaration(section, name string) []byte {
	i := slices.IndexFunc(recipeShape().fields, func(f field) bool { return f.key == section && f.shape.named })
	if i < 0 {
		return nil
	}
	f := recipeShape().fields[i]
	entry := reflect.ValueOf(r).Elem().Field(f.index).MapIndex(reflect.ValueOf(name))
	if !entry.IsValid() {
		return nil
	}
	return encode(writer{declares: true}.node(entry, f.shape.elem))
}

func encode(n *yaml.Node) []byte {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		panic(fmt.Sprintf("recipe: write YAML: %v", err)) // a buffer takes everything, and plain values have a form
	}
	return out.Bytes()
}

// A writer turns the structs back into YAML nodes.
type writer struct {
	stages   []string
	declares bool // only what results depend on
}

func (w writer) node(v reflect.Value, s *shape) *yaml.Node {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch s.form {
	case list:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range v.Len() {
			n.Content = append(n.Content, w.node(v.Index(i), s.elem))
		}
		return n
	case mapping:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for _, key := range w.keys(v) {
			n.Content = append(n.Content, plainNode(key), w.node(v.MapIndex(reflect.ValueOf(key)), s.elem))
		}
		return n
	case record:
		return w.record(v, s)
	case size, span:
		return plainNode(fmt.Sprint(v.Interface()))
	case number:
		return numberNode(v.Float())
	}
	return plainNode(v.Interface())
}

// keys are sorted, but stages keep their order, which breaks the ties in theirs.
func (w writer) keys(v reflect.Value) []string {
	if v.Type() == reflect.TypeFor[map[string]Stage]() {
		return w.stages
	}
	keys := make([]string, 0, v.Len())
	for _, k := range v.MapKeys() {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	return keys
}

func (w writer) record(v reflect.Value, s *shape) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	w.fields(n, v, s.fields)
	if s.variants != nil {
		variant, _ := s.variant(v.FieldByName("Kind").String())
		w.fields(n, v.Field(variant.index).Elem(), variant.fields)
	}
	return n
}

// fields writes what is set or has a default, as far as the record's other keys let it be read.
func (w writer) fields(n *yaml.Node, v reflect.Value, fields []field) {
	given := map[string]bool{}
	for _, f := range fields {
		given[f.key] = !v.Field(f.index).IsZero()
	}
	for _, f := range fields {
		value := v.Field(f.index)
		if value.IsZero() && f.preset == "" || f.same && w.declares || !f.when.holds(given[f.when.key], fields, v) {
			continue
		}
		node := w.node(value, f.shape)
		if len(node.Content) > 0 || node.Kind == yaml.ScalarNode || f.shape.form == record {
			n.Content = append(n.Content, plainNode(f.key), node)
		}
	}
}

// numberNode writes 2000000, not 2e+06.
func numberNode(f float64) *yaml.Node {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return plainNode(int64(f))
	}
	return plainNode(f)
}

// plainNode is a value that YAML knows by itself, the keys of mappings sorted.
func plainNode(v any) *yaml.Node {
	n := &yaml.Node{}
	if err := n.Encode(v); err != nil {
		panic(fmt.Sprintf("recipe: no YAML for %T: %v", v, err))
	}
	return n
}
