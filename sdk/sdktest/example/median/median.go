// Package median is a stateful filter that the conformance tests build in three ways: it judges when it has seen all
// dialogues.
package median

import (
	"context"
	"slices"

	"github.com/carebot-llm/carebot/sdk"
)

// Name is the plugin's name.
const Name = "sdktest-median"

func init() {
	sdk.Register(sdk.Plugin{
		Manifest: sdk.Manifest{
			ABI: sdk.ABI, Name: Name, Version: "1.0.0", Kinds: []sdk.Kind{sdk.KindFilter}, Columns: []string{"turns"},
			Reasons: []string{"below-median", "empty"}, Purity: sdk.Stateful,
		},
		New: func(sdk.Env) (any, error) { return &filter{}, nil },
	})
}

type filter struct{ lengths []int }

// Filter drops empty dialogues and postpones the others.
func (f *filter) Filter(_ context.Context, dialogues []sdk.Dialogue) ([]sdk.Verdict, error) {
	verdicts := make([]sdk.Verdict, len(dialogues))
	for i, d := range dialogues {
		n := 0
		for _, turn := range d.Turns {
			n += len(turn.Text)
		}
		if n == 0 {
			verdicts[i] = sdk.Verdict{Action: sdk.Drop, Reasons: []string{"empty"}}
			continue
		}
		f.lengths = append(f.lengths, n)
		verdicts[i] = sdk.Verdict{Action: sdk.Later}
	}
	return verdicts, nil
}

// Flush drops what is shorter than the median.
func (f *filter) Flush(context.Context) ([]sdk.Verdict, error) {
	sorted := slices.Sorted(slices.Values(f.lengths))
	verdicts := make([]sdk.Verdict, len(sorted))
	for i, n := range f.lengths {
		median := sorted[len(sorted)/2]
		verdicts[i].Score = float64(n) / float64(median)
		if n < median {
			verdicts[i].Action, verdicts[i].Reasons = sdk.Drop, []string{"below-median"}
		}
	}
	f.lengths = nil
	return verdicts, nil
}

var _ sdk.Flusher = (*filter)(nil)
