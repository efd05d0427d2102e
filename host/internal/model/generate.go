package model

import (
	"context"
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
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

// Sizes of what is computed at once.
const (
	cacheBytes    = 1 << 30 // keys and values of the sequences that grow together
	prefillTokens = 4096    // tokens of prompts in one pass
	groupSize     = 256     // sequences that grow together
)

// Generate continues the prompts until a stop token, which is the last of an answer then, MaxTokens or the end of the
// context. Answers are the new tokens alone; each, unless nil, is called with every one as it comes. An answer depends
// on its prompt and, when sampled, on the seed and the prompt's number (First and its place in the list), not on the
// other prompts: a list that is cut into calls has the same answers. On cancellation the answers so far are returned
// with the context's error.
func (m *Model) Generate(
	ctx context.Context, prompts [][]int32, g Generation, each func(seq int, id int32),
) ([][]int32, error) {
	if err := m.checkPrompts(prompts, g); err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	if g.Stop == nil {
		g.Stop = m.cfg.EosTokenID
	}
	answers := make([][]int32, len(prompts))
	for from := 0; from < len(prompts); {
		to, capacity := m.group(prompts, from, g.MaxTokens)
		s := &session{m: m, g: g, each: each, first: from, prompts: prompts[from:to], answers: answers[from:to]}
		if err := s.run(ctx, capacity); err != nil {
			return answers, fmt.Errorf("generate: %w", err)
		}
		from = to
	}
	return answers, nil
}

func (m *Model) checkPrompts(prompts [][]int32, g Generation) error {
	if m.decoder == nil || m.ends.lm == nil {
		return fmt.Errorf("a %s with head %s is no language model", m.cfg.ModelType, m.head)
	}
	if g.MaxTokens < 1 {
		return fmt.Errorf("%d new tokens are no length", g.MaxTokens)
	}
	for i, p := range prompts {
		if len(p) == 0 || len(p) >= m.room() {
			return fmt.Errorf("prompt %d has %d tokens; it needs 1 to %d", i, len(p), m.room()-1)
		}
	}
	return nil
}

// room is the longest sequence that generation makes. Keys in the cache keep the angles they were stored with, so it
// stops where dynamic scaling would begin to bend them.
func (m *Model) room() int { return min(m.cfg.Context(), m.cfg.MaxPositionEmbeddings) }

// group chooses the prompts from one on whose cache fits the budget, and the tokens that each needs room for.
func (m *Model) group(prompts [][]int32, from, maxTokens int) (to, capacity int) {
	h := m.decoder.heads
	perToken := 2 * 4 * len(m.decoder.layers) * h.KV * h.Dim
	for to = from; to < len(prompts) && to-from < groupSize; to++ {
		need := max(capacity, min(m.room(), len(prompts[to])+maxTokens))
		if to > from && (to-from+1)*need*perToken > cacheBytes {
			break
		}
		capacity = need
	}
	return to, capacity
}

// A session grows the sequences of one group together.
type session struct {
	m       *Model
	g       Generation
	each    func(seq int, id int32)
	first   int // number of the group's first prompt in the whole list
	prompts [][]int32
	answers [][]int32

	tape  *tensor.Tape
	cache *tensor.Cache
	done  []bool
}

func (s *session) run(ctx context.Context, capacity int) (err error) {
	s.tape = tensor.NewInference(s.m.dev, s.m.arena)
	s.done = make([]bool, len(s.prompts))
	defer s.tape.Reset()
	s.cache, err = tensor.NewCache(s.m.dev, s.m.arena, len(s.m.decoder.layers), len(s.prompts), capacity, s.m.decoder.heads)
	if err != nil {
		return err
	}
	defer s.cache.Free()
	if err := s.readPrompts(ctx); err != nil {
		return err
	}
	for step := 1; slices.Contains(s.done, false); step++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := s.step(step); err != nil {
			return err
		}
	}
	return nil
}

// readPrompts fills the cache and draws the first token of every answer.
func (s *session) readPrompts(ctx context.Context) error {
	for from := 0; from < len(s.prompts); {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		to, tokens := from+1, len(s.prompts[from])
		for to < len(s.prompts) && tokens+len(s.prompts[to]) <= prefillTokens {
			tokens += len(s.prompts[to])
			to++
		}
		if err := s.prefill(from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

func (s *session) prefill(from, to int) error {
	in := Input{Offsets: []int32{0}}
	var slots []tensor.Slot
	for i, p := range s.prompts[from:to] {
		for at := range p {
			slots = append(slots, tensor.Slot{Sequence: from + i, At: at})
		}
		in.Tokens = append(in.Tokens, p...)
		in.Offsets = append(in.Offsets, int32(len(in.Tokens)))
	}
	t := s.tape
	seg, store := t.Segments(in.Offsets), t.Store(s.cache, slots)
	hidden, err := s.forward(in, func(layer int, qkv *tensor.Tensor, h tensor.Heads) *tensor.Tensor {
		t.Keep(s.cache, layer, qkv, store)
		return t.Attention(qkv, h, seg)
	})
	if err != nil {
		return err
	}
	return s.draw(t.Gather(hidden, t.Ints(s.m.readRows(in.Offsets))), from, 0)
}

// step feeds the last token of every sequence and draws the next. Sequences that are done run along without being
// stored.
func (s *session) step(number int) error {
	in := Input{Offsets: []int32{0}}
	slots := make([]tensor.Slot, len(s.prompts))
	for i, answer := range s.answers {
		at := len(s.prompts[i]) + len(answer) - 1
		slots[i] = tensor.Slot{Sequence: i, At: at}
		if s.done[i] {
			at, slots[i].At = 0, tensor.Nowhere
		}
		in.Tokens = append(in.Tokens, answer[len(answer)-1])
		in.Positions = append(in.Positions, int32(at))
		in.Offsets = append(in.Offsets, int32(i+1))
	}
	store := s.tape.Store(s.cache, slots)
	hidden, err := s.forward(in, func(layer int, qkv *tensor.Tensor, h tensor.Heads) *tensor.Tensor {
		return s.tape.Decode(s.cache, layer, qkv, h, store)
	})
	if err != nil {
		return err
	}
	return s.draw(hidden, 0, number)
}

// forward runs the decoder with attention of the caller's, which gets rotated queries and keys.
func (s *session) forward(in Input, attend attend) (*tensor.Tensor, error) {
	in, err := in.check(s.m.cfg)
	if err != nil {
		return nil, err
	}
	packing, err := s.m.rotations(s.tape, in)
	if err != nil {
		return nil, err
	}
	return s.m.decoder.hidden(s.tape, s.tape.Ints(in.Tokens), func(i int, x *tensor.Tensor) *tensor.Tensor {
		return s.m.decoder.block(s.tape, i, x, packing, attend)
	}), nil
}

// draw samples the next token of the sequences from one on, whose last rows are given. Each has a stream of random
// numbers of its own: its number, counted on by step.
func (s *session) draw(last *tensor.Tensor, from, step int) error {
	logits := s.m.Logits(s.tape, last)
	ids, err := s.tape.Sample(logits, accelerators.Sample{
		Temperature: s.g.Temperature, TopK: s.g.TopK, TopP: s.g.TopP,
		Seed: s.g.Seed, Counter: uint64(step)<<32 + uint64(s.g.First+s.first+from),
	})
	s.tape.Reset()
	if err != nil {
		return err
	}
	for i, id := range ids {
		if n := from + i; !s.done[n] {
			s.append(n, id)
		}
	}
	return nil
}

func (s *session) append(n int, id int32) {
	s.answers[n] = append(s.answers[n], id)
	length := len(s.answers[n])
	s.done[n] = length == s.g.MaxTokens || len(s.prompts[n])+length == s.m.room() || slices.Contains(s.g.Stop, id)
	if s.each != nil {
		s.each(s.first+n, id)
	}
}
