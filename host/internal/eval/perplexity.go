package eval

import (
	"context"
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/host/internal/data"
)

// Perplexity is how well a model predicts held-out text.
type Perplexity struct {
	Documents   int     `json:"documents"`
	Tokens      int     `json:"tokens"` // scored
	Perplexity  float64 `json:"perplexity"`
	BitsPerByte float64 `json:"bits_per_byte"` // comparable between tokenizers

	logProb float64
	bytes   int
}

// MeasurePerplexity scores every token but the first of each document's windows; windows are as long as the model's context and
// overlap by one token. It returns the figures by language.
func MeasurePerplexity(ctx context.Context, s *Served, records []*data.Record) (map[string]Perplexity, error) {
	var spans []span
	var owner []*data.Record
	for _, r := range records {
		ids, err := s.document(r)
		if err != nil {
			return nil, fmt.Errorf("perplexity: %s:%d: %w", r.File, r.Line, err)
		}
		for _, w := range windows(ids, s.model.Config().Context()) {
			spans, owner = append(spans, w), append(owner, r)
		}
	}
	sums, err := s.sums(ctx, spans)
	if err != nil {
		return nil, err
	}
	all := map[string]Perplexity{}
	for i, r := range owner {
		p := all[r.Language]
		p.Tokens += spans[i].scored()
		p.logProb += sums[i]
		all[r.Language] = p
	}
	for _, r := range records {
		p := all[r.Language]
		p.Documents++
		p.bytes += len(r.Document().Text)
		all[r.Language] = p
	}
	for language, p := range all {
		all[language] = p.finish()
	}
	return all, nil
}

// document is a text, or a dialogue by the chat template, as training saw it.
func (s *Served) document(r *data.Record) ([]int32, error) {
	if r.Kind() == data.KindDialogue {
		return r.Chat(s.tok)
	}
	return data.TextTokens(s.tok, r.Text), nil
}

func (p Perplexity) finish() Perplexity {
	p.Perplexity = math.Exp(-p.logProb / float64(max(1, p.Tokens)))
	p.BitsPerByte = -p.logProb / math.Ln2 / float64(max(1, p.bytes))
	return p
}

func windows(ids []int32, width int) []span {
	var all []span
	for from := 0; from+1 < len(ids); from += width - 1 {
		all = append(all, span{ids[from:min(len(ids), from+width)], 1})
	}
	return all
}
