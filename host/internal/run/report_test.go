package run

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/train"
)

// wantText compares lines; those of want begin after its first line break.
func wantText(t *testing.T, what, got, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func printed(t *testing.T, tables ...table) string {
	t.Helper()
	var out bytes.Buffer
	for _, each := range tables {
		if err := each.print(&out); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// summaries are those of a made-up run.
func summaries() []*Summary {
	spearman := 0.625
	share := func(model, dataset, language string, share float64) AccuracyFigure {
		return AccuracyFigure{Subject{model, dataset, language}, eval.Accuracy{Share: share, Chance: 0.25}}
	}
	perplexity := func(model, language string, value float64) PerplexityFigure {
		return PerplexityFigure{Subject{model, "held", language}, eval.Perplexity{Perplexity: value}}
	}
	return []*Summary{
		{Stage: "words", Kind: "tokenizer", Unit: "records", In: 1234, Out: 1234, Seconds: 0.26, Cached: true},
		{Stage: "clean", Kind: "curate", Unit: "records", In: 1234567, Out: 1230000, Dropped: 4560, Quarantined: 7, Seconds: 61.25,
			Reasons: map[string]int64{"dedup: duplicate": 4000, "keep: rules.pass >= 1: not kept": 560, "score: rules: fault": 7}},
		{Stage: "stable", Kind: "train", Unit: "tokens", In: 1000, Out: 900, Dropped: 60, Seconds: 3,
			Train: &train.Result{FirstLoss: 5.5456, LastLoss: 2.25},
			Data: &data.PlanReport{Cells: []data.CellReport{
				{Source: "medical", Language: "en", Tally: data.Tally{In: 800, Trained: 700, Masked: 40, Dropped: 60},
					Asked: 0.9, Achieved: 0.8957},
				{Source: "talks", Language: "zh", Tally: data.Tally{In: 200, Trained: 200}, Achieved: 0.1043},
			}}},
		{Stage: "before", Kind: "evaluate", Unit: "records", In: 20, Out: 20, Evaluation: &Evaluation{
			Choice:     []AccuracyFigure{share("base", "exam", "en", 0.25), share("base", "exam", "zh", 0.3)},
			Perplexity: []PerplexityFigure{perplexity("base", "en", 301.456)},
		}},
		{Stage: "after", Kind: "evaluate", Unit: "records", In: 20, Out: 20, Evaluation: &Evaluation{
			Choice:     []AccuracyFigure{share("stable", "exam", "en", 0.7512), share("stable", "quiz", "", 1)},
			Perplexity: []PerplexityFigure{perplexity("stable", "en", 12.5), perplexity("base", "zh", 400)},
			Preference: []AccuracyFigure{share("stable", "pairs", "", 0.815)},
			Ratings: []AgreementFigure{{Subject{"rater", "rated", ""}, 1500, &spearman, 0.5},
				{Subject{"rater", "constant", ""}, 3, nil, 1}},
			Rewards: []RewardFigure{{Subject{"stable", "exam", ""}, "examiner", 0.95, 18, 1, 1}},
		}},
	}
}

func TestTheStageTable(t *testing.T) {
	wantText(t, "stages", printed(t, stageTable(summaries()), reasonTable(summaries())), `

Stages
┌────────┬───────────┬─────────┬───────────┬───────────┬─────────┬─────────────┬───────────────┬─────────────┐
│ stage  │   kind    │  unit   │    in     │    out    │ dropped │ quarantined │     loss      │    time     │
├────────┼───────────┼─────────┼───────────┼───────────┼─────────┼─────────────┼───────────────┼─────────────┤
│ words  │ tokenizer │ records │     1,234 │     1,234 │       0 │           0 │               │ done before │
│ clean  │ curate    │ records │ 1,234,567 │ 1,230,000 │   4,560 │           7 │               │      61.2 s │
│ stable │ train     │ tokens  │     1,000 │       900 │      60 │           0 │ 5.546 → 2.250 │       3.0 s │
│ before │ evaluate  │ records │        20 │        20 │       0 │           0 │               │       0.0 s │
│ after  │ evaluate  │ records │        20 │        20 │       0 │           0 │               │       0.0 s │
└────────┴───────────┴─────────┴───────────┴───────────┴─────────┴─────────────┴───────────────┴─────────────┘

Why records were dropped
┌───────┬─────────────────────────────────┬─────────┐
│ stage │         step and reason         │ records │
├───────┼─────────────────────────────────┼─────────┤
│ clean │ dedup: duplicate                │   4,000 │
│ clean │ keep: rules.pass >= 1: not kept │     560 │
│ clean │ score: rules: fault             │       7 │
└───────┴─────────────────────────────────┴─────────┘
`)
}

func TestTheTokenTableTellsWhereTheyWent(t *testing.T) {
	wantText(t, "tokens", printed(t, mixTable(summaries())), `

Tokens by source
┌────────┬─────────┬──────────┬─────┬─────────┬────────┬─────┬─────────┬───────────────┬────────┬────────┐
│ stage  │ source  │ language │ in  │ trained │ masked │ cut │ dropped │ trained share │ share  │ asked  │
├────────┼─────────┼──────────┼─────┼─────────┼────────┼─────┼─────────┼───────────────┼────────┼────────┤
│ stable │ medical │ en       │ 800 │     700 │     40 │   0 │      60 │        87.5 % │ 89.6 % │ 90.0 % │
│ stable │ talks   │ zh       │ 200 │     200 │      0 │   0 │       0 │       100.0 % │ 10.4 % │        │
└────────┴─────────┴──────────┴─────┴─────────┴────────┴─────┴─────────┴───────────────┴────────┴────────┘
`)
}

func TestFiguresStandByModelAndDataset(t *testing.T) {
	all := summaries()
	got := printed(t, choiceTable(all), perplexityTable(all), preferenceTable(all), ratingTable(all), rewardTable(all))
	wantText(t, "figures", got, `

Exam accuracy
┌────────┬────────┬────────────────────────┬────────────────────────┬─────────────────────────┐
│ stage  │ model  │        exam en         │        exam zh         │          quiz           │
├────────┼────────┼────────────────────────┼────────────────────────┼─────────────────────────┤
│ before │ base   │ 25.0 % (chance 25.0 %) │ 30.0 % (chance 25.0 %) │                       - │
│ after  │ stable │ 75.1 % (chance 25.0 %) │                      - │ 100.0 % (chance 25.0 %) │
└────────┴────────┴────────────────────────┴────────────────────────┴─────────────────────────┘

Held-out perplexity
┌────────┬────────┬─────────┬─────────┐
│ stage  │ model  │ held en │ held zh │
├────────┼────────┼─────────┼─────────┤
│ before │ base   │  301.46 │       - │
│ after  │ stable │   12.50 │       - │
│ after  │ base   │       - │  400.00 │
└────────┴────────┴─────────┴─────────┘

Held-out preference pairs decided right
┌───────┬────────┬────────┐
│ stage │ model  │ pairs  │
├───────┼────────┼────────┤
│ after │ stable │ 81.5 % │
└───────┴────────┴────────┘

Agreement of raters with held-out ratings
┌───────┬──────────┬───────────┬──────────┬─────────────────┐
│ model │ dataset  │ documents │ Spearman │ mean abs. error │
├───────┼──────────┼───────────┼──────────┼─────────────────┤
│ rater │ rated    │     1,500 │    0.625 │           0.500 │
│ rater │ constant │         3 │        - │           1.000 │
└───────┴──────────┴───────────┴──────────┴─────────────────┘

Rewards of the models' own answers
┌────────┬─────────┬──────────┬─────────────┬────────┬───────────┬────────┐
│ model  │ dataset │  plugin  │ mean reward │ judged │ abstained │ faults │
├────────┼─────────┼──────────┼─────────────┼────────┼───────────┼────────┤
│ stable │ exam    │ examiner │       0.950 │     18 │         1 │      1 │
└────────┴─────────┴──────────┴─────────────┴────────┴───────────┴────────┘
`)
}

func TestATableWithoutRowsIsNotShown(t *testing.T) {
	none := []*Summary{{Stage: "words"}}
	if got := printed(t, reasonTable(none), choiceTable(none), ratingTable(none)); got != "" {
		t.Errorf("printed:\n%s", got)
	}
	var markdown bytes.Buffer
	choiceTable(none).markdown(&markdown)
	if markdown.Len() > 0 {
		t.Errorf("markdown:\n%s", markdown.String())
	}
}

func TestATableAsMarkdown(t *testing.T) {
	var out bytes.Buffer
	reasonTable(summaries()).markdown(&out)
	wantText(t, "markdown", out.String(), `

## Why records were dropped

| stage | step and reason | records |
| --- | --- | ---: |
| clean | dedup: duplicate | 4,000 |
| clean | keep: rules.pass >= 1: not kept | 560 |
| clean | score: rules: fault | 7 |
`)
}

func TestCountsHaveTheirThousandsApart(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 12345: "12,345", 123456: "123,456", 1234567: "1,234,567",
		math.MaxInt64: "9,223,372,036,854,775,807",
	} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSharesAreWrittenInPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0.0 %", 0.12345: "12.3 %", 0.9996: "100.0 %", 1: "100.0 %"} {
		if got := percent(share); got != want {
			t.Errorf("percent(%g) = %q, want %q", share, got, want)
		}
	}
}

func TestTheReportSaysWhereThingsLie(t *testing.T) {
	p := newProject(t, nil)
	p.run(t, "mini.yaml")
	dir := filepath.Join(p.dir, "runs", "mini")
	for _, want := range []string{"report          " + filepath.Join(dir, "report.md") + "\n",
		"exported model  " + filepath.Join(dir, "release", "model") + "\n"} {
		if !strings.Contains(p.out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, p.out.String())
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# mini\n", "\n## Stages\n", "\n## Exam accuracy\n", "\n## Tokens by source\n",
		"[recipe.lock.yaml](recipe.lock.yaml)", "![loss-stable.png](loss-stable.png)\n![loss-dpo.png](loss-dpo.png)\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	for _, name := range []string{"recipe.lock.yaml", "loss-stable.png", "loss-dpo.png"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("the report names %s: %v", name, err)
		}
	}
}
