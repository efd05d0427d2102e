package recipe

import (
	"math"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A reader turns YAML nodes into plain values and notes their places.
type reader struct {
	tree  *tree
	file  string
	nodes int
	full  bool       // a bound was passed
	alias *yaml.Node // the outermost that is being expanded
}

func (r *reader) at(n *yaml.Node) Position { return at(r.file, n.Line, n.Column) }

// problem reports a node and returns what stands for its value.
func (r *reader) problem(n *yaml.Node, p path, format string, args ...any) any {
	r.tree.problem(r.at(n), p, format, args...)
	return rejected{}
}

// value is the value of a node. Aliases are expanded within the bounds on nodes and depth, which also ends an anchor
// that contains itself.
func (r *reader) value(n *yaml.Node, p path, depth int) any {
	if r.overflows(n, depth) {
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		defer r.expand(n)()
		return r.value(n.Alias, p, depth+1)
	case yaml.MappingNode:
		return r.mapping(n, p, depth)
	case yaml.SequenceNode:
		return r.list(n, p, depth)
	}
	return r.scalar(n, p)
}

// overflows counts a node and reports the first that is beyond a bound.
func (r *reader) overflows(n *yaml.Node, depth int) bool {
	r.nodes++
	if !r.full && (r.nodes > maxNodes || depth > maxDepth) {
		r.full = true
		if r.alias != nil {
			n = r.alias
		}
		r.problem(n, nil, "too large: more than %d values or %d levels, aliases expanded", maxNodes, maxDepth)
	}
	return r.full
}

// expand notes that an alias is expanded until the function that it returns is called.
func (r *reader) expand(n *yaml.Node) (end func()) {
	if r.alias != nil || n.Kind != yaml.AliasNode {
		return func() {}
	}
	r.alias = n
	return func() { r.alias = nil }
}

func (r *reader) list(n *yaml.Node, p path, depth int) any {
	items := make([]any, len(n.Content))
	for i, item := range n.Content {
		q := p.item(i)
		r.tree.places[q.id()] = place{r.at(item), r.at(item)}
		items[i] = r.value(item, q, depth+1)
	}
	return items
}

func (r *reader) mapping(n *yaml.Node, p path, depth int) any {
	out := map[string]any{}
	r.fill(out, n, p, depth)
	return out
}

// fill adds the keys of a mapping to out, its own before those it merges in, so that its own win.
func (r *reader) fill(out map[string]any, n *yaml.Node, p path, depth int) {
	own := map[string]*yaml.Node{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := resolveAlias(n.Content[i]), n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			r.problem(n.Content[i], p, "a key must be plain text")
			continue
		}
		q := p.key(key.Value)
		if isMerge(key) {
			continue
		}
		if first := own[key.Value]; first != nil {
			r.problem(n.Content[i], q, "this key stands twice, first at %s", r.at(first))
			continue
		}
		own[key.Value] = n.Content[i]
		if _, taken := out[key.Value]; taken {
			continue
		}
		r.tree.places[q.id()] = place{r.at(n.Content[i]), r.at(value)}
		out[key.Value] = r.value(value, q, depth+1)
	}
	for i := 0; i < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			r.merge(out, n.Content[i+1], p, depth+1)
		}
	}
}

// merge adds what `<<` names: a mapping, or a list of mappings of which the first that has a key gives it.
func (r *reader) merge(out map[string]any, n *yaml.Node, p path, depth int) {
	defer r.expand(n)()
	source := resolveAlias(n)
	switch {
	case r.overflows(n, depth):
	case source.Kind == yaml.MappingNode:
		r.fill(out, source, p, depth)
	case source.Kind == yaml.SequenceNode:
		for _, item := range source.Content {
			r.merge(out, item, p, depth+1)
		}
	default:
		r.problem(n, p, "<< merges mappings, this is none")
	}
}

func isMerge(key *yaml.Node) bool { return key.ShortTag() == "!!merge" }

func resolveAlias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// scalar is a string, number, boolean or nil. A time stamp is text: nothing in a recipe is a time.
func (r *reader) scalar(n *yaml.Node, p path) any {
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!timestamp", "!!merge":
		return n.Value
	case "!!null":
		return nil
	case "!!bool", "!!int", "!!float":
		return r.plain(n, p)
	default:
		return r.problem(n, p, "the tag %s is not known here", tag)
	}
}

func (r *reader) plain(n *yaml.Node, p path) any {
	var v any
	if err := n.Decode(&v); err != nil {
		return r.problem(n, p, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return r.problem(n, p, "want a finite number, found %s", n.Value)
	}
	return v
}
