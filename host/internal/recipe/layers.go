package recipe

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
	"go.yaml.in/yaml/v3"
)

// layer lays overrides, each key.path=value, over the tree of the file. Mappings are merged, everything else is
// replaced, and the value null removes the key. Dots within brackets belong to the key:
// data.mix.talks[rater.quality>=4]=1.
func layer(t *tree, overrides []string) {
	root, ok := t.root.(map[string]any)
	if !ok || len(overrides) == 0 {
		return
	}
	k := koanf.New(separator)
	t.load(k, root, "")
	for _, text := range overrides {
		p, value, found := cutOverride(text)
		if !found || slices.Contains(p, "") {
			t.problem(Position{File: CommandLine}, nil, "%q is no override: want key.path=value", text)
			continue
		}
		t.override(k, p, value)
	}
	t.root = k.Raw()
}

// load adds a layer. Neither the provider nor the merge can fail on a map, short of a broken invariant.
func (t *tree) load(k *koanf.Koanf, values map[string]any, delimiter string) {
	if err := k.Load(confmap.Provider(values, delimiter), nil); err != nil {
		panic(fmt.Sprintf("recipe: merge layers: %v", err))
	}
}

func (t *tree) override(k *koanf.Koanf, p path, text string) {
	at := Position{File: CommandLine}
	value, ok := t.overrideValue(p, text)
	switch {
	case !ok:
	case len(p) > 2 && !k.Exists(p[:2].id()):
		names, _ := k.Get(p[0]).(map[string]any)
		t.problems = append(t.problems, Problem{at, p[:2].String(), "the file has none of that name",
			nearest(p[1], slices.Collect(maps.Keys(names)))})
	case value == nil && !k.Exists(p.id()):
		t.problem(at, p, "there is no such key to remove")
	case value == nil:
		t.forget(p)
		k.Delete(p.id())
	default:
		t.mark(k, p, at)
		t.load(k, map[string]any{p.id(): value}, separator)
	}
}

// overrideValue reads the value of an override as YAML.
func (t *tree) overrideValue(p path, text string) (any, bool) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		problem := syntaxProblem(CommandLine, nil, err)
		problem.Path, problem.Position = p.String(), Position{File: CommandLine}
		t.problems = append(t.problems, problem)
		return nil, false
	}
	if len(doc.Content) == 0 {
		return nil, true
	}
	before := len(t.problems)
	r := reader{tree: t, file: CommandLine}
	value := r.value(doc.Content[0], p, 0)
	return value, len(t.problems) == before
}

// mark gives the key of an override, and the mappings that it makes on the way, the command line as their place.
func (t *tree) mark(k *koanf.Koanf, p path, at Position) {
	for n := 1; n < len(p); n++ {
		if _, isMapping := k.Get(p[:n].id()).(map[string]any); !isMapping {
			t.places[p[:n].id()] = place{at, at}
		}
	}
	t.places[p.id()] = place{at, at}
}

// forget drops the places of a key and of all below it.
func (t *tree) forget(p path) {
	maps.DeleteFunc(t.places, func(id string, _ place) bool {
		return id == p.id() || strings.HasPrefix(id, p.id()+separator)
	})
}

// cutOverride splits key.path=value; dots and equals signs within brackets are part of a key.
func cutOverride(text string) (p path, value string, found bool) {
	depth, start := 0, 0
	for i, c := range text {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == '.' && depth <= 0:
			p, start = append(p, text[start:i]), i+1
		case c == '=' && depth <= 0:
			return append(p, text[start:i]), text[i+1:], true
		}
	}
	return nil, "", false
}
