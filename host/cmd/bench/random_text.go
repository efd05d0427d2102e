package main

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"strconv"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/jinja"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
	"github.com/carebot-llm/carebot/sdk"
)

// randomSource is the dataset of random records.
const randomSource = "random"

// A randomTokenizer makes of each text as many random tokens as a sequence has and the one after it.
type randomTokenizer struct{ vocab, length int }

func (r randomTokenizer) Encode(text string) []int32 {
	h := fnv.New64a()
	h.Write([]byte(text))
	random := rand.New(rand.NewPCG(1, h.Sum64()))
	ids := make([]int32, r.length+1)
	for i := range ids {
		ids[i] = random.Int32N(int32(r.vocab))
	}
	return ids
}

func (r randomTokenizer) Chat(turns []sdk.Turn, _ bool) ([]int32, error) {
	ids, _, err := r.Learned(turns, true)
	return ids, err
}

// Learned is a prompt and an answer of half a sequence each.
func (r randomTokenizer) Learned(turns []sdk.Turn, _ bool) ([]int32, []tokenizer.Span, error) {
	half := r.length / 2
	prompt, answer := r.Encode(turns[0].Text)[:half], r.Encode(turns[len(turns)-1].Text)[half:]
	return append(prompt, answer...), []tokenizer.Span{{From: half, To: r.length + 1}}, nil
}

var errNoMessages = errors.New("random records have no messages")

func (randomTokenizer) ChatMessages([]*jinja.Object, []any, bool) ([]int32, error) {
	return nil, errNoMessages
}

func (randomTokenizer) LearnedMessages([]*jinja.Object, []any, bool) ([]int32, []tokenizer.Span, error) {
	return nil, nil, errNoMessages
}

func (randomTokenizer) BOS() (int32, bool) { return 0, false }
func (randomTokenizer) EOS() (int32, bool) { return 0, false }

// plan is steps of whole sequences of random tokens, or of pairs of them.
func (m gpuModel) plan(spec recipe.Train) (*data.Plan, error) {
	records := make([]*data.Record, m.Batch*spec.Steps)
	for i := range records {
		text := strconv.Itoa(i)
		records[i] = &data.Record{ID: text, Text: text}
		if spec.Objective == "dpo" {
			records[i] = &data.Record{ID: text, Prompt: []sdk.Turn{{Role: sdk.RoleUser, Text: text}}, Chosen: text + "+",
				Rejected: text + "-"}
		}
	}
	sources := map[string][]*data.Record{randomSource: records}
	tok := randomTokenizer{m.Vocab, m.Length}
	return data.NewPlan(context.Background(), sources, tok, data.PlanOptions{Train: spec, Seed: 1, Context: m.Length})
}
