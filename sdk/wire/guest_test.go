package wire

import (
	"context"
	"testing"

	"github.com/carebot-llm/carebot/sdk"
)

// keeper is a scorer that keeps the texts that it has seen, as no plugin that borrows may.
type keeper struct{ seen []string }

func (k *keeper) Score(_ context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	for _, d := range docs {
		k.seen = append(k.seen, d.Text)
	}
	return make([]sdk.Rating, len(docs)), nil
}

func TestTextsAreCopiedUnlessThePluginBorrowsThem(t *testing.T) {
	docs := []sdk.Document{{Text: "first"}, {Text: "second"}}
	for borrows, want := range map[bool]string{false: "second", true: "\x00\x00\x00\x00\x00\x00"} {
		k := new(keeper)
		guest, err := NewGuest(sdk.Plugin{
			Manifest: sdk.Manifest{Kinds: []sdk.Kind{sdk.KindScorer}},
			New:      func(sdk.Env) (any, error) { return k, nil },
			Borrows:  borrows,
		}, sdk.Env{})
		if err != nil {
			t.Fatal(err)
		}
		frame, err := EncodeDocuments(new(Builder), 0, ColumnsOf(Documents, nil), docs)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := guest.Run(t.Context(), Documents, frame); err != nil {
			t.Fatal(err)
		}
		clear(frame)
		if k.seen[1] != want {
			t.Errorf("borrows %v: the text is %q when the request is gone, want %q", borrows, k.seen[1], want)
		}
	}
}
