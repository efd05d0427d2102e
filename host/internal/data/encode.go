package data

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/carebot-llm/carebot/host/internal/jinja"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
	"github.com/carebot-llm/carebot/sdk"
)

// A Tokenizer is what a plan needs of package tokenizer. It is used by several goroutines at once.
type Tokenizer interface {
	Encode(text string) []int32
	Chat(turns []sdk.Turn, generate bool) ([]int32, error)
	ChatMessages(messages []*jinja.Object, tools []any, generate bool) ([]int32, error)
	Learned(turns []sdk.Turn, last bool) (ids []int32, answers []tokenizer.Span, err error)
	LearnedMessages(messages []*jinja.Object, tools []any, last bool) (ids []int32, answers []tokenizer.Span, err error)
	BOS() (int32, bool)
	EOS() (int32, bool)
}

// TextTokens are the tokens of a whole document: after the token that begins a text and before the one that ends it, if
// the tokenizer has them. Training, scoring and perplexity must see a document alike.
func TextTokens(t Tokenizer, text string) []int32 {
	var ids []int32
	if bos, ok := t.BOS(); ok {
		ids = append(ids, bos)
	}
	ids = append(ids, t.Encode(text)...)
	if eos, ok := t.EOS(); ok {
		ids = append(ids, eos)
	}
	return ids
}

// A piece is what a record, or one answer of a pair, becomes: tokens, and the stretches of them that carry loss.
type piece struct {
	ids     []int32
	learned []tokenizer.Span
	prompt  int // of an answer: tokens before it
}

// encoded is a record as pieces: one, or chosen and rejected. absent: it takes no part.
type encoded struct {
	pieces []piece
	label  float32
	absent bool
}

// An encoder turns records into tokens as an objective wants them.
type encoder struct {
	tok  Tokenizer
	spec recipe.Train
}

// pairs reports whether the objective learns from pairs, shifted whether it predicts each token from those before it.
func pairs(objective string) bool   { return objective == "pairwise" || objective == "dpo" }
func shifted(objective string) bool { return objective == "next_token" || objective == "dpo" }

func (e encoder) encode(r *Record) (encoded, error) {
	kind := r.Kind()
	if pairs(e.spec.Objective) != (kind == KindPair) || kind == KindChoice {
		return encoded{}, fmt.Errorf("objective %s cannot learn from a record of kind %s", e.spec.Objective, kind)
	}
	switch e.spec.Objective {
	case "pairwise", "dpo":
		return e.pair(r)
	case "next_token":
		p, err := e.predicted(r)
		return encoded{pieces: []piece{p}}, err
	}
	return e.labelled(r)
}

// predicted is a record of which all tokens carry loss, or those of the assistant's turns or of the last of them.
func (e encoder) predicted(r *Record) (piece, error) {
	if e.spec.Answers() && len(r.Turns) > 0 {
		ids, answers, err := r.Learned(e.tok, e.spec.Learn == "last")
		return piece{ids: ids, learned: answers}, err
	}
	ids, err := e.whole(r)
	if e.spec.Answers() {
		return piece{ids: ids}, err
	}
	return piece{ids: ids, learned: []tokenizer.Span{{From: 0, To: len(ids)}}}, err
}

func (e encoder) whole(r *Record) ([]int32, error) {
	if len(r.Turns) == 0 {
		return TextTokens(e.tok, r.Text), nil
	}
	return r.Chat(e.tok)
}

// labelled is a record with its label; one without it, because a plugin abstained, takes no part.
func (e encoder) labelled(r *Record) (encoded, error) {
	label := scoreOf(r, e.spec.Label)
	ids, err := e.whole(r)
	return encoded{pieces: []piece{{ids: ids}}, label: float32(label), absent: math.IsNaN(label)}, err
}

// pair is a prompt with each of its answers.
func (e encoder) pair(r *Record) (encoded, error) {
	chosen, err := e.answered(r.Prompt, r.Chosen)
	if err != nil {
		return encoded{}, err
	}
	rejected, err := e.answered(r.Prompt, r.Rejected)
	if err != nil {
		return encoded{}, err
	}
	if chosen.prompt != rejected.prompt || !slices.Equal(chosen.ids[:chosen.prompt], rejected.ids[:chosen.prompt]) {
		return encoded{}, errors.New("the chat template renders one prompt in two ways before its two answers")
	}
	return encoded{pieces: []piece{chosen, rejected}}, nil
}

// answered renders an answer after its prompt; the answer, up to its end, carries loss.
func (e encoder) answered(prompt []sdk.Turn, answer string) (piece, error) {
	turns := append(slices.Clone(prompt), sdk.Turn{Role: sdk.RoleAssistant, Text: answer})
	ids, assistant, err := e.tok.Learned(turns, false)
	if err != nil {
		return piece{}, err
	}
	if len(assistant) == 0 {
		return piece{}, errors.New("the chat template marks no answer")
	}
	last := assistant[len(assistant)-1]
	return piece{ids: ids, learned: []tokenizer.Span{last}, prompt: last.From}, nil
}

// encodeAll encodes records on all processors; the result is in their order.
func (e encoder) encodeAll(ctx context.Context, records []*Record) ([]encoded, error) {
	all := make([]encoded, len(records))
	errs := make([]error, len(records))
	workers := runtime.GOMAXPROCS(0)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(records) && ctx.Err() == nil; i += workers {
				all[i], errs[i] = e.encode(records[i])
			}
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", records[i].File, records[i].Line, err)
		}
	}
	return all, nil
}
