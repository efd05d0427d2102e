package recipe

import "testing"

// wrongReferences are names behind which there is nothing, or the wrong thing.
var wrongReferences = map[string]change{
	"unknown dataset": {
		"ratings: [rated]", "ratings: [ratet]",
		`stages.raters.ratings[0]: want a dataset or a curate or pairs stage, nothing is named "ratet", did you mean ` +
			`rated`,
	},
	"unknown plugin": {
		"score: rater", "score: ratre",
		`stages.clean.steps[2].score: want a plugin, nothing is named "ratre", did you mean rater`,
	},
	"unknown model": {
		"reference: sft", "reference: stf",
		`stages.test.reference: want a model or a train stage, nothing is named "stf", did you mean sft`,
	},
	"unknown in mix": {
		"mix: {clean: 19,", "mix: {claen: 19,",
		`stages.stable.data.mix.claen: want a dataset or a curate or pairs stage, nothing is named "claen", did you ` +
			`mean clean`,
	},
	"model for data": {
		"{clean: 19, general: 1}", "{clean: 19, base: 1}",
		`stages.stable.data.mix.base: "base" is a model, want a dataset or a curate or pairs stage`,
	},
	"data for model": {
		"model: dpo,", "model: pairs,",
		`stages.release.model: "pairs" is a dataset, want a model or a train stage`,
	},
	"stage for model": {
		"{lm: boost}", "{lm: clean}",
		`plugins.context.models.lm: "clean" is a curate stage, want a model or a train stage`,
	},
	"tokenizer stage": {
		"epochs: 3", "epochs: 3\n    tokenizer: sft",
		`stages.rate.tokenizer: "sft" is a train stage, want a tokenizer stage, or a directory (with a slash ` +
			`in its path)`,
	},
	"unknown tokenizer": {
		"epochs: 3", "epochs: 3\n    tokenizer: word",
		`stages.rate.tokenizer: want a tokenizer stage, or a directory (with a slash in its path), nothing ` +
			`is named "word", did you mean words`,
	},
	"name of a dataset": {
		"  given: {", "  talks: {from: x}\n  given: {",
		`models.talks: the name "talks" stands for a dataset already`,
	},
	"name of a model": {"  raters: {", "  base: {", `stages.base: the name "base" stands for a model already`},
}

// wrongModels are models that cannot be built.
var wrongModels = map[string]change{
	"divided heads": {"hidden: 96", "hidden: 97", "models.encoder.hidden: 97 does not divide into 3 heads"},
	"odd head": {
		"hidden: 128, heads: 4", "hidden: 132, heads: 4",
		"models.base.hidden: the width of a head, 33, is odd; rotary positions turn pairs",
	},
	"key-value groups": {
		"kv_heads: 2", "kv_heads: 3",
		"models.base.kv_heads: 4 heads do not divide into groups for 3 key-value heads",
	},
	"no layers": {
		"layers: 2, ", "",
		"models.encoder.layers: a new model needs layers; an existing one is named by from",
	},
}

// wrongTraining are train stages that cannot be run.
var wrongTraining = map[string]change{
	"no length": {
		"    steps: 100\n", "",
		"stages.dpo: the length is missing: want one of tokens, epochs and steps",
	},
	"two lengths": {
		"steps: 100", "steps: 100\n    tokens: 5",
		"stages.dpo.steps: the length is given twice: want one of tokens, steps",
	},
	"micro batch": {
		"steps: 100", "steps: 100\n    micro_batch_size: 3",
		"stages.dpo.batch_size: 8 does not divide into micro batches of 3",
	},
	"long sequence": {
		"    packing: false", "    sequence_len: 300",
		"stages.sft.sequence_len: 300 is longer than the context of base, 256",
	},
	"encoder decodes": {
		"init: boost", "init: encoder",
		"stages.sft.init: next_token needs a language model, and encoder is an encoder",
	},
	"rater decodes": {
		"init: boost", "init: rate",
		"stages.sft.init: next_token needs a language model, and rate is trained with regression",
	},
	"own tokenizer": {
		"init: boost", "init: given\n    tokenizer: words",
		"stages.sft.tokenizer: given brings its own tokenizer",
	},
	"late tokenizer": {
		"init: boost", "init: boost\n    tokenizer: words",
		"stages.sft.tokenizer: boost was trained with a tokenizer already, that of base",
	},
}

// wrongData are data that a stage cannot use.
var wrongData = map[string]change{
	"pairs for text": {
		"data: dialogues", "data: {mix: {dialogues: 1, pairs: 1}}",
		"stages.sft.data.mix.pairs: pairs holds preference pairs, next_token learns from documents and " +
			"dialogues",
	},
	"text for pairs": {
		"data: pairs", "data: talks",
		"stages.dpo.data.mix.talks: talks holds dialogues, dpo learns from preference pairs",
	},
	"no label": {
		"data: rated", "data: general",
		"stages.rate.data.mix.general: general has no label: want the format rated, or the name of a " +
			"plugin's score in label",
	},
	"no assistant": {
		"data: dialogues", "data: medical",
		"stages.sft.learn: none of the data has assistant turns",
	},
	"filter of text": {
		"score: rules", "filter: rules",
		"stages.clean.steps[1].filter: medical holds documents, filters judge dialogues",
	},
	"reward of text": {
		"score: rules", "reward: reward",
		"stages.clean.steps[1].reward: medical holds documents, rewards judge dialogues and preference " +
			"pairs",
	},
	"text as benchmark": {
		"benchmarks: [exam]", "benchmarks: [medical]",
		"stages.test.benchmarks[0]: medical holds documents, a benchmark holds questions",
	},
	"pairs as text": {
		"perplexity: [medical]", "perplexity: [pairs]",
		"stages.test.perplexity[0]: pairs holds preference pairs, perplexity is that of documents and " +
			"dialogues",
	},
	"examples": {
		"    shots_from: exam\n", "",
		"stages.test.shots: shots_from is missing: the dataset that the 2 examples come from",
	},
	"documents as prompts": {
		"from: [exam, dialogues]", "from: [exam, medical]",
		"stages.answered.from[1]: medical holds documents, prompts are those of questions, dialogues and pairs",
	},
	"pairs of pairs as text": {
		"perplexity: [medical]", "perplexity: [answered]",
		"stages.test.perplexity[0]: answered holds preference pairs, perplexity is that of documents and dialogues",
	},
	"answers of a rater": {
		"model: sft", "model: rate",
		"stages.answered.model: answers are those of a language model, and rate is trained with regression",
	},
	"ranked by nothing": {
		"    reward: reward\n", "    reward: given\n",
		`stages.answered.reward: "given" is a model, want a plugin`,
	},
	"nothing measured": {
		", ratings: [rated], label: label", "",
		"stages.raters: nothing is measured: want perplexity, benchmarks, preferences, ratings or rewards",
	},
	"xml element": {
		"record: visit, ", "",
		"datasets.visits.record: an xml dataset needs the name of the element that is one record",
	},
	"record": {
		`record: "^Chapter"`, `record: "^(Chapter"`,
		"datasets.general.record: want a regular expression: error parsing regexp: missing closing ): " +
			"`^(Chapter`",
	},
	"speakers": {
		`, speakers: {"D:": assistant, "P:": user}`, "",
		"datasets.visits.speakers: a transcript needs the prefixes of its turns",
	},
}

func TestWhatDoesNotFitTogetherIsReported(t *testing.T) {
	for _, changes := range []map[string]change{wrongReferences, wrongModels, wrongTraining, wrongData} {
		for name, c := range changes {
			t.Run(name, c.test)
		}
	}
}

func TestRatersAreNotMeasuredAsLanguageModels(t *testing.T) {
	text := mustRead(t, wholeFile)
	for models, want := range map[string]int{"[stable, given]": 0, "[stable, rate]": 4, "[encoder]": 4} {
		if got := problemsOf(text, "stages.test.models="+models); len(got) != want {
			t.Errorf("models %s: %d problems, want %d: %q", models, len(got), want, got)
		}
	}
	if got := problemsOf(text, "stages.raters.models=[stable]"); len(got) != 1 {
		t.Errorf("ratings of a language model: %q", got)
	}
}

func TestDecayMayNotOverlapTheWarmUp(t *testing.T) {
	got := problemsOf(mustRead(t, wholeFile), "stages.stable.warmup_ratio=0.8")
	want := "63:18: stages.stable.decay_ratio: warm-up (0.8) and decay (0.3) are longer than the stage"
	if len(got) != 1 || got[0] != want {
		t.Errorf("problems are %q, want %q", got, want)
	}
}

func TestCyclesAreNamed(t *testing.T) {
	got := problemsOf(mustRead(t, wholeFile), "stages.stable.init=boost")
	want := "51:3: stages.stable: the stages need each other in a circle: stable -> boost -> stable"
	if len(got) != 1 || got[0] != want {
		t.Errorf("problems are %q, want %q", got, want)
	}
	// Through a plugin that asks a model which learns from what the plugin let pass.
	got = problemsOf(mustRead(t, wholeFile), "plugins.rules.models.lm=boost")
	want = "43:3: stages.clean: the stages need each other in a circle: clean -> boost -> clean"
	if len(got) == 0 || got[0] != want {
		t.Errorf("problems are %q, want first %q", got, want)
	}
}

func TestTokenizerMustBeKnown(t *testing.T) {
	text := mustRead(t, wholeFile)
	second := "stages.words2={kind: tokenizer, from: [medical], vocab: 300}"
	got := problemsOf(text, second, "stages.test.models=[stable]")
	want := "36:11: stages.rate.init: the tokenizer of encoder is open: name one of words, words2 in the train stage"
	if len(got) != 2 || got[0] != want { // boost and what follows it lack it as well, but that is not said again
		t.Errorf("problems are %q, want first %q", got, want)
	}
	if got := problemsOf(text, second, "stages.stable.tokenizer=words", "stages.rate.tokenizer=./dir"); len(got) != 0 {
		t.Errorf("problems are %q", got)
	}
	got = problemsOf(text, "stages.words=null", "stages.test.models=[given]")
	want = "36:11: stages.rate.init: there is no tokenizer for encoder: add a stage of kind tokenizer, " +
		"or name a directory in the train stage"
	if len(got) == 0 || got[0] != want {
		t.Errorf("problems are %q", got)
	}
	got = problemsOf(text, second, "stages.stable.tokenizer=words", "stages.rate.tokenizer=words",
		"stages.other={kind: train, init: base, objective: next_token, data: medical, over_length: cut, epochs: 1, "+
			"batch_size: 1, learning_rate: 1, tokenizer: words2}")
	if len(got) != 2 {
		t.Errorf("two tokenizers of one model: %q", got)
	}
}
