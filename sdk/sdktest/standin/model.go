// Package standin stands in for what a plugin meets in a run: the host's models, and records that are awkward. It
// needs no test around it.
package standin

import (
	"context"
	"errors"
	"hash/fnv"
	"strings"
	"sync/atomic"

	"github.com/carebot-llm/carebot/sdk"
)

// A Model is a model whose answers are hashes of the requests: the same for the same request, however it is batched.
// The zero value with a Name is ready.
type Model struct {
	Name  string
	Calls atomic.Int64 // batches that it was asked
	Items atomic.Int64 // requests in them
}

// Refused is a text that the model fails on.
const Refused = "the model refuses this text"

// Widths of the model's answers.
const (
	outputs = 2
	hidden  = 3
)

// Info is of sdk.Model.
func (m *Model) Info() sdk.ModelInfo {
	return sdk.ModelInfo{Name: m.Name, MaxTokens: 128, Outputs: outputs, Hidden: hidden}
}

// LogLik is of sdk.Model.
func (m *Model) LogLik(_ context.Context, requests []sdk.LogLikRequest) ([]sdk.LogLik, error) {
	m.count(len(requests))
	answers := make([]sdk.LogLik, len(requests))
	for i, r := range requests {
		answers[i] = sdk.LogLik{LogProb: -1 - m.hash(text(r.Context), r.Continuation), Tokens: 1 + len(r.Continuation)/4}
		if r.Context2 != nil {
			answers[i].LogProb2 = -1 - m.hash(text(r.Context2), r.Continuation)
		}
	}
	return answers, nil
}

// Score is of sdk.Model.
func (m *Model) Score(_ context.Context, texts [][]sdk.Turn) ([][]float64, error) {
	m.count(len(texts))
	flat := make([]string, len(texts))
	for i, turns := range texts {
		flat[i] = text(turns)
	}
	return m.vectors(flat, outputs)
}

// Embed is of sdk.Model.
func (m *Model) Embed(_ context.Context, texts []string) ([][]float64, error) {
	m.count(len(texts))
	return m.vectors(texts, hidden)
}

func (m *Model) count(items int) {
	m.Calls.Add(1)
	m.Items.Add(int64(items))
}

func (m *Model) vectors(texts []string, width int) ([][]float64, error) {
	vectors := make([][]float64, len(texts))
	for i, s := range texts {
		if strings.Contains(s, Refused) {
			return nil, errors.New("refused")
		}
		for k := range width {
			vectors[i] = append(vectors[i], m.hash(s, string(rune('a'+k))))
		}
	}
	return vectors, nil
}

// hash returns a number of [0, 1) with all its bits in use.
func (m *Model) hash(parts ...string) float64 {
	h := fnv.New64a()
	for _, s := range append(parts, m.Name) {
		_, _ = h.Write([]byte(s + "\x00"))
	}
	return float64(h.Sum64()>>11) / (1 << 53)
}

// text puts turns into one string from which they can be told.
func text(turns []sdk.Turn) string {
	var b strings.Builder
	for _, t := range turns {
		b.WriteString(string(t.Role) + "\x01" + t.Text + "\x02")
	}
	return b.String()
}

var _ sdk.Model = (*Model)(nil)
