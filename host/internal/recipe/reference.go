package recipe

import (
	"maps"
	"slices"
	"strings"
)

// A role is what a reference wants to find behind a name.
type role struct {
	kinds []string // as kindOf says them
	want  string
}

var (
	dataRole      = role{[]string{"dataset", "curate stage", "pairs stage"}, "a dataset or a curate or pairs stage"}
	modelRole     = role{[]string{"model", "train stage"}, "a model or a train stage"}
	pluginRole    = role{[]string{"plugin"}, "a plugin"}
	tokenizerRole = role{[]string{"tokenizer stage"}, "a tokenizer stage, or a directory (with a slash in its path)"}
)

// A reference is a name in a recipe that stands for something else in it.
type reference struct {
	path path // from the stage or plugin
	name string
	role role
}

// references lists what a stage names, in the order of its keys.
func (st Stage) references() []reference {
	switch {
	case st.Tokenizer != nil:
		return listed("from", st.Tokenizer.From, dataRole)
	case st.Curate != nil:
		return st.Curate.references()
	case st.Train != nil:
		return st.Train.references()
	case st.Pairs != nil:
		return st.Pairs.references()
	case st.Evaluate != nil:
		return st.Evaluate.references()
	case st.Export != nil:
		return single("model", st.Export.Model, modelRole)
	}
	return nil
}

func (c *Curate) references() []reference {
	refs := listed("from", c.From, dataRole)
	for i, step := range c.Steps {
		for _, named := range []struct{ key, plugin string }{
			{"score", step.Score}, {"filter", step.Filter}, {"reward", step.Reward},
		} {
			for _, ref := range single(named.key, named.plugin, pluginRole) {
				ref.path = path{"steps"}.item(i).key(named.key)
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

func (t *Train) references() []reference {
	refs := single("init", t.Init, modelRole)
	if !isPath(t.Tokenizer) {
		refs = append(refs, single("tokenizer", t.Tokenizer, tokenizerRole)...)
	}
	for _, key := range slices.Sorted(maps.Keys(t.Data.Mix)) {
		refs = append(refs, reference{path{"data", "mix", key}, selected(key), dataRole})
	}
	return refs
}

func (p *Pairs) references() []reference {
	return slices.Concat(
		single("model", p.Model, modelRole), listed("from", p.From, dataRole), single("reward", p.Reward, pluginRole))
}

func (e *Evaluate) references() []reference {
	return slices.Concat(
		listed("models", e.Models, modelRole),
		listed("perplexity", e.Perplexity, dataRole),
		listed("benchmarks", e.Benchmarks, dataRole),
		single("shots_from", e.ShotsFrom, dataRole),
		listed("preferences", e.Preferences, dataRole),
		single("reference", e.Reference, modelRole),
		listed("ratings", e.Ratings, dataRole),
		listed("rewards", e.Rewards, pluginRole),
	)
}

// references lists the models that are bound to the plugin's names.
func (p Plugin) references() []reference {
	var refs []reference
	for _, key := range slices.Sorted(maps.Keys(p.Models)) {
		refs = append(refs, reference{path{"models", key}, p.Models[key], modelRole})
	}
	return refs
}

func single(key, name string, to role) []reference {
	if name == "" {
		return nil
	}
	return []reference{{path{key}, name, to}}
}

func listed(key string, names []string, to role) []reference {
	refs := make([]reference, len(names))
	for i, name := range names {
		refs[i] = reference{path{key}.item(i), name, to}
	}
	return refs
}

// selected is the name before the brackets of a key of a mix: talks[rater.quality>=4] takes some of the records of
// talks.
func selected(key string) string {
	name, rest, found := strings.Cut(key, "[")
	if !found || !strings.HasSuffix(strings.TrimSpace(rest), "]") {
		return key
	}
	return strings.TrimSpace(name)
}

// isPath tells a path from a name: names have no slash.
func isPath(text string) bool { return strings.Contains(text, "/") }

// kindOf says what a name stands for: dataset, model, "KIND stage", or stage when its kind is none;
// plugins have names of their own.
func (r *Recipe) kindOf(name string) string {
	if _, ok := r.Datasets[name]; ok {
		return "dataset"
	}
	if _, ok := r.Models[name]; ok {
		return "model"
	}
	st, ok := r.Stages[name]
	switch {
	case !ok:
		return ""
	case st == Stage{Name: st.Name, Kind: st.Kind, Pos: st.Pos}:
		return "stage"
	}
	return st.Kind + " stage"
}

// fits reports whether a reference finds what it wants.
func (r *Recipe) fits(ref reference) bool {
	if ref.role.want == pluginRole.want {
		_, ok := r.Plugins[ref.name]
		return ok
	}
	return slices.Contains(ref.role.kinds, r.kindOf(ref.name))
}

// candidates are all names that would fit a reference.
func (r *Recipe) candidates(to role) []string {
	if to.want == pluginRole.want {
		return slices.Collect(maps.Keys(r.Plugins))
	}
	var names []string
	for _, all := range [][]string{
		slices.Collect(maps.Keys(r.Datasets)), slices.Collect(maps.Keys(r.Models)), slices.Collect(maps.Keys(r.Stages)),
	} {
		for _, name := range all {
			if slices.Contains(to.kinds, r.kindOf(name)) {
				names = append(names, name)
			}
		}
	}
	return names
}
