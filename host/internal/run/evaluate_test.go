package run

import (
	"path/filepath"
	"testing"
)

func TestAnswersThatWereNotJudgedHaveNoReward(t *testing.T) {
	p := newProject(t, nil)
	p.run(t, "mini.yaml", "plugins.examiner.use=test-judge", "plugins.examiner.with={weight: 0}")
	figures := p.summary(t, "mini", "exam-before").Evaluation.Rewards
	if len(figures) != 1 || figures[0].Mean != 0 || figures[0].Judged != 0 || figures[0].Abstained != 2 {
		t.Errorf("figures of a plugin that abstains: %+v", figures)
	}
	file := filepath.Join(p.dir, "runs", "mini", "exam-before", "answers-stable-examiner-exam.jsonl")
	answers := jsonLines[judgedPrompt](t, file)
	if len(answers) != 2 {
		t.Fatalf("%d answers", len(answers))
	}
	for _, a := range answers {
		if a.Answers[0].Status != "abstain" || a.Answers[0].Reward != nil || a.ID == "" || a.Reference == "" {
			t.Errorf("answer %+v", a)
		}
	}
	p.run(t, "mini.yaml")
	for _, a := range jsonLines[judgedPrompt](t, file) {
		if a.Answers[0].Status != "ok" || a.Answers[0].Reward == nil || len(a.Prompt) != 1 {
			t.Errorf("answer %+v", a)
		}
	}
}

func TestRatingsThatAreAllEqualHaveNoRankCorrelation(t *testing.T) {
	p := newProject(t, map[string]string{
		"rated.jsonl": `{"text": "The heart pumps blood.", "label": 3}
{"text": "The lungs take oxygen.", "label": 3}
`,
		"rater.yaml": `name: rater
device: cpu
datasets: {rated: {files: [rated.jsonl], format: rated}}
models: {base: {arch: xlm-roberta, layers: 1, hidden: 16, heads: 2, context: 64}}
stages:
  words: {kind: tokenizer, from: [rated], vocab: 270}
  rater:
    {kind: train, init: base, objective: regression, data: rated, over_length: cut, epochs: 1,
     batch_size: 2, learning_rate: 1e-3}
  test: {kind: evaluate, models: [rater], ratings: [rated]}
`})
	p.run(t, "rater.yaml")
	figures := p.summary(t, "rater", "test").Evaluation.Ratings
	if len(figures) != 1 || figures[0].Documents != 2 || figures[0].Spearman != nil || !(figures[0].MAE > 0) {
		t.Errorf("figures %+v", figures)
	}
}
