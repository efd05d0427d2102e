package sdktest_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/sdktest"
	"github.com/carebot-llm/carebot/sdk/wire"
)

var update = flag.Bool("update", false, "write the golden frames")

// golden is a frame with what it must hold. The answers are those of a plugin with scores a and b and reasons short and
// rude.
type golden struct {
	name   string
	encode func(*wire.Builder) ([]byte, error)
	decode func(*wire.Frame) (any, error)
	want   any
}

func goldens(t *testing.T) []golden {
	tables, err := wire.NewTables(&sdk.Manifest{
		Scores: []sdk.ScoreInfo{{Name: "a"}, {Name: "b"}}, Reasons: []string{"short", "rude"},
	})
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	turns := []sdk.Turn{{Role: sdk.RoleUser, Text: "头痛？"}, {Role: sdk.RoleAssistant, Text: "Rest."}}
	docs := []sdk.Document{{ID: "1", Text: "héllo", Language: "fr", Source: "s", Meta: "{}"}, {ID: "2", Text: ""}}
	dialogues := []sdk.Dialogue{{ID: "1", Turns: turns, Language: "zh"}, {ID: "2", Turns: []sdk.Turn{}}}
	samples := []sdk.Sample{{ID: "1", History: turns[:1], Response: "Rest.", Reference: "rest"}}
	ratings := []sdk.Rating{
		{Scores: map[string]float64{"a": 0.5, "b": nan}, Detail: "fine"},
		{Status: sdk.Abstain, Scores: map[string]float64{"a": nan, "b": nan}},
		{Status: sdk.Fault, Scores: map[string]float64{"a": nan, "b": nan}, Detail: "broken"},
	}
	verdicts := []sdk.Verdict{
		{Action: sdk.Keep, Score: 0.25}, {Action: sdk.Drop, Score: -1, Reasons: []string{"rude", "short"}},
		{Action: sdk.Edit, Edits: []sdk.TurnEdit{{Turn: 1, Text: "Sleep."}, {Turn: 0, Op: sdk.DeleteTurn}}},
		{Action: sdk.Later},
	}
	judgements := []sdk.Judgement{{Reward: 1.5, Parts: map[string]float64{"a": 1, "b": nan}}}
	requests := []sdk.LogLikRequest{
		{Context: turns, Context2: turns[:1], Continuation: "c"}, {Context: turns[:1], Continuation: "d"},
	}
	logliks := []sdk.LogLik{{LogProb: -1.5, LogProb2: -2.25, Tokens: 3}}
	opening := wire.Opening{Config: []byte(`{"low":0.5}`), Seed: 7, Models: []wire.Grant{
		{Name: "lm", Info: sdk.ModelInfo{Name: "boost", MaxTokens: 512, Outputs: 1, Hidden: 64}},
	}}
	vectors := [][]float64{{1, 0.5}, {}}
	return []golden{
		frame("documents", docs, func(b *wire.Builder, docs []sdk.Document) ([]byte, error) {
			return wire.EncodeDocuments(b, 1, wire.ColumnsOf(wire.Documents, nil), docs)
		}, wire.DecodeDocuments),
		frame("dialogues", dialogues, func(b *wire.Builder, dialogues []sdk.Dialogue) ([]byte, error) {
			return wire.EncodeDialogues(b, 2, wire.ColumnsOf(wire.Dialogues, nil), dialogues)
		}, wire.DecodeDialogues),
		frame("samples", samples, func(b *wire.Builder, samples []sdk.Sample) ([]byte, error) {
			return wire.EncodeSamples(b, 3, wire.ColumnsOf(wire.Samples, nil), samples)
		}, wire.DecodeSamples),
		frame("ratings", ratings, func(b *wire.Builder, ratings []sdk.Rating) ([]byte, error) {
			return tables.EncodeRatings(b, 1, unscored(ratings))
		}, tables.DecodeRatings),
		frame("verdicts", verdicts, func(b *wire.Builder, verdicts []sdk.Verdict) ([]byte, error) {
			return tables.EncodeVerdicts(b, 2, verdicts)
		}, tables.DecodeVerdicts),
		frame("judgements", judgements, func(b *wire.Builder, _ []sdk.Judgement) ([]byte, error) {
			return tables.EncodeJudgements(b, 3, []sdk.Judgement{{Reward: 1.5, Parts: map[string]float64{"a": 1}}})
		}, tables.DecodeJudgements),
		frame("loglik", requests, wire.EncodeLogLikRequests, wire.DecodeLogLikRequests),
		frame("loglik-answer", logliks, wire.EncodeLogLiks, wire.DecodeLogLiks),
		frame("texts", [][]sdk.Turn{turns}, wire.EncodeTexts, wire.DecodeTexts),
		frame("embed", []string{"a", "文"}, wire.EncodeEmbed, wire.DecodeEmbed),
		frame("vectors", vectors, func(b *wire.Builder, vectors [][]float64) ([]byte, error) {
			return wire.EncodeVectors(b, wire.Embed, vectors)
		}, func(f *wire.Frame) ([][]float64, error) { return wire.DecodeVectors(f, wire.Embed) }),
		frame("open", opening, wire.EncodeOpening, wire.DecodeOpening),
	}
}

// unscored takes out the scores that are only there because a reader fills them in.
func unscored(ratings []sdk.Rating) []sdk.Rating {
	ratings = slices.Clone(ratings)
	for i := range ratings {
		kept := map[string]float64{}
		for name, v := range ratings[i].Scores {
			if !math.IsNaN(v) {
				kept[name] = v
			}
		}
		ratings[i].Scores = kept
	}
	return ratings
}

func frame[T any](
	name string, want T, encode func(*wire.Builder, T) ([]byte, error), decode func(*wire.Frame) (T, error),
) golden {
	return golden{
		name: name, want: want,
		encode: func(b *wire.Builder) ([]byte, error) { return encode(b, want) },
		decode: func(f *wire.Frame) (any, error) { return decode(f) },
	}
}

func TestGoldenFramesAreReadAndWrittenByteForByte(t *testing.T) {
	stored, err := sdktest.Golden()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			written, err := g.encode(new(wire.Builder))
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				write(t, g.name, written)
				return
			}
			if diff := cmp.Diff(stored[g.name], written); diff != "" {
				t.Errorf("frame as written (-golden +written):\n%s", diff)
			}
			f, err := wire.Parse(stored[g.name])
			if err != nil {
				t.Fatal(err)
			}
			read, err := g.decode(f)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(g.want, read, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("frame as read (-want +read):\n%s", diff)
			}
		})
	}
}

// write stores a frame as lines of 16 bytes.
func write(t *testing.T, name string, frame []byte) {
	t.Helper()
	var text strings.Builder
	for line := range slices.Chunk(frame, 16) {
		fmt.Fprintf(&text, "% x\n", line)
	}
	if err := os.WriteFile(filepath.Join("testdata", "frames", name+".hex"), []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
