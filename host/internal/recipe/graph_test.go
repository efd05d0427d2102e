package recipe

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestOrderFollowsReferencesThenTheFile(t *testing.T) {
	r, err := Load(wholeFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"words", "rate", "clean", "stable", "boost", "dialogues", "sft", "dpo", "answered", "test",
		"raters", "release"}
	if diff := cmp.Diff(want, r.Order()); diff != "" {
		t.Error(diff)
	}
}

func TestNeedsIncludePluginsModelsAndTokenizers(t *testing.T) {
	r, err := Load(wholeFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	for stage, want := range map[string]Refs{
		"words": {Datasets: []string{"general", "medical", "talks"}},
		"rate":  {Datasets: []string{"rated"}, Models: []string{"encoder"}, Stages: []string{"words"}, Tokenizer: "words"},
		"clean": {Datasets: []string{"medical"}, Plugins: []string{"rater", "rules"}, Stages: []string{"rate"}},
		"boost": {Datasets: []string{"talks"}, Stages: []string{"clean", "stable", "words"}, Tokenizer: "words"},
		"dpo":   {Datasets: []string{"pairs"}, Stages: []string{"sft", "words"}, Tokenizer: "words"},
		"test": {
			Datasets: []string{"exam", "medical", "pairs"}, Models: []string{"base", "given"}, Plugins: []string{"reward"},
			Stages: []string{"boost", "dpo", "sft", "stable", "words"}, Tokenizer: "words",
		},
		"release": {Stages: []string{"dpo"}},
	} {
		if diff := cmp.Diff(want, r.Needs(stage)); diff != "" {
			t.Errorf("%s: %s", stage, diff)
		}
	}
}

func TestTokenizerFollowsTheModel(t *testing.T) {
	r := mustParse(t, mustRead(t, wholeFile), "stages.stable.tokenizer=words", "stages.rate.tokenizer=/tok",
		"stages.words2={kind: tokenizer, from: [medical], vocab: 300}")
	for name, want := range map[string]string{
		"dpo": "words", "base": "words", "rate": "/tok", "encoder": "/tok", "given": "models/llama", "nothing": "",
	} {
		if got := r.TokenizerOf(name); got != want {
			t.Errorf("tokenizer of %s is %q, want %q", name, got, want)
		}
	}
}

func TestBracketsSelectAndAreNotPartOfTheName(t *testing.T) {
	for key, want := range map[string]string{
		"talks": "talks", "talks[rater.quality>=4]": "talks", "talks [a > 1]": "talks", "talks[a": "talks[a",
	} {
		if got := selected(key); got != want {
			t.Errorf("%s is of %q", key, got)
		}
	}
}

// chain is a recipe of train stages whose parents are drawn: -1 is the model.
func chain(parents []int) string {
	var b strings.Builder
	b.WriteString("name: chain\ndatasets: {d: {files: [d], format: text}}\nmodels: {m: {from: m}}\nstages:\n")
	for i, parent := range parents {
		init := "m"
		if parent >= 0 {
			init = fmt.Sprintf("s%d", parent)
		}
		fmt.Fprintf(&b, "  s%d: {kind: train, init: %s, objective: next_token, data: d, over_length: cut, steps: 1, "+
			"batch_size: 1, learning_rate: 1}\n", i, init)
	}
	return b.String()
}

func TestOrderPutsEveryStageBehindItsNeedsOrThereIsACycle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parents := rapid.SliceOfN(rapid.IntRange(-1, 6), 7, 7).Draw(t, "parents")
		r, problems := parse("r.yaml", []byte(chain(parents)), nil)
		order := r.Order()
		if (len(order) == len(parents)) != (len(problems) == 0) {
			t.Fatalf("%d stages of %d in order, and problems %v", len(order), len(parents), problems)
		}
		for i, name := range order {
			for _, need := range r.Needs(name).Stages {
				if at := slices.Index(order, need); at < 0 || at >= i {
					t.Fatalf("%s comes before %s", name, need)
				}
			}
		}
	})
}
