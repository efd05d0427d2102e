package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/carebot-llm/carebot/accelerators/cpu"
	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/model"
)

// scored is bge-m3 but for its vocabulary of 250,002, of which a document reads a few rows.
var scored = shape{Layers: 24, Width: 1024, Heads: 16, Inner: 4096, Vocab: 32000, Length: 512}

const scoredDocuments = 16

// encoder is the shape as an XLM-RoBERTa that gives each document one number.
func (s shape) encoder() model.Config {
	padding := int32(1)
	return model.Config{ModelType: model.Roberta, VocabSize: s.Vocab, HiddenSize: s.Width, IntermediateSize: s.Inner,
		NumHiddenLayers: s.Layers, NumAttentionHeads: s.Heads, MaxPositionEmbeddings: s.Length + 2, TypeVocabSize: 1,
		HiddenAct: "gelu", InitializerRange: 0.02, LayerNormEps: 1e-5, NumLabels: 1, PadTokenID: &padding,
	}.WithHead(model.HeadClassify)
}

// scoring measures the scores of documents of 64 to 512 tokens, asked for as raters and the server do. Ours packs them,
// transformers pads them.
func scoring(b *bench) (report, error) {
	dev, err := cpu.New(2)
	if err != nil {
		return report{}, err
	}
	defer dev.Close()
	documents := scored.documents()
	theirs, err := b.scoringPeers(documents, 2)
	if err != nil {
		return report{}, err
	}
	var sides []side
	for _, options := range [][]model.Option{{model.Frozen()}, {model.Frozen(), model.BF16()}} {
		m, err := model.New(dev, scored.encoder(), model.HeadClassify, 1, options...)
		if err != nil {
			return report{}, err
		}
		defer m.Close()
		served := eval.Serve("scored", m, nil, dev, new(sync.Mutex))
		defer served.Close()
		sides = append(sides, ours("ours "+m.Compute().String(), func() error {
			_, err := served.ScoreTokens(context.Background(), documents, nil)
			return err
		}))
	}
	all, err := b.hold(contest{sides: append(sides, theirs...)})
	if err != nil {
		return report{}, err
	}
	return scoringReport(all, documents), nil
}

// documents are random tokens; their lengths go evenly from 64 to the shape's, in a mixed order.
func (s shape) documents() [][]int32 {
	const shortest = 64
	random := rand.New(rand.NewPCG(1, 2))
	all := make([][]int32, scoredDocuments)
	for i, place := range random.Perm(len(all)) {
		all[i] = make([]int32, shortest+(s.Length-shortest)*place/(len(all)-1))
		for j := range all[i] {
			all[i][j] = 4 + random.Int32N(int32(s.Vocab)-4)
		}
	}
	return all
}

// scoringSettings are those of transformers, f32 first: documents of a batch, one alone without padding.
var scoringSettings = []setting{
	{"f32, one by one", request{DType: "f32", shape: &shape{Batch: 1}}},
	{"f32, 4 padded", request{DType: "f32", shape: &shape{Batch: 4}}},
	{"bf16, one by one", request{DType: "bf16", shape: &shape{Batch: 1}}},
	{"bf16, 4 padded", request{DType: "bf16", shape: &shape{Batch: 4}}},
}

func (b *bench) scoringPeers(documents [][]int32, threads int) ([]side, error) {
	file := filepath.Join(b.temporary, "ids.jsonl")
	var lines []byte
	for _, ids := range documents {
		line, err := json.Marshal(map[string][]int32{"ids": ids})
		if err != nil {
			return nil, err
		}
		lines = append(append(lines, line...), '\n')
	}
	if err := os.WriteFile(file, lines, 0o600); err != nil {
		return nil, err
	}
	peer, err := b.pythonPeer("scoring.py")
	if err != nil {
		return nil, err
	}
	var sides []side
	for _, s := range scoringSettings {
		form := scored
		form.Batch = s.Batch
		sides = append(sides, peer.side("transformers "+s.name,
			request{Op: "score", Threads: threads, DType: s.DType, Documents: file, shape: &form}))
	}
	return sides, nil
}

// scoringReport compares each type with the best of transformers' settings of that type.
func scoringReport(all []series, documents [][]int32) report {
	tokens := len(slices.Concat(documents...))
	best := bestOf(scoringSettings, all[2:])
	t := table{{"documents", "tokens/s", "of transformers f32", "of transformers bf16"}}
	for _, x := range all {
		t.row(x.name, x.rate(float64(tokens)), number(x.over(best["f32"])), number(x.over(best["bf16"])))
	}
	f32, bf16 := all[0].over(best["f32"]), all[1].over(best["bf16"])
	body := fmt.Sprintf("XLM-RoBERTa, %d layers, d=%d, inner %d, vocabulary %d instead of 250,002, one output; "+
		"%d documents of 64 to %d tokens, %d in all; 2 threads, best (median). Padding is not counted.\n\n%v",
		scored.Layers, scored.Width, scored.Inner, scored.Vocab, scoredDocuments, scored.Length, tokens, t)
	measured := fmt.Sprintf("f32 %s, bf16 %s", number(f32), number(bf16))
	return report{body, []figure{{workScoring, measured, f32 >= 1 && bf16 >= 1}}}
}
