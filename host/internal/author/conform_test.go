package author

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/carebot-llm/carebot/sdk"
)

// A breaker breaks the contract in the way that its plugin is called.
type breaker struct{ way string }

// asked counts the batches of all instances.
var asked atomic.Int64

func (b breaker) Score(_ context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	n := float64(asked.Add(1))
	ratings := make([]sdk.Rating, len(docs))
	for i, d := range docs {
		x := float64(len(d.Text))
		switch b.way {
		case "moody":
			x = n
		case "sociable":
			x = float64(len(docs))
		case "weak":
			if strings.Contains(d.Text, "🫀") {
				ratings[i] = sdk.Rating{Status: sdk.Fault, Detail: "no hearts"}
				continue
			}
		}
		ratings[i].Scores = map[string]float64{"x": x}
	}
	return ratings, nil
}

func init() {
	for _, way := range []string{"sound", "moody", "sociable", "weak"} {
		sdk.Register(sdk.Plugin{
			Manifest: sdk.Manifest{
				ABI: sdk.ABI, Name: "test-" + way, Version: "1", Purity: sdk.Pure, Kinds: []sdk.Kind{sdk.KindScorer},
				Scores: []sdk.ScoreInfo{{Name: "x"}},
			},
			New: func(sdk.Env) (any, error) { return breaker{way}, nil },
		})
	}
}

func TestConformFindsWhatBreaksTheContract(t *testing.T) {
	for way, want := range map[string]string{
		"sound":    "",
		"moody":    "document a: another answer the second time:",
		"sociable": "document a: another answer when it is asked alone:",
		"weak":     "document d: fault: no hearts",
	} {
		problems, err := Conform(t.Context(), spec("test-"+way))
		if err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(problems, func(p string) bool { return strings.HasPrefix(p, want) })
		if want == "" && len(problems) > 0 || want != "" && !found {
			t.Errorf("%s: %q, want %q", way, problems, want)
		}
	}
}
