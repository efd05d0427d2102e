// Command my-scorer rates documents by their letters and their length.
package main

import (
	"context"
	"unicode/utf8"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func init() {
	zero, one := 0.0, 1.0
	sdk.Register(sdk.Plugin{
		Manifest: sdk.Manifest{
			ABI: sdk.ABI, Name: "my-scorer", Version: "0.1.0", Summary: "share of letters, and length",
			Kinds: []sdk.Kind{sdk.KindScorer}, Columns: []string{"text"}, Purity: sdk.Pure,
			Scores: []sdk.ScoreInfo{
				{Name: "letters", Summary: "share of characters that are letters", Min: &zero, Max: &one, HigherIsBetter: true},
				{Name: "length", Summary: "length in characters", Min: &zero, HigherIsBetter: true},
			},
		},
		New:     func(sdk.Env) (any, error) { return scorer{}, nil },
		Borrows: true, // no text is kept when Score has returned
	})
}

func main() { wire.Serve() }

type scorer struct{}

func (scorer) Score(_ context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	ratings := make([]sdk.Rating, len(docs))
	for i, d := range docs {
		ratings[i] = rate(d.Text)
	}
	return ratings, nil
}

func rate(text string) sdk.Rating {
	if text == "" {
		return sdk.Rating{Status: sdk.Abstain, Detail: "no text"}
	}
	letters := 0
	for _, c := range text {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf {
			letters++
		}
	}
	length := float64(utf8.RuneCountInString(text))
	return sdk.Rating{Scores: map[string]float64{"letters": float64(letters) / length, "length": length}}
}

var _ sdk.Scorer = scorer{}
