package model

import (
	"math"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

// A Sequence is a prompt that an Engine continues. It belongs to one engine, once.
type Sequence struct {
	Prompt    []int32
	MaxTokens int     // at most so many new tokens
	Stop      []int32 // ids that end the sequence; nil means the configuration's eos_token_id

	Temperature float32 // 0 always takes the likeliest token
	TopK        int     // sample among so many tokens; 0 is all
	TopP        float32 // sample among the likeliest tokens of this mass; 0 is all
	Seed        uint64
	Number      int // among all sequences that are sampled with the seed

	LogProbs bool // tell the log-probability of each token
	Top      int  // and so many of the likeliest tokens in its place

	// Each is called with every new token as it comes, during a step of the engine, and says whether to go on.
	Each func(Token) bool

	tokens []int32 // of the prompt and the answer
	cached int     // how many of them are in the cache
	pages  []int32 // which hold them
	done   bool
}

// An End says what ended a sequence.
type End string

// The ends of sequences.
const (
	NotEnded End = ""
	Stopped  End = "stop"   // by a stop token, which is the last
	TooLong  End = "length" // at MaxTokens or the end of the context
)

// A Token is a new token of a sequence. Log-probabilities are those of the model, before temperature and cuts.
type Token struct {
	ID      int32
	LogProb float64
	Top     []Likely // the likeliest tokens first
	End     End
}

// Likely is a token that might have come.
type Likely struct {
	ID      int32
	LogProb float64
}

func (s *Sequence) answered() int { return len(s.tokens) - len(s.Prompt) }

// draw is how the next token is taken. Each sequence has a stream of random numbers of its own: its number, counted on
// by token.
func (s *Sequence) draw() accelerators.Draw {
	return accelerators.Draw{
		Temperature: s.Temperature, TopK: s.TopK, TopP: s.TopP,
		Seed: s.Seed, Counter: uint64(s.answered())<<32 + uint64(s.Number),
	}
}

// append adds a token to a sequence that has room for so many.
func (s *Sequence) append(token Token, room int) {
	s.tokens = append(s.tokens, token.ID)
	switch {
	case slices.Contains(s.Stop, token.ID):
		token.End = Stopped
	case s.answered() == s.MaxTokens || len(s.tokens) == room:
		token.End = TooLong
	}
	more := s.Each(token)
	s.done = !more || token.End != NotEnded
}

// tell fills in the log-probabilities of a token from the logits that it was drawn from.
func (s *Sequence) tell(token *Token, logits []float32) {
	top := float64(slices.Max(logits))
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v) - top)
	}
	norm := top + math.Log(sum)
	token.LogProb = float64(logits[token.ID]) - norm
	for _, id := range largest(logits, s.Top) {
		token.Top = append(token.Top, Likely{id, float64(logits[id]) - norm})
	}
}

// largest are the n indices of the largest values, the smaller index first among equals.
func largest(values []float32, n int) []int32 {
	var best []int32
	for i, v := range values {
		at, _ := slices.BinarySearchFunc(best, v, func(id int32, v float32) int {
			if values[id] >= v {
				return -1
			}
			return 1
		})
		if at < n {
			best = slices.Insert(best, at, int32(i))
			best = best[:min(len(best), n)]
		}
	}
	return best
}
