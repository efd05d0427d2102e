package recipe

import (
	"cmp"
	"maps"
	"slices"
)

// Refs are the names that a stage depends on directly: its own, those that its plugins bind, and its tokenizer. Each
// list is sorted and without repetitions.
type Refs struct {
	Datasets, Models, Plugins, Stages []string
	Tokenizer                         string // stage (then in Stages as well) or directory; empty when none is needed
}

// Needs lists what a stage depends on.
func (r *Recipe) Needs(stage string) Refs {
	var n Refs
	st := r.Stages[stage]
	for _, ref := range st.references() {
		r.need(&n, ref)
	}
	n.Tokenizer = r.tokenizerFor(stage, n)
	if _, ok := r.Stages[n.Tokenizer]; ok {
		n.Stages = append(n.Stages, n.Tokenizer)
	}
	for _, names := range []*[]string{&n.Datasets, &n.Models, &n.Plugins, &n.Stages} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return n
}

// need adds one reference, and with a plugin the models that are bound to it. What does not exist is left out.
func (r *Recipe) need(n *Refs, ref reference) {
	switch {
	case !r.fits(ref):
	case ref.role.want == pluginRole.want:
		n.Plugins = append(n.Plugins, ref.name)
		for _, bound := range r.Plugins[ref.name].references() {
			r.need(n, bound)
		}
	case r.kindOf(ref.name) == "dataset":
		n.Datasets = append(n.Datasets, ref.name)
	case r.kindOf(ref.name) == "model":
		n.Models = append(n.Models, ref.name)
	default:
		n.Stages = append(n.Stages, ref.name)
	}
}

// tokenizerFor is the tokenizer of a train stage, or that of the new models among what another stage needs; trained
// models bring theirs with them.
func (r *Recipe) tokenizerFor(stage string, n Refs) string {
	if r.Stages[stage].Train != nil {
		return r.TokenizerOf(stage)
	}
	for _, name := range slices.Sorted(slices.Values(n.Models)) {
		if r.Models[name].From == "" {
			return r.TokenizerOf(name)
		}
	}
	return ""
}

// TokenizerOf is the tokenizer of a model or a train stage: a tokenizer stage, or a directory with tokenizer.json. It
// is empty when the recipe does not say which, and that a valid recipe leaves open for unused models only.
func (r *Recipe) TokenizerOf(name string) string {
	first := r.first(name)
	if m := r.Models[first]; m.From != "" {
		return m.From
	}
	if named := r.namedTokenizers(first); len(named) > 0 {
		return named[0]
	}
	if only := r.stagesOf("tokenizer"); len(only) == 1 {
		return only[0]
	}
	return ""
}

// OutputsOf is how many outputs a classification head has that is put on a model or on what a train stage made of it.
func (r *Recipe) OutputsOf(name string) int { return max(1, r.Models[r.first(name)].Outputs) }

// first is the model at which the chain of train stages begins, or the name at which the chain breaks.
func (r *Recipe) first(name string) string {
	for range len(r.Stages) {
		st := r.Stages[name]
		if st.Train == nil {
			break
		}
		name = st.Train.Init
	}
	return name
}

// namedTokenizers are the tokenizers that train stages name for a new model, sorted.
func (r *Recipe) namedTokenizers(model string) []string {
	var names []string
	for _, st := range r.Stages {
		t := st.Train
		if t == nil || t.Init != model {
			continue
		}
		if isPath(t.Tokenizer) || r.Stages[t.Tokenizer].Tokenizer != nil {
			names = append(names, t.Tokenizer)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// stagesOf lists the stages of a kind, sorted.
func (r *Recipe) stagesOf(kind string) []string {
	var names []string
	for name, st := range r.Stages {
		if st.Kind == kind {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// inFileOrder lists the stages as the file does; stages from the command line come last, by name.
func (r *Recipe) inFileOrder() []string {
	return slices.SortedFunc(maps.Keys(r.Stages), func(a, b string) int {
		return cmp.Or(r.Stages[a].Pos.compare(r.Stages[b].Pos), cmp.Compare(a, b))
	})
}

// Order lists the stages so that each comes after all that it needs; among those that could come next, the first in
// the file does. The stages of a cycle, which a loaded recipe does not have, are left out.
func (r *Recipe) Order() []string {
	waiting := r.inFileOrder()
	needs := make(map[string][]string, len(waiting))
	for _, name := range waiting {
		needs[name] = r.Needs(name).Stages
	}
	done := map[string]bool{}
	var order []string
	for {
		i := slices.IndexFunc(waiting, func(name string) bool {
			return !slices.ContainsFunc(needs[name], func(n string) bool { return !done[n] })
		})
		if i < 0 {
			return order
		}
		order, done[waiting[i]] = append(order, waiting[i]), true
		waiting = slices.Delete(waiting, i, i+1)
	}
}

// cycles lists the circles of stages, each once, beginning with its first stage in the file.
func (r *Recipe) cycles() [][]string {
	var all [][]string
	finished := map[string]bool{}
	var walk func(name string, trail []string)
	walk = func(name string, trail []string) {
		if i := slices.Index(trail, name); i >= 0 {
			all = append(all, append(slices.Clone(trail[i:]), name))
			return
		}
		if finished[name] {
			return
		}
		for _, next := range r.Needs(name).Stages {
			walk(next, append(trail[:len(trail):len(trail)], name))
		}
		finished[name] = true
	}
	for _, name := range r.inFileOrder() {
		walk(name, nil)
	}
	return all
}
