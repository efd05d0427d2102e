package recipe

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A checker looks for what the shape of a recipe cannot say: references, cycles, keys that exclude or need each
// other, sizes that do not fit. It looks at what could be decoded; a key that is itself wrong is not complained about
// twice.
type checker struct {
	*Recipe
	places   map[string]place
	problems Problems
}

func (c *checker) check() Problems {
	for _, name := range slices.Sorted(maps.Keys(c.Datasets)) {
		c.dataset(path{"datasets", name}, c.Datasets[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Models)) {
		c.unique(path{"models", name}, "dataset")
		c.model(path{"models", name}, c.Models[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Plugins)) {
		c.references(path{"plugins", name}, c.Plugins[name].references())
	}
	for _, name := range c.inFileOrder() {
		c.unique(path{"stages", name}, "dataset", "model")
		c.references(path{"stages", name}, c.Stages[name].references())
		c.stage(path{"stages", name}, c.Stages[name])
	}
	for _, cycle := range c.cycles() {
		c.keyProblem(path{"stages", cycle[0]},
			"the stages need each other in a circle: %s", strings.Join(cycle, " -> "))
	}
	return c.problems
}

// has reports whether a key stands in the file or on the command line.
func (c *checker) has(p path) bool {
	_, ok := c.places[p.id()]
	return ok
}

// problem reports a value, or the record that lacks it.
func (c *checker) problem(p path, format string, args ...any) {
	for q := p; ; q = q[:len(q)-1] {
		if at, ok := c.places[q.id()]; ok {
			position := at.value
			if len(q) < len(p) {
				position = at.key
			}
			c.add(position, p, "", format, args...)
			return
		}
	}
}

func (c *checker) keyProblem(p path, format string, args ...any) {
	c.add(c.places[p.id()].key, p, "", format, args...)
}

func (c *checker) add(at Position, p path, suggestion, format string, args ...any) {
	c.problems = append(c.problems, Problem{at, p.String(), fmt.Sprintf(format, args...), suggestion})
}

// unique reports a name that stands for something else as well.
func (c *checker) unique(p path, kinds ...string) {
	name := p[len(p)-1]
	if slices.Contains(kinds, c.kindOf(name)) {
		c.keyProblem(p, "the name %q stands for a %s already", name, c.kindOf(name))
	}
}

// references reports names behind which there is nothing, or the wrong thing.
func (c *checker) references(at path, refs []reference) {
	for _, ref := range refs {
		p := slices.Concat(at, ref.path)
		position := c.nameAt(p)
		kind := c.kindOf(ref.name)
		switch {
		case c.fits(ref):
		case kind == "stage": // its kind is wrong, and that is reported there
		case kind != "":
			c.add(position, p, "", "%q is a %s, want %s", ref.name, kind, ref.role.want)
		default:
			near := nearest(ref.name, c.candidates(ref.role))
			c.add(position, p, near, "want %s, nothing is named %q", ref.role.want, ref.name)
		}
	}
}

func (c *checker) dataset(p path, d Dataset) {
	switch {
	case !c.has(p.key("files")) && !c.has(p.key("from")) && !c.has(p.key("info")):
		c.keyProblem(p, "nothing says where the records are: want files, from or info")
	case d.Files != nil && len(d.Files) == 0:
		c.problem(p.key("files"), "the list is empty")
	}
	if d.Reader == "xml" && !c.has(p.key("record")) {
		c.problem(p.key("record"), "an xml dataset needs the name of the element that is one record")
	}
	if _, err := regexp.Compile(d.Record); d.Reader == "txt" && err != nil {
		c.problem(p.key("record"), "want a regular expression: %v", err)
	}
	if d.Format == "transcript" && !c.has(p.key("speakers")) {
		c.problem(p.key("speakers"), "a transcript needs the prefixes of its turns")
	}
}

func (c *checker) model(p path, m Model) {
	if c.has(p.key("from")) {
		return
	}
	for _, key := range []string{"arch", "layers", "hidden", "heads"} {
		if !c.has(p.key(key)) {
			c.problem(p.key(key), "a new model needs %s; an existing one is named by from", key)
		}
	}
	if m.Heads > 0 && m.Hidden%m.Heads != 0 {
		c.problem(p.key("hidden"), "%d does not divide into %d heads", m.Hidden, m.Heads)
	} else if m.Arch == "llama" && m.Heads > 0 && m.Hidden/m.Heads%2 != 0 {
		c.problem(p.key("hidden"), "the width of a head, %d, is odd; rotary positions turn pairs", m.Hidden/m.Heads)
	}
	if m.KVHeads > 0 && m.Heads%m.KVHeads != 0 {
		c.problem(p.key("kv_heads"), "%d heads do not divide into groups for %d key-value heads", m.Heads, m.KVHeads)
	}
}

func (c *checker) stage(p path, st Stage) {
	switch {
	case st.Curate != nil:
		c.curate(p, st.Curate)
	case st.Train != nil:
		c.train(p, st.Name, st.Train)
	case st.Pairs != nil:
		c.asks(p, st.Pairs)
	case st.Evaluate != nil:
		c.evaluate(p, st.Evaluate)
	case st.Export != nil && st.Export.Format != "gguf" && strings.HasPrefix(st.Export.OutType, "q"):
		c.problem(p.key("outtype"), "%s is a type of gguf; a directory of safetensors has f32, f16 or bf16", st.Export.OutType)
	}
	if st.Train == nil {
		c.tokenizerOfNew(p, st.Name)
	}
}
