package eval

import (
	"context"
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tensor"
	"github.com/carebot-llm/carebot/sdk"
)

// A span is a sequence of which the tokens from From on are scored, each given all before it. The first token of a sequence
// has nothing before it and is never scored.
type span struct {
	ids  []int32
	from int
}

func (s span) scored() int { return len(s.ids) - s.from }

// LogLik implements sdk.Model.
func (s *Served) LogLik(ctx context.Context, requests []sdk.LogLikRequest) ([]sdk.LogLik, error) {
	var spans []span
	for i, r := range requests {
		pair, err := s.spans(r)
		if err != nil {
			return nil, fmt.Errorf("log-likelihood request %d: %w", i, err)
		}
		spans = append(spans, pair...)
	}
	sums, err := s.sums(ctx, spans)
	if err != nil {
		return nil, err
	}
	answers := make([]sdk.LogLik, len(requests))
	next := 0
	for i, r := range requests {
		answers[i] = sdk.LogLik{LogProb: sums[next], Tokens: spans[next].scored()}
		next++
		if r.Context2 != nil {
			answers[i].LogProb2 = sums[next]
			next++
		}
	}
	return answers, nil
}

// spans lays out a request: the continuation after the first context and, when there is one, after the second. Both score the
// same tokens: when a context is empty, the continuation's first token serves as given under both.
func (s *Served) spans(r sdk.LogLikRequest) ([]span, error) {
	limit := s.model.Config().Context()
	cont := s.tok.Encode(r.Continuation)
	cont = cont[:min(len(cont), limit*3/4)]
	first, err := s.context(r.Context)
	if err != nil {
		return nil, err
	}
	if r.Context2 == nil {
		return []span{join(first, cont, limit, min(1, len(first)))}, nil
	}
	second, err := s.context(r.Context2)
	if err != nil {
		return nil, err
	}
	given := min(1, len(first), len(second))
	return []span{join(first, cont, limit, given), join(second, cont, limit, given)}, nil
}

// join puts the newest tokens of the context before the continuation. given is 0 when the continuation's first token is not scored.
func join(context, cont []int32, limit, given int) span {
	context = context[max(0, len(context)+len(cont)-limit):]
	ids := append(append(make([]int32, 0, len(context)+len(cont)), context...), cont...)
	return span{ids, min(len(ids), len(context)+1-given)}
}

// context renders turns up to the header of the assistant's next turn; raw text begins as documents do.
func (s *Served) context(turns []sdk.Turn) ([]int32, error) {
	ids, err := s.tok.Chat(turns, wrapped(turns))
	if bos, ok := s.tok.BOS(); ok && !wrapped(turns) {
		ids = append([]int32{bos}, ids...)
	}
	return ids, err
}

// wrapped reports whether turns are a dialogue, not raw text.
func wrapped(turns []sdk.Turn) bool { return len(turns) > 0 && turns[len(turns)-1].Role != sdk.RoleRaw }

// sums returns the log-probability of each span's scored tokens. Spans without any, which may be empty, are not run.
func (s *Served) sums(ctx context.Context, spans []span) ([]float64, error) {
	sums := make([]float64, len(spans))
	var run []int
	for i, sp := range spans {
		if sp.scored() > 0 {
			run = append(run, i)
		}
	}
	err := batches(ctx, len(run), func(i int) int { return len(spans[run[i]].ids) }, func(from, to int) error {
		return s.sumBatch(spans, run[from:to], sums)
	})
	return sums, err
}

// sumBatch fills in the sums of the spans numbered in batch.
func (s *Served) sumBatch(spans []span, batch []int, sums []float64) error {
	sequences := make([][]int32, len(batch))
	var targets []int32
	for i, number := range batch {
		sequences[i] = spans[number].ids
		targets = append(targets, spans[number].targets()...)
	}
	in := pack(sequences)
	nll, err := s.forward(func(t *tensor.Tape) *tensor.Tensor { return s.model.TokenNLL(t, s.model.Hidden(t, in), targets) })
	if err != nil {
		return err
	}
	for i, number := range batch {
		for _, v := range nll[in.Offsets[i]:in.Offsets[i+1]] {
			sums[number] -= float64(v)
		}
	}
	return nil
}

// targets are the next tokens where they are scored, -1 elsewhere.
func (s span) targets() []int32 {
	targets := make([]int32, len(s.ids))
	for i := range targets {
		targets[i] = -1
		if i+1 < len(s.ids) && i+1 >= s.from {
			targets[i] = s.ids[i+1]
		}
	}
	return targets
}

// Score implements sdk.Model: the outputs of the classification, regression or reward head.
func (s *Served) Score(ctx context.Context, texts [][]sdk.Turn) ([][]float64, error) {
	if s.model.Head() != model.HeadClassify {
		return nil, fmt.Errorf("model %q has no head that scores", s.name)
	}
	sequences := make([][]int32, len(texts))
	for i, turns := range texts {
		var err error
		if sequences[i], err = s.whole(turns); err != nil {
			return nil, fmt.Errorf("score text %d: %w", i, err)
		}
	}
	return s.ScoreTokens(ctx, sequences, nil)
}

// ScoreTokens is Score of sequences of tokens, each within the model's context. types say of pairs of texts to which of
// them each token belongs, for models that have a table for it; nil is none.
func (s *Served) ScoreTokens(ctx context.Context, sequences, types [][]int32) ([][]float64, error) {
	if s.model.Config().TypeVocabSize < 2 {
		types = nil
	}
	return s.perSequence(ctx, sequences, types, func(t *tensor.Tape, in model.Input) *tensor.Tensor {
		return s.model.Outputs(t, s.model.Hidden(t, in), in)
	})
}

// Embed implements sdk.Model: the last layer, pooled.
func (s *Served) Embed(ctx context.Context, texts []string) ([][]float64, error) {
	sequences := make([][]int32, len(texts))
	for i, text := range texts {
		sequences[i] = s.cut(data.TextTokens(s.tok, text))
	}
	return s.EmbedTokens(ctx, sequences)
}

// EmbedTokens is Embed of sequences of tokens, each within the model's context.
func (s *Served) EmbedTokens(ctx context.Context, sequences [][]int32) ([][]float64, error) {
	rows, err := s.perSequence(ctx, sequences, nil, func(t *tensor.Tape, in model.Input) *tensor.Tensor {
		return s.model.Embeddings(t, s.model.Hidden(t, in), in)
	})
	if s.model.Pooling().Normalize {
		for _, row := range rows {
			normalize(row)
		}
	}
	return rows, err
}

// normalize gives a vector the length 1, unless it is 0.
func normalize(row []float64) {
	sum := 0.0
	for _, v := range row {
		sum += v * v
	}
	if sum == 0 {
		return
	}
	for i := range row {
		row[i] /= math.Sqrt(sum)
	}
}

// whole is a text or dialogue as training saw it, cut at its end to the model's context.
func (s *Served) whole(turns []sdk.Turn) ([]int32, error) {
	if len(turns) == 1 && turns[0].Role == sdk.RoleRaw {
		return s.cut(data.TextTokens(s.tok, turns[0].Text)), nil
	}
	ids, err := s.tok.Chat(turns, false)
	return s.cut(ids), err
}

func (s *Served) cut(ids []int32) []int32 { return ids[:min(len(ids), s.model.Config().Context())] }
