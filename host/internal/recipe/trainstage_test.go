package recipe

import (
	"strings"
	"testing"
)

func TestAStageThatCannotTrainIsNamed(t *testing.T) {
	r := mustParse(t, mustRead(t, wholeFile))
	for name, want := range map[string]string{
		"boots": `there is no stage "boots", did you mean boost`,
		"words": "stage words is of kind tokenizer, not train: want one of boost, dpo, rate, sft, stable",
		"zzzzz": `there is no stage "zzzzz": the recipe has `,
	} {
		_, err := r.TrainStage(name)
		if err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if spec, err := r.TrainStage("boost"); err != nil || spec != r.Stages["boost"].Train {
		t.Errorf("boost: %v, %v", spec, err)
	}
}

func TestADeclarationLeavesOutWhatChangesNoResult(t *testing.T) {
	text := mustRead(t, wholeFile)
	text = strings.Replace(text, "    bf16: true\n    gradient_checkpointing: true\n", "", 1)
	declared := func(overrides ...string) string {
		r, problems := parse("r.yaml", []byte(text), overrides)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return string(r.Declaration("stages", "dpo"))
	}
	plain := declared()
	if declared("stages.dpo.gradient_checkpointing=true") != plain {
		t.Error("gradient_checkpointing changes the declaration")
	}
	if declared("stages.dpo.bf16=true") == plain {
		t.Error("bf16 does not change the declaration")
	}
	if declared("stages.dpo.bf16=false") != plain {
		t.Error("bf16: false is another declaration than none")
	}
}
