package wire

import (
	"context"
	"strings"
	"testing"
	"fmt"

	"github.com/carebot-llm/carebot/sdk"
)

type lengths struct{}

func (lengths) Score(_ context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	ratings := make([]sdk.Rating, len(docs))
	for i, d := range docs {
		ratings[i].Scores = map[string]float64{"length": float64(len(d.Text))}
	}
	return ratings, nil
}

func BenchmarkGuest(b *testing.B) {
	for _, size := range []int{1 << 10, 8 << 10} {
		docs := make([]sdk.Document, 256)
		for i := range docs {
			docs[i].Text = strings.Repeat("x", size)
		}
		frame, err := EncodeDocuments(new(Builder), 0, []Column{ColText}, docs)
		if err != nil {
			b.Fatal(err)
		}
		g, err := NewGuest(sdk.Plugin{Manifest: sdk.Manifest{Kinds: []sdk.Kind{sdk.KindScorer}, Scores: []sdk.ScoreInfo{{Name: "length"}}}, New: func(sdk.Env) (any, error) { return lengths{}, nil }, Borrows: true}, sdk.Env{})
		if err != nil {
			b.Fatal(err)
		}
		per := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*256), "ns/doc")
		}
		b.Run(fmt.Sprint("run/", size>>10), func(b *testing.B) {
			for b.Loop() {
				if _, err := g.Run(context.Background(), Documents, frame); err != nil {
					b.Fatal(err)
				}
			}
			per(b)
		})
		b.Run(fmt.Sprint("decode/", size>>10), func(b *testing.B) {
			for b.Loop() {
				f, _ := Parse(frame)
				DecodeDocuments(f)
			}
			per(b)
		})
		b.Run(fmt.Sprint("string/", size>>10), func(b *testing.B) {
			for b.Loop() {
				s = string(frame)
			}
			per(b)
		})
		b.Run(fmt.Sprint("copy/", size>>10), func(b *testing.B) {
			to := make([]byte, len(frame))
			for b.Loop() {
				copy(to, frame)
			}
			per(b)
		})
		b.Run(fmt.Sprint("chunked/", size>>10), func(b *testing.B) {
			to := make([]byte, len(frame))
			for b.Loop() {
				for i := 0; i < len(frame); i += 64 << 10 {
					copy(to[i:], frame[i:min(i+64<<10, len(frame))])
				}
			}
			per(b)
		})
	}
}

var s string
