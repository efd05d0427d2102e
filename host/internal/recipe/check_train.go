package recipe

import "slices"

// What training returns besides the objectives regression, classification and pairwise.
const (
	languageModel = "next_token"
	untrained     = "encoder"
)

// training is what a model or a train stage can do: languageModel, untrained (an encoder as it is), the objective of
// its head, or empty when only the files of the model can tell.
func (r *Recipe) training(name string) string {
	if t := r.Stages[name].Train; t != nil {
		if t.Objective == "dpo" {
			return languageModel
		}
		return t.Objective
	}
	switch r.Models[name].Arch {
	case "llama":
		return languageModel
	case "xlm-roberta", "bert":
		return untrained
	}
	return ""
}

func described(training string) string {
	switch training {
	case languageModel:
		return "a language model"
	case untrained:
		return "an encoder"
	}
	return "trained with " + training
}

func (c *checker) train(p path, name string, t *Train) {
	c.length(p)
	c.data(p, t)
	c.rates(p, t)
	c.start(p, t)
	c.tokenizer(p, name, t)
	c.sequence(p, t)
	if t.MicroBatchSize > 0 && t.BatchSize%t.MicroBatchSize != 0 {
		c.problem(p.key("batch_size"), "%d does not divide into micro batches of %d", t.BatchSize, t.MicroBatchSize)
	}
}

// length reports a stage with no length, or with several.
func (c *checker) length(p path) {
	var given []string
	for _, key := range []string{"tokens", "epochs", "steps"} {
		if c.has(p.key(key)) {
			given = append(given, key)
		}
	}
	switch len(given) {
	case 0:
		c.keyProblem(p, "the length is missing: want one of tokens, epochs and steps")
	case 1:
	default:
		c.problem(p.key(given[1]), "the length is given twice: want one of %s", oneOf(given))
	}
}

func (c *checker) rates(p path, t *Train) {
	if t.Scheduler == "wsd" && t.WarmupRatio+t.DecayRatio > 1 {
		c.problem(p.key("decay_ratio"),
			"warm-up (%v) and decay (%v) are longer than the stage", t.WarmupRatio, t.DecayRatio)
	}
}

// start reports start weights that the objective cannot go on with.
func (c *checker) start(p path, t *Train) {
	from := c.training(t.Init)
	if t.Objective != languageModel && t.Objective != "dpo" || from == languageModel || from == "" {
		return
	}
	c.problem(p.key("init"), "%s needs a language model, and %s is %s", t.Objective, t.Init, described(from))
}

// tokenizer reports a stage without a tokenizer, or with one that its start weights cannot have been made for.
func (c *checker) tokenizer(p path, name string, t *Train) {
	first, named := c.first(name), t.Tokenizer != ""
	m, isModel := c.Models[first]
	switch {
	case !isModel:
	case named && first != t.Init:
		c.problem(p.key("tokenizer"), "%s was trained with a tokenizer already, that of %s", t.Init, first)
	case named && m.From != "":
		c.problem(p.key("tokenizer"), "%s brings its own tokenizer", t.Init)
	case named && len(c.namedTokenizers(first)) > 1:
		c.problem(p.key("tokenizer"),
			"the stages that start from %s name different tokenizers (%s); declare a model for each",
			first, oneOf(c.namedTokenizers(first)))
	case first == t.Init && c.TokenizerOf(name) == "":
		c.noTokenizer(p.key("init"), first)
	}
}

// tokenizerOfNew reports a stage that uses a new model as it is when no tokenizer is known for it.
func (c *checker) tokenizerOfNew(p path, stage string) {
	for _, name := range c.Needs(stage).Models {
		if c.TokenizerOf(name) == "" {
			c.noTokenizer(p, name)
		}
	}
}

func (c *checker) noTokenizer(p path, model string) {
	if all := c.stagesOf("tokenizer"); len(all) > 1 {
		c.problem(p, "the tokenizer of %s is open: name one of %s in the train stage", model, oneOf(all))
		return
	}
	c.problem(p,
		"there is no tokenizer for %s: add a stage of kind tokenizer, or name a directory in the train stage", model)
}

// sequence reports sequences that are longer than the model can read.
func (c *checker) sequence(p path, t *Train) {
	m, ok := c.Models[c.first(t.Init)]
	if !ok || m.From != "" || t.SequenceLen <= m.Context || slices.Contains([]int{t.SequenceLen, m.Context}, 0) {
		return
	}
	c.problem(p.key("sequence_len"),
		"%d is longer than the context of %s, %d", t.SequenceLen, c.first(t.Init), m.Context)
}
