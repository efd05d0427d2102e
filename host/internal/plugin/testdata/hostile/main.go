// Command hostile is a plugin that misbehaves on the documents that tell it how, and measures the others. With the
// argument borrows it borrows their texts.
package main

import (
	"context"
	"errors"
	"math"
	"os"
	"slices"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func init() {
	sdk.Register(sdk.Plugin{
		Manifest: sdk.Manifest{
			ABI: sdk.ABI, Name: "hostile", Version: "1", Kinds: []sdk.Kind{sdk.KindScorer}, Purity: sdk.Pure,
			Columns: []string{"text"}, Scores: []sdk.ScoreInfo{{Name: "length"}},
		},
		New:     func(sdk.Env) (any, error) { return scorer{}, nil },
		Borrows: slices.Contains(os.Args, "borrows"),
	})
}

func main() { wire.Serve() }

type scorer struct{}

func (scorer) Score(_ context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	ratings := make([]sdk.Rating, len(docs))
	for i, d := range docs {
		length := float64(len(d.Text))
		switch d.Text {
		case "loop":
			for x := 1; x > 0; {
				x ^= 2
			}
		case "exit":
			os.Exit(3)
		case "panic":
			panic("the plugin panics")
		case "error":
			return nil, errors.New("the plugin does not like this")
		case "memory":
			for hoard := [][]byte{{0}}; ; hoard = append(hoard, make([]byte, 1<<20)) {
				hoard[len(hoard)/2][0] = 1
			}
		case "few":
			return ratings[:i], nil
		case "nan":
			length = math.NaN()
		case "undeclared":
			ratings[i].Scores = map[string]float64{"width": 1}
			continue
		case "stop":
			stop()
		}
		ratings[i].Scores = map[string]float64{"length": length}
	}
	return ratings, nil
}
