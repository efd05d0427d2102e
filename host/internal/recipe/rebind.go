package recipe

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Rebind is the recipe with overrides, each key=value, laid over the entry of a plugin. What is wrong with them comes
// back as Problems.
func (r *Recipe) Rebind(plugin string, overrides []string) (*Recipe, error) {
	if err := r.hasPlugin(plugin); err != nil {
		return nil, err
	}
	all := make([]string, len(overrides))
	for i, o := range overrides {
		all[i] = "plugins." + plugin + "." + o
	}
	return Parse(r.File, r.Resolved(), all)
}

// WithPlugin is the recipe with another entry, YAML as Declaration writes it, in the place of a plugin's.
func (r *Recipe) WithPlugin(plugin string, entry []byte) (*Recipe, error) {
	if err := r.hasPlugin(plugin); err != nil {
		return nil, err
	}
	var whole, one yaml.Node
	if err := yaml.Unmarshal(r.Resolved(), &whole); err != nil {
		panic(fmt.Sprintf("recipe: read what was resolved: %v", err))
	}
	if err := yaml.Unmarshal(entry, &one); err != nil || len(one.Content) == 0 {
		return nil, errors.Join(fmt.Errorf("entry of plugin %s: no YAML value", plugin), err)
	}
	*valueOf(valueOf(whole.Content[0], "plugins"), plugin) = *one.Content[0]
	text, err := yaml.Marshal(&whole)
	if err != nil {
		return nil, fmt.Errorf("entry of plugin %s: %w", plugin, err)
	}
	return Parse(r.File, text, nil)
}

// valueOf is the value of a key that a mapping has.
func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	at := 0
	for mapping.Content[at].Value != key {
		at += 2
	}
	return mapping.Content[at+1]
}

func (r *Recipe) hasPlugin(name string) error {
	if _, ok := r.Plugins[name]; ok {
		return nil
	}
	all := slices.Sorted(maps.Keys(r.Plugins))
	switch near := nearest(name, all); {
	case near != "":
		return fmt.Errorf("there is no plugin %q, did you mean %s", name, near)
	case len(all) == 0:
		return fmt.Errorf("there is no plugin %q: the recipe has none", name)
	}
	return fmt.Errorf("there is no plugin %q: the recipe has %s", name, oneOf(all))
}
