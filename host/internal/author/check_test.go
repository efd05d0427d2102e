package author

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

func spec(use string) plugin.Spec {
	return plugin.Spec{Name: "subject", Plugin: recipe.Plugin{
		Use: use, Limits: recipe.Limits{Memory: 64 << 20, Deadline: recipe.Duration(20 * time.Second)},
	}}
}

// stubborn answers what no case wants.
type stubborn struct{}

func (stubborn) Score(_ context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	ratings := make([]sdk.Rating, len(docs))
	for i, d := range docs {
		ratings[i].Scores = map[string]float64{"x": float64(len(d.Text))}
	}
	return ratings, nil
}

func (stubborn) Filter(_ context.Context, dialogues []sdk.Dialogue) ([]sdk.Verdict, error) {
	verdicts := make([]sdk.Verdict, len(dialogues))
	for i := range verdicts {
		verdicts[i] = sdk.Verdict{Action: sdk.Later}
	}
	return verdicts, nil
}

func (stubborn) Flush(context.Context) ([]sdk.Verdict, error) {
	return []sdk.Verdict{{Action: sdk.Keep}, {Action: sdk.Drop, Reasons: []string{"late"}, Score: 0.5}}, nil
}

func (stubborn) Reward(_ context.Context, samples []sdk.Sample) ([]sdk.Judgement, error) {
	judgements := make([]sdk.Judgement, len(samples))
	for i := range judgements {
		judgements[i] = sdk.Judgement{Status: sdk.Fault, Detail: "no mood"}
	}
	return judgements, nil
}

func init() {
	sdk.Register(sdk.Plugin{
		Manifest: sdk.Manifest{
			ABI: sdk.ABI, Name: "stubborn", Version: "1", Purity: sdk.Stateful, Reasons: []string{"late"},
			Kinds:  []sdk.Kind{sdk.KindScorer, sdk.KindFilter, sdk.KindReward},
			Scores: []sdk.ScoreInfo{{Name: "x"}},
		},
		New: func(sdk.Env) (any, error) { return stubborn{}, nil },
	})
}

func TestFailuresSayWhatDiffers(t *testing.T) {
	cases, err := readCases(strings.NewReader(`
{"name": "long", "document": {"text": "abc"}, "want": {"scores": {"x": 2, "y": 1}}}
{"dialogue": {}, "want": {"action": "later"}}
{"dialogue": {}, "want": {"action": "keep", "reasons": [], "score": 1, "edits": [{"turn": 1, "op": "delete"}]}}
{"sample": {"response": "a"}, "want": {"status": "fault"}}
{"sample": {"response": "b"}, "want": {"reward": 1}}
{"document": {"text": "abc"}, "want": {"scores": {"x": 3}}}
`), "cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	failures, err := Check(t.Context(), spec("stubborn"), cases)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"line 2 (long): scores.x is 3, want 2; scores.y is not declared in the manifest",
		"line 4: action is drop, want keep; score is 0.5, want 1; reasons is [late], want []; " +
			"edits are [], want [{Turn:1 Op:delete Text:}]",
		"line 6: status is fault (no mood), want ok; reward is NaN, want 1",
	}
	if len(failures) != len(want) {
		t.Fatal(failures)
	}
	for i, f := range failures {
		if f.String() != want[i] {
			t.Errorf("failure %d is %q, want %q", i, f, want[i])
		}
	}
}
