package adopt

import "go.yaml.in/yaml/v3"

// A mapping is a YAML mapping in the order in which its keys were added.
type mapping []pair

type pair struct {
	key   string
	value any
}

// add adds a key, unless its value is empty.
func (m *mapping) add(key string, value any) {
	switch v := value.(type) {
	case nil:
		return
	case string:
		if v == "" {
			return
		}
	case mapping:
		if len(v) == 0 {
			return
		}
	case []string:
		if len(v) == 0 {
			return
		}
	}
	*m = append(*m, pair{key, value})
}

// flow writes the mapping on one line.
type flow struct{ mapping }

// MarshalYAML implements yaml.Marshaler.
func (m mapping) MarshalYAML() (any, error) {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, p := range m {
		var key, value yaml.Node
		if err := key.Encode(p.key); err != nil {
			return nil, err
		}
		if err := value.Encode(p.value); err != nil {
			return nil, err
		}
		n.Content = append(n.Content, &key, &value)
	}
	return n, nil
}

// MarshalYAML implements yaml.Marshaler.
func (f flow) MarshalYAML() (any, error) {
	v, err := f.mapping.MarshalYAML()
	if err != nil {
		return nil, err
	}
	n := v.(*yaml.Node)
	n.Style = yaml.FlowStyle
	return n, nil
}
