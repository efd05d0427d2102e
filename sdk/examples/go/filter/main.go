// Command my-filter drops dialogues that end in nothing new and trims the turns of the others.
package main

import (
	"context"
	"strings"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func init() {
	sdk.Register(sdk.Plugin{
		Manifest: sdk.Manifest{
			ABI: sdk.ABI, Name: "my-filter", Version: "0.1.0", Summary: "drops dialogues that end in nothing new",
			Kinds: []sdk.Kind{sdk.KindFilter}, Columns: []string{"turns"}, Purity: sdk.Pure,
			Reasons: []string{"empty", "repeated"},
		},
		New: func(sdk.Env) (any, error) { return filter{}, nil },
	})
}

func main() { wire.Serve() }

type filter struct{}

func (filter) Filter(_ context.Context, dialogues []sdk.Dialogue) ([]sdk.Verdict, error) {
	verdicts := make([]sdk.Verdict, len(dialogues))
	for i, d := range dialogues {
		verdicts[i] = judge(d.Turns)
	}
	return verdicts, nil
}

func judge(turns []sdk.Turn) sdk.Verdict {
	if len(turns) == 0 || trim(turns[len(turns)-1].Text) == "" {
		return sdk.Verdict{Action: sdk.Drop, Reasons: []string{"empty"}}
	}
	last := turns[len(turns)-1]
	for _, t := range turns[:len(turns)-1] {
		if t.Role == last.Role && trim(t.Text) == trim(last.Text) {
			return sdk.Verdict{Action: sdk.Drop, Reasons: []string{"repeated"}}
		}
	}
	var v sdk.Verdict
	for i, t := range turns {
		if text := trim(t.Text); text != t.Text {
			v.Action, v.Edits = sdk.Edit, append(v.Edits, sdk.TurnEdit{Turn: i, Op: sdk.ReplaceTurn, Text: text})
		}
	}
	return v
}

func trim(text string) string { return strings.Trim(text, " \t\r\n") }

var _ sdk.Filter = filter{}
