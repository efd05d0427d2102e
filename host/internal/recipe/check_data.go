package recipe

import (
	"maps"
	"slices"
)

// What a record of each format is.
const (
	documents = "documents"
	dialogues = "dialogues"
	prompts   = "prompts"
	labelled  = "answers labelled good or bad"
	pairs     = "preference pairs"
	questions = "questions"
)

var contents = map[string]string{
	"text": documents, "rated": documents,
	"messages": dialogues, "sharegpt": dialogues, "alpaca": dialogues, "transcript": dialogues,
	"completion": dialogues,
	"prompt":     prompts,
	"labelled":   labelled,
	"preference": pairs,
	"choice":     questions,
}

// format is the format of a dataset, that of a pairs stage's result, or that of the first of these at which a chain of
// curate stages begins; empty when the chain is broken. Labelled answers of which a curate stage keeps some are
// dialogues.
func (r *Recipe) format(name string) string {
	kept := false
	for range len(r.Stages) {
		st := r.Stages[name]
		if st.Pairs != nil {
			return "preference"
		}
		if st.Curate == nil {
			break
		}
		if len(st.Curate.From) == 0 {
			return ""
		}
		name = st.Curate.From[0]
		kept = kept || slices.ContainsFunc(st.Curate.Steps, func(s Step) bool { return s.Keep != "" })
	}
	if format := r.Datasets[name].Format; format != "labelled" || !kept {
		return format
	}
	return "messages"
}

// holds reports data whose records are not of one of the wanted sorts; p is the key of a mix or the value that names
// it.
func (c *checker) holds(p path, name, purpose string, want ...string) {
	if content := contents[c.format(name)]; content != "" && !slices.Contains(want, content) {
		c.add(c.nameAt(p), p, "", "%s holds %s, %s", name, content, purpose)
	}
}

// nameAt is where a name stands: before the colon in a mix, after it elsewhere.
func (c *checker) nameAt(p path) Position {
	if len(p) > 2 && p[len(p)-3] == "data" && p[len(p)-2] == "mix" {
		return c.places[p.id()].key
	}
	return c.places[p.id()].value
}

func (c *checker) curate(p path, spec *Curate) {
	for i, step := range spec.Steps {
		at := p.key("steps").item(i)
		for _, from := range spec.From {
			switch {
			case step.Filter != "":
				c.holds(at.key("filter"), from, "filters judge dialogues", dialogues, prompts, labelled)
			case step.Reward != "":
				c.holds(at.key("reward"), from, "rewards judge dialogues and preference pairs", dialogues, pairs,
					labelled)
			}
		}
	}
	c.alike(p.key("from"), spec.From)
}

// asks reports what a pairs stage cannot ask, and a model that cannot answer.
func (c *checker) asks(p path, spec *Pairs) {
	for i, name := range spec.From {
		c.holds(p.key("from").item(i), name, "prompts are those of questions, dialogues and pairs",
			questions, dialogues, pairs, prompts)
	}
	if training := c.training(spec.Model); training != "" && training != languageModel {
		c.problem(p.key("model"), "answers are those of a language model, and %s is %s",
			spec.Model, described(training))
	}
}

func (c *checker) evaluate(p path, e *Evaluate) {
	if !slices.ContainsFunc([]string{"perplexity", "benchmarks", "preferences", "ratings", "rewards"},
		func(key string) bool { return c.has(p.key(key)) }) {
		c.keyProblem(p, "nothing is measured: want perplexity, benchmarks, preferences, ratings or rewards")
	}
	c.measures(p, "perplexity", e.Perplexity, "perplexity is that of documents and dialogues", documents, dialogues)
	c.measures(p, "benchmarks", e.Benchmarks, "a benchmark holds questions", questions)
	c.measures(p, "preferences", e.Preferences, "preferences are compared in pairs", pairs)
	c.measures(p, "ratings", e.Ratings, "ratings are those of documents", documents)
	if e.ShotsFrom != "" {
		c.holds(p.key("shots_from"), e.ShotsFrom, "examples are questions", questions)
	}
	if e.Shots > 0 && !c.has(p.key("shots_from")) {
		c.problem(p.key("shots"), "shots_from is missing: the dataset that the %d examples come from", e.Shots)
	}
	c.subjects(p, e)
}

func (c *checker) measures(p path, key string, names []string, purpose string, want ...string) {
	for i, name := range names {
		c.holds(p.key(key).item(i), name, purpose, want...)
	}
}

// abilities says which trainings a measure can be taken of.
var abilities = []struct {
	measure string
	of      []string
	text    string
}{
	{"perplexity", []string{languageModel}, "perplexity is that of a language model"},
	{"benchmarks", []string{languageModel}, "benchmarks are answered by language models"},
	{"preferences", []string{languageModel, "pairwise"}, "preferences are those of language and pairwise models"},
	{"ratings", []string{"regression"}, "ratings come from a regression model"},
	{"rewards", []string{languageModel}, "rewards are paid for the answers of language models"},
}

// subjects reports models of which the measures cannot be taken.
func (c *checker) subjects(p path, e *Evaluate) {
	for i, name := range e.Models {
		training := c.training(name)
		for _, a := range abilities {
			if training != "" && c.has(p.key(a.measure)) && !slices.Contains(a.of, training) {
				c.problem(p.key("models").item(i), "%s, and %s is %s", a.text, name, described(training))
			}
		}
	}
}

// data reports the data of a train stage that its objective cannot learn from.
func (c *checker) data(p path, t *Train) {
	taught := false
	for _, key := range slices.Sorted(maps.Keys(t.Data.Mix)) {
		name := selected(key)
		at := p.key("data").key("mix").key(key)
		switch t.Objective {
		case "next_token":
			c.holds(at, name, "next_token learns from documents and dialogues", documents, dialogues)
		case "dpo", "pairwise":
			c.holds(at, name, t.Objective+" learns from preference pairs", pairs)
		case "regression", "classification":
			c.labelled(at, name, t)
		}
		content := contents[c.format(name)]
		taught = taught || content == dialogues || content == ""
	}
	if t.Answers() && !taught && len(t.Data.Mix) > 0 {
		c.problem(p.key("learn"), "none of the data has assistant turns")
	}
}

// labelled reports data without the column that is to be learned. Only a rated dataset brings one; others come from
// plugins.
func (c *checker) labelled(p path, name string, t *Train) {
	c.holds(p, name, t.Objective+" learns from documents", documents)
	if c.format(name) == "text" && t.Label == "label" {
		c.add(c.nameAt(p), p, "",
			"%s has no label: want the format rated, or the name of a plugin's score in label", name)
	}
}

// alike reports names that hold something else than the first.
func (c *checker) alike(p path, names []string) {
	for i, name := range names {
		if content := contents[c.format(names[0])]; content != "" {
			c.holds(p.item(i), name, "and "+names[0]+" "+content, content)
		}
	}
}
