package model

import (
	"context"
	"fmt"

	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// A Generation says how prompts are continued.
type Generation struct {
	MaxTokens   int     // at most so many new tokens for each prompt
	Temperature float32 // 0 always takes the likeliest token
	TopK        int     // sample among so many tokens; 0 is all
	TopP        float32 // sample among the likeliest tokens of this mass; 0 is all
	Seed        uint64
	First       int     // number of the first prompt among all that are sampled with the seed
	Stop        []int32 // ids that end a sequence; nil means the configuration's eos_token_id
}

// cacheBytes bounds the keys and values of the sequences that Generate lets grow together.
const cacheBytes = 1 << 30

// Generate continues the prompts until a stop token, which is the last of an answer then, MaxTokens or the end of the
// context. Answers are the new tokens alone; each, unless nil, is called with every one as it comes. An answer depends
// on its prompt and, when sampled, on the seed and the prompt's number (First and its place in the list), not on the
// other prompts: a list that is cut into calls has the same answers. On cancellation the answers so far are returned
// with the context's error.
func (m *Model) Generate(
	ctx context.Context, prompts [][]int32, g Generation, each func(seq int, id int32),
) ([][]int32, error) {
	answers, err := m.generate(ctx, prompts, g, each)
	if err != nil {
		return answers, fmt.Errorf("generate: %w", err)
	}
	return answers, nil
}

func (m *Model) generate(
	ctx context.Context, prompts [][]int32, g Generation, each func(seq int, id int32),
) ([][]int32, error) {
	answers := make([][]int32, len(prompts))
	e, err := m.NewEngine(m.pagesFor(prompts, g.MaxTokens))
	if err != nil {
		return nil, err
	}
	defer e.Close()
	for i, prompt := range prompts {
		err := e.Add(g.sequence(prompt, i, func(token Token) bool {
			answers[i] = append(answers[i], token.ID)
			if each != nil {
				each(i, token.ID)
			}
			return true
		}))
		if err != nil {
			return nil, fmt.Errorf("prompt %d: %w", i, err)
		}
	}
	for !e.Idle() {
		if ctx.Err() != nil {
			return answers, context.Cause(ctx)
		}
		if err := e.Step(); err != nil {
			return answers, err
		}
	}
	return answers, nil
}

func (g *Generation) sequence(prompt []int32, number int, each func(Token) bool) *Sequence {
	return &Sequence{
		Prompt: prompt, MaxTokens: g.MaxTokens, Stop: g.Stop,
		Temperature: g.Temperature, TopK: g.TopK, TopP: g.TopP, Seed: g.Seed, Number: g.First + number, Each: each,
	}
}

// pagesFor are enough pages for all prompts and their answers, as far as the budget goes, and always for the longest.
func (m *Model) pagesFor(prompts [][]int32, maxTokens int) int {
	if m.decoder == nil {
		return 0
	}
	all, longest := 0, 1
	for _, p := range prompts {
		pages := tensor.PagesFor(min(m.room(), len(p)+max(maxTokens, 0)))
		all, longest = all+pages+1, max(longest, pages)
	}
	return max(longest, min(all, m.PagesIn(cacheBytes)))
}
