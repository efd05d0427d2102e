package run

import (
	"math"
	"reflect"
	"testing"

	_ "github.com/carebot-llm/carebot/plugins/datarater"
)

const ratedTwice = `name: rater
device: cpu
datasets: {rated: {files: [rated.jsonl], format: rated}}
models: {base: {arch: xlm-roberta, layers: 1, hidden: 32, heads: 2, context: 64, initializer_range: 0.3}}
plugins:
  float32: {use: datarater, models: {quality: rater}}
  rounded: {use: datarater, models: {quality: rater}, bf16: true}
stages:
  words: {kind: tokenizer, from: [rated], vocab: 270}
  rater:
    {kind: train, init: base, objective: regression, data: rated, over_length: cut, epochs: 1,
     batch_size: 2, learning_rate: 1e-3}
  equal:
    {kind: curate, from: rated, steps: [score: float32, score: rounded, keep: float32.quality == rounded.quality]}
  exact: {kind: evaluate, models: [rater], ratings: [rated]}
  near: {kind: evaluate, models: [rater], ratings: [rated], bf16: true}
`

func ratedProject(t *testing.T) *project {
	return newProject(t, map[string]string{"rater.yaml": ratedTwice,
		"rated.jsonl": `{"text": "The heart pumps blood.", "label": 3}
{"text": "The lungs take oxygen from the air.", "label": 1}
`})
}

func TestAPluginsModelsComputeInBFloat16IfTheRecipeSaysSo(t *testing.T) {
	p := ratedProject(t)
	p.run(t, "rater.yaml")
	if s := p.summary(t, "rater", "equal"); s.Out > 0 {
		t.Errorf("%d of %d scores were not rounded", s.Out, s.In)
	}
	p.run(t, "rater.yaml", "plugins.rounded.bf16=false")
	if s := p.summary(t, "rater", "equal"); s.In != 2 || s.Out != 2 {
		t.Errorf("%d of %d scores are equal without bf16", s.Out, s.In)
	}
}

func TestAnEvaluateStageComputesInBFloat16IfTheRecipeSaysSo(t *testing.T) {
	p := ratedProject(t)
	p.run(t, "rater.yaml")
	exact, near := p.summary(t, "rater", "exact").Evaluation.Ratings[0], p.summary(t, "rater", "near").Evaluation.Ratings[0]
	if off := math.Abs(exact.MAE - near.MAE); off == 0 || off > 0.05*exact.MAE {
		t.Errorf("the mean absolute error is %g, in bfloat16 %g", exact.MAE, near.MAE)
	}
}

func TestServedModelsComputeInBFloat16IfAsked(t *testing.T) {
	p := ratedProject(t)
	p.run(t, "rater.yaml")
	var scores [2][][]float64
	for i, bf16 := range []bool{false, true} {
		models, closeAll, err := OpenModels([]string{p.dir + "/runs/rater/rater/checkpoint-1"}, "cpu", bf16)
		if err != nil {
			t.Fatal(err)
		}
		if scores[i], err = models[0].ScoreTokens(t.Context(), [][]int32{{1, 70, 80, 90, 2}}, nil); err != nil {
			t.Error(err)
		}
		if err := closeAll(); err != nil {
			t.Error(err)
		}
	}
	if reflect.DeepEqual(scores[0], scores[1]) {
		t.Errorf("scores %v, with bf16 too", scores[0])
	}
}
