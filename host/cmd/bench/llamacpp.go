package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/gguf"
	"github.com/carebot-llm/carebot/host/internal/llamacpp"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

// What both sides of the contest with llama.cpp do: continue a prompt greedily.
const (
	contestPrompt = 16
	contestTokens = 48
	contestLength = 128
)

// halfBillion is the shape of Qwen2.5-0.5B.
func halfBillion() model.Config {
	r := recipe.Model{Arch: model.Qwen2, Layers: 24, Hidden: 896, Heads: 14, KVHeads: 2, Inner: 4864,
		Context: contestLength, RopeTheta: 1e6}
	return model.ConfigFromRecipe(r, 151936, model.Special{PAD: -1, BOS: -1, EOS: -1}).WithHead(model.HeadLM)
}

// besideLlamaCpp measures the continuation of one prompt by a model of 0.5 billion random weights in turns with
// llama.cpp, which reads it from a file of ours.
func (b *bench) besideLlamaCpp(dev accelerators.Device) (report, error) {
	peer, err := b.pythonPeer("llamacpp.py")
	if err != nil {
		return report{body: fmt.Sprintf("llama.cpp was not measured: %v.\n", err)}, nil
	}
	m, err := model.New(dev, halfBillion(), model.HeadLM, 1, model.Frozen())
	if err != nil {
		return report{}, err
	}
	defer m.Close()
	sides := []side{ours("CareBot", func() error { return continueOne(m) })}
	for _, kind := range []gguf.Type{gguf.F32, gguf.BF16} {
		file := filepath.Join(b.temporary, kind.String()+".gguf")
		defer os.Remove(file)
		if err := writeGGUF(file, m, kind); err != nil {
			return report{}, err
		}
		sides = append(sides, peer.side("llama.cpp, "+kind.String(), request{Op: "generate", File: file, Threads: 2,
			M: contestPrompt, N: contestTokens, shape: &shape{Vocab: m.Config().VocabSize, Length: contestLength}}))
	}
	all, err := b.hold(contest{sides: sides})
	if err != nil {
		return report{}, err
	}
	b.end(peer)
	return besideReport(all), nil
}

// besideReport has ours first in all, then llama.cpp with f32 weights.
func besideReport(all []series) report {
	t := table{{"", "tokens/s", "CareBot's ratio"}}
	for _, s := range all {
		t.row(s.name, s.rate(contestTokens), number(all[0].over(s)))
	}
	ratio := all[0].over(all[1])
	body := fmt.Sprintf("The shape of Qwen2.5-0.5B, random weights, 2 threads: one prompt of %d tokens and %d "+
		"after it; best (median). CareBot holds weights in f32.\n\n%v", contestPrompt, contestTokens, t)
	return report{body, []figure{{workLlamaCpp, number(ratio) + " with f32 weights", ratio >= 0.8}}}
}

func continueOne(m *model.Model) error {
	prompt := make([]int32, contestPrompt)
	for i := range prompt {
		prompt[i] = int32(i)
	}
	g := model.Generation{MaxTokens: contestTokens, Stop: []int32{-1}}
	_, err := m.Generate(context.Background(), [][]int32{prompt}, g, nil)
	return err
}

// writeGGUF writes the model with the smallest of tokenizers, which nothing uses.
func writeGGUF(file string, m *model.Model, kind gguf.Type) error {
	tok, err := tokenizer.Train(slices.Values([]string{"a text"}), 300)
	if err != nil {
		return err
	}
	defer debug.FreeOSMemory() // the weights, on the way to the file
	return llamacpp.Write(file, "benchmark", m, tok, kind)
}
