package recipe

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// problemsOf lists what is wrong with a recipe, a line each, without the name of the file.
func problemsOf(text string, overrides ...string) []string {
	_, problems := parse("r.yaml", []byte(text), overrides)
	var lines []string
	for _, p := range problems {
		lines = append(lines, strings.TrimLeft(strings.TrimPrefix(p.String(), "r.yaml:"), " "))
	}
	return lines
}

func TestAllProblemsOfAFileAreReportedAtOnce(t *testing.T) {
	text := `name: six
datasets:
  medical: {files: [a.jsonl], format: txt}
models:
  base: {arch: llama, layers: 2, hidden: 64, heads: 4}
stages:
  words: {kind: tokenizer, from: [medcal], vocab: 1e3}
  stable:
    kind: train
    init: base
    objective: next_token
    lerning_rate: 1e-3
    learning_rate: fast
    data: medical
    over_length: cut
    epochs: 1
    steps: 10
    batch_size: 8
    micro_batch_size: 3
`
	want := []string{
		`3:39: datasets.medical.format: want one of auto, text, rated, messages, sharegpt, alpaca, completion, prompt, transcript, preference, labelled, ` +
			`choice, found "txt", did you mean text`,
		`7:35: stages.words.from[0]: want a dataset or a curate or pairs stage, nothing is named "medcal", ` +
			`did you mean medical`,
		`12:5: stages.stable.lerning_rate: unknown key, did you mean learning_rate`,
		`13:20: stages.stable.learning_rate: want a number, found the text "fast"`,
		`17:12: stages.stable.steps: the length is given twice: want one of epochs, steps`,
		`18:17: stages.stable.batch_size: 8 does not divide into micro batches of 3`,
	}
	if diff := cmp.Diff(want, problemsOf(text)); diff != "" {
		t.Error(diff)
	}
}

func TestFileThatIsNoRecipe(t *testing.T) {
	deep := strings.Repeat("[", 60) + strings.Repeat("]", 60)
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'i'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 10) + "x]\n"
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":   {"", "the file is empty"},
		"comment": {"# nothing\n", "the file is empty"},
		"null":    {"~\n", "the file is empty"},
		"list":    {"- name\n", "1:1: want a mapping, found a list"},
		"text":    {"name\n", `1:1: want a mapping, found the text "name"`},
		"tab":     {"name: a\nstages:\n\ta: {}\n", "3:1: a tab in the indentation; YAML indents with spaces"},
		"syntax":  {"name: a\nseed: [1\n", "2:1: no valid YAML: did not find expected ',' or ']'"},
		"two documents": {
			"models: {m: {from: x}}\nstages: {e: {kind: export, model: m}}\nname: a\n---\nname: b\n",
			"4:1: a recipe is one YAML document, here begins a second",
		},
		"depth":  {"name: " + deep, "1:57: too large: more than 20000 values or 50 levels, aliases expanded"},
		"bomb":   {bomb, "5:8: too large: more than 20000 values or 50 levels, aliases expanded"},
		"circle": {"name: &a [*a]\n", "1:11: too large: more than 20000 values or 50 levels, aliases expanded"},
		"merge circle": {
			"name: &a {<<: *a}\n",
			"1:15: too large: more than 20000 values or 50 levels, aliases expanded",
		},
		"lost anchor": {"name: *a\n", "no valid YAML: unknown anchor 'a' referenced"},
		"bytes":       {"name: \xff\xfe\n", "no valid YAML: invalid leading UTF-8 octet"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := problemsOf(c.text); len(got) == 0 || got[0] != c.want {
				t.Errorf("problems are %q, want first %q", got, c.want)
			}
		})
	}
}

// A change is one edit of the whole recipe and the problem that it makes.
type change struct{ old, new, want string }

func (c change) test(t *testing.T) {
	t.Helper()
	text := mustRead(t, wholeFile)
	if strings.Count(text, c.old) != 1 {
		t.Fatalf("%q is %d times in the recipe", c.old, strings.Count(text, c.old))
	}
	got := problemsOf(strings.Replace(text, c.old, c.new, 1))
	if len(got) != 1 {
		t.Fatalf("problems are %q, want %q alone", got, c.want)
	}
	if _, rest, _ := strings.Cut(got[0], ": "); rest != c.want {
		t.Errorf("problem is %q, want %q", rest, c.want)
	}
}

// wrongEntries are keys and values that do not fit the shape of a recipe.
var wrongEntries = map[string]change{
	"typing error": {"learn: assistant", "lern: assistant", "stages.sft.lern: unknown key, did you mean learn"},
	"no idea":      {"learn: assistant", "frobnicate: 1", "stages.sft.frobnicate: unknown key"},
	"of another kind": {
		"learn: assistant", "vocab: 3",
		"stages.sft.vocab: only a stage of kind tokenizer has this key",
	},
	"of another place": {
		"aggregate: mean}", "aggregate: mean}, outputs: 1",
		"plugins.rater.outputs: unknown key; outputs is a key of models.NAME",
	},
	"twice": {"seed: 7", "seed: 7\nseed: 8", "seed: this key stands twice, first at r.yaml:3:1"},
	"missing": {
		"    over_length: cut\n", "",
		"stages.rate: over_length is missing: what happens to a record that is longer than sequence_len " +
			"(cut, split, drop, error)",
	},
	"no value": {
		"epochs: 3", "epochs:",
		"stages.rate.epochs: no value; leave the key out to take its default",
	},
	"empty text": {"use: quality-rules", `use: ""`, "plugins.rules.use: the text is empty"},
	"mapping for list": {
		"files: [pairs.jsonl]", "files: {a: b}",
		"datasets.pairs.files: want a list, found a mapping",
	},
	"empty required":  {"from: [medical, general, talks]", "from: []", "stages.words.from: the list is empty"},
	"text for number": {"epochs: 3", "epochs: three", `stages.rate.epochs: want a number, found the text "three"`},
	"quoted number": {
		"steps: 100", `steps: "100"`,
		`stages.dpo.steps: want a whole number, found the text "100"; without quotes it is a number`,
	},
	"fraction": {"steps: 100", "steps: 1.5", "stages.dpo.steps: want a whole number, found the number 1.5"},
	"too small": {
		"steps: 100", "steps: 0",
		"stages.dpo.steps: want a whole number of at least 1, found the number 0",
	},
	"not above": {"beta: 0.03", "beta: 0", "stages.dpo.beta: want a number above 0, found the number 0"},
	"too large": {
		"max_bad: 0.05", "max_bad: 5",
		"datasets.talks.max_bad: want a number of at most 1, found the number 5",
	},
	"not finite":       {"beta: 0.03", "beta: .nan", "stages.dpo.beta: want a finite number, found .nan"},
	"negative seed":    {"seed: 7", "seed: -7", "seed: want a whole number of at least 0, found the number -7"},
	"beyond all whole": {"seed: 7", "seed: 1e30", "seed: want a whole number, found the number 1e+30"},
	"number for text": {
		"language: en,", "language: 7,",
		"datasets.medical.language: want text, found the number 7; quotes make it text",
	},
	"yes": {
		"header: false", "header: no",
		`datasets.rated.header: want true or false, found the text "no"`,
	},
	"maybe": {
		"bf16: true", "bf16: maybe",
		`stages.dpo.bf16: want true or false, found the text "maybe"`,
	},
	"no size": {
		"memory: 64MiB", "memory: 64 parsec",
		`plugins.reward.limits.memory: want a size such as 256MiB or 5GB, found the text "64 parsec"`,
	},
	"no unit": {
		"deadline: 1m30s", "deadline: 90",
		"plugins.reward.limits.deadline: want a time span such as 30s or 1m30s, found the number 90",
	},
	"enum": {
		"learn: assistant", "learn: asistant",
		`stages.sft.learn: want one of all, assistant, last, found "asistant", did you mean assistant`,
	},
	"role": {
		`"D:": assistant`, `"D:": doctor`,
		`datasets.visits.speakers.D:: want one of user, assistant, system, found "doctor"`,
	},
	"device": {"device: cpu", "device: gpu", `device: want auto, cpu, cuda or cuda:N, found "gpu"`},
	"digest": {
		"sha256: 0123", "sha256: X123",
		`plugins.judge.sha256: want 64 hexadecimal digits, found ` +
			`"X123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"`,
	},
	"bad name": {
		"name: whole", "name: Whole/thing",
		`name: want a name of a-z, 0-9, _ and -, such as stable-2, found "Whole/thing"`,
	},
	"bad key": {
		"  raters: {", "  Raters!: {",
		`stages.Raters!: "Raters!" is no name: want a name of a-z, 0-9, _ and -, such as stable-2`,
	},
	"two steps in one": {
		"- score: rules", "- {score: rules, dedup: {}}",
		"stages.clean.steps[1]: want exactly one key: dedup, score, filter, reward, keep",
	},
	"kind": {
		"kind: export", "kind: exports",
		`stages.release.kind: want one of tokenizer, curate, train, pairs, evaluate, export, found "exports", did ` +
			`you mean export`,
	},
	"tag": {"seed: 7", "seed: !secret 7", "seed: the tag !secret is not known here"},
	"fields": {
		"{text: 0, label: [1]}", "{text: [], label: [1]}",
		"datasets.rated.fields.text: the list is empty",
	},
	"key as list": {"seed: 7", "seed: 7\n? [a]\n: 1", "a key must be plain text"},
}

func TestWrongKeysAndValues(t *testing.T) {
	for name, c := range wrongEntries {
		t.Run(name, c.test)
	}
}

func TestMergeNeedsMappings(t *testing.T) {
	got := problemsOf("name: a\nstages: {<<: [1, {a: {kind: export, model: m}}]}\nmodels: {m: {from: x}}\n")
	want := []string{"2:15: stages: << merges mappings, this is none"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestKeysThatNothingWouldRead(t *testing.T) {
	for name, c := range map[string]change{
		"objective": {
			"    packing: false\n", "    beta: 1\n",
			"stages.sft.beta: nothing reads this key unless objective is dpo",
		},
		"scheduler": {
			"    packing: false\n", "    decay_ratio: 0.1\n",
			"stages.sft.decay_ratio: nothing reads this key unless scheduler is wsd",
		},
		"format": {
			"source: clinic", "answer_base: 1",
			"datasets.talks.answer_base: nothing reads this key unless format is choice",
		},
		"model": {
			"from: models/llama", "from: models/llama, layers: 3",
			"models.given.layers: nothing reads this key when from is given",
		},
		"measure": {
			"label: label}", "scoring: text}",
			"stages.raters.scoring: nothing reads this key unless benchmarks is given",
		},
	} {
		t.Run(name, c.test)
	}
}

func TestNamesOfOtherToolsSuggestOurs(t *testing.T) {
	for theirs, ours := range map[string]string{
		"lr": "learning_rate", "num_train_epochs": "epochs", "per_device_train_batch_size": "micro_batch_size",
		"lr_scheduler_type": "scheduler", "cutoff_len": "sequence_len", "sequence_length": "sequence_len",
		"gradient_accumulation_steps": "micro_batch_size", "model_name_or_path": "init", "warmup_steps": "warmup_ratio",
		"max_steps": "steps", "dataset": "data",
	} {
		got := problemsOf(mustRead(t, wholeFile), "stages.sft."+theirs+"=1")
		want := "command line: stages.sft." + theirs + ": unknown key, did you mean " + ours
		if len(got) != 1 || got[0] != want {
			t.Errorf("problems are %q, want %q", got, want)
		}
	}
	got := problemsOf(mustRead(t, wholeFile), "model_name_or_path=llama")
	want := "command line: model_name_or_path: unknown key; init is a key of stages.NAME of kind train"
	if len(got) != 1 || got[0] != want {
		t.Errorf("problems are %q, want %q", got, want)
	}
}

func TestEveryAliasLeadsToAKey(t *testing.T) {
	for theirs, ours := range aliases {
		if homes()[theirs] != "" && theirs != "type" && theirs != "config" && theirs != "path" {
			t.Errorf("%s is a key of ours", theirs)
		}
		for _, key := range ours {
			if homes()[key] == "" {
				t.Errorf("%s leads to %s, which is no key", theirs, key)
			}
		}
	}
}

func TestWrongOverrides(t *testing.T) {
	for override, want := range map[string]string{
		"seed":                    `command line: "seed" is no override: want key.path=value`,
		"=3":                      `command line: "=3" is no override: want key.path=value`,
		"stages..steps=3":         `command line: "stages..steps=3" is no override: want key.path=value`,
		"stages.boots.steps=3":    "command line: stages.boots: the file has none of that name, did you mean boost",
		"stages.dpo.stepz=3":      "command line: stages.dpo.stepz: unknown key, did you mean steps",
		"stages.dpo.epochs=null":  "command line: stages.dpo.epochs: there is no such key to remove",
		"stages.dpo.steps=[1":     "command line: stages.dpo.steps: no valid YAML: did not find expected ',' or ']'",
		"stages.dpo.steps=-1":     "command line: stages.dpo.steps: want a whole number of at least 1, found the number -1",
		"stages.dpo.steps.more=1": "command line: stages.dpo.steps: want a whole number, found a mapping",
	} {
		got := problemsOf(mustRead(t, wholeFile), override)
		if len(got) == 0 || got[0] != want && !strings.HasSuffix(got[0], want) {
			t.Errorf("%s: problems are %q, want %q", override, got, want)
		}
	}
}
