package model

import (
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// An Engine continues many sequences at once, which join and leave between steps. Keys and values lie in a pool of
// pages: a sequence begins when its prompt fits, and the newest go back to the queue, to be computed again, when those
// before them need their pages. A sequence's tokens depend on itself alone, bit for bit: not on the others, on how its
// prompt is cut, or on whether it was sent back.
//
// It is used by one goroutine at a time, like its model. Close it.
type Engine struct {
	m         *Model
	tape      *tensor.Tape
	cache     *tensor.Cache
	waiting   []*Sequence
	running   []*Sequence // in the order in which they came
	preempted int
}

// Sizes of what is computed at once.
const (
	mostRunning  = 256 // sequences that grow together
	promptTokens = 256 // tokens of prompts in one step, so that the others need not wait long for their next token
)

// Writes reports whether the model is a language model that continues texts.
func (m *Model) Writes() bool { return m.decoder != nil && m.ends.lm != nil }

// NewEngine returns an engine whose cache has so many pages of tensor.PageSize tokens.
func (m *Model) NewEngine(pages int) (*Engine, error) {
	if !m.Writes() {
		return nil, fmt.Errorf("a %s with head %s is no language model", m.cfg.ModelType, m.head)
	}
	tape := m.generating()
	cache, err := tensor.NewCache(tape, m.pages, len(m.decoder.layers), pages, m.decoder.heads)
	if err != nil {
		return nil, err
	}
	return &Engine{m: m, tape: tape, cache: cache}, nil
}

// generating returns a tape to generate on: in float32, unless activations are in BF16.
func (m *Model) generating() *tensor.Tape {
	t := tensor.NewInference(m.dev, m.arena)
	if m.inBF16() {
		t.Compute = accelerators.BF16
	}
	return t
}

// PagesIn is how many pages of an engine's cache fit so much memory, as far as sequences could use them.
func (m *Model) PagesIn(memory int64) int {
	page := m.generating().PageBytes(len(m.decoder.layers), m.decoder.heads)
	return min(max(2, int(memory)/page), mostRunning*(tensor.PagesFor(m.room())+1))
}

// Close gives the engine's memory back.
func (e *Engine) Close() { e.cache.Free() }

// Room is the longest sequence that the engine makes, prompt and answer: the model's, or what the cache holds.
func (e *Engine) Room() int { return min(e.m.room(), e.cache.Pages*tensor.PageSize) }

// room is the longest sequence that generation makes. Keys in the cache keep the angles they were stored with, so it
// stops where dynamic scaling would begin to bend them.
func (m *Model) room() int { return min(m.cfg.Context(), m.cfg.MaxPositionEmbeddings) }

// Usage is what an engine has to do.
type Usage struct {
	Waiting, Running int // sequences
	Pages, PagesUsed int
	Preempted        int // sequences that went back to the queue so far
}

// Usage reports how busy the engine is.
func (e *Engine) Usage() Usage {
	return Usage{
		Waiting: len(e.waiting), Running: len(e.running), Preempted: e.preempted,
		Pages: e.cache.Pages, PagesUsed: e.cache.Pages - e.cache.Unused(),
	}
}

// Add queues a sequence.
func (e *Engine) Add(s *Sequence) error {
	if s.MaxTokens < 1 {
		return fmt.Errorf("%d new tokens are no length", s.MaxTokens)
	}
	if len(s.Prompt) == 0 || len(s.Prompt) >= e.Room() {
		return fmt.Errorf("the prompt has %d tokens; it needs 1 to %d", len(s.Prompt), e.Room()-1)
	}
	for i, id := range s.Prompt {
		if id < 0 || int(id) >= e.m.cfg.VocabSize {
			return fmt.Errorf("token %d has id %d, outside the vocabulary of %d", i, id, e.m.cfg.VocabSize)
		}
	}
	if s.Stop == nil {
		s.Stop = e.m.cfg.EosTokenID
	}
	s.tokens = slices.Clone(s.Prompt)
	e.waiting = append(e.waiting, s)
	return nil
}

// Remove forgets a sequence, wherever it is.
func (e *Engine) Remove(s *Sequence) {
	s.done = true
	e.waiting = slices.DeleteFunc(e.waiting, func(w *Sequence) bool { return w == s })
	e.dropDone()
}

func (e *Engine) dropDone() {
	e.running = slices.DeleteFunc(e.running, func(s *Sequence) bool {
		if s.done {
			e.cache.Release(s.pages)
			s.pages = nil
		}
		return s.done
	})
}

// Idle reports whether there is nothing to do.
func (e *Engine) Idle() bool { return len(e.waiting)+len(e.running) == 0 }

// Step runs one pass over the model: the newest token of every sequence, and a piece of the prompts of those that
// begin. After an error of the device the sequences are where they were; nothing more will come of them.
func (e *Engine) Step() error {
	e.makeRoom()
	e.admit()
	b := e.plan()
	if len(b.slots) == 0 {
		return nil
	}
	err := e.pass(b)
	e.tape.Reset()
	e.dropDone()
	return err
}

// makeRoom gives every sequence the page of its newest token. Where there is none left, the newest sequence goes back
// to the queue. The oldest never does, since Room tokens fit the cache.
func (e *Engine) makeRoom() {
	for i := 0; i < len(e.running); i++ {
		for s := e.running[i]; !e.extend(s); {
			last := e.running[len(e.running)-1]
			e.preempt(last)
			if last == s {
				break
			}
		}
	}
}

func (e *Engine) extend(s *Sequence) (ok bool) {
	s.pages, ok = e.cache.Extend(s.pages, len(s.tokens))
	return ok
}

// preempt sends the newest sequence back to the head of the queue.
func (e *Engine) preempt(s *Sequence) {
	e.cache.Release(s.pages)
	s.pages, s.cached = nil, 0
	e.running = e.running[:len(e.running)-1]
	e.waiting = slices.Insert(e.waiting, 0, s)
	e.preempted++
}

// admit lets sequences begin in order, as long as their tokens fit and every one that runs could take another page.
func (e *Engine) admit() {
	for len(e.waiting) > 0 && len(e.running) < mostRunning {
		s := e.waiting[0]
		if tensor.PagesFor(len(s.tokens))+len(e.running) > e.cache.Unused() || !e.extend(s) {
			return
		}
		e.waiting = e.waiting[1:]
		e.running = append(e.running, s)
	}
}

// A batch is the rows of one pass.
type batch struct {
	tokens, positions []int32
	slots             []tensor.Slot
	sequences         []*Sequence // that have rows
	pages             [][]int32   // of these
	ready             []*Sequence // those whose last row says the next token
	last              []int32     // and where that row is
}

// plan takes the tokens that are not in the cache yet: one of a sequence that grows, as many of the prompts as a step
// may have.
func (e *Engine) plan() *batch {
	b, left := &batch{}, promptTokens
	for _, s := range e.running {
		n := len(s.tokens) - s.cached
		if n > 1 {
			n = min(n, left)
			left -= n
		}
		if n > 0 {
			b.add(s, n)
		}
	}
	return b
}

func (b *batch) add(s *Sequence, n int) {
	for at := s.cached; at < s.cached+n; at++ {
		b.tokens = append(b.tokens, s.tokens[at])
		b.positions = append(b.positions, int32(at))
		b.slots = append(b.slots, tensor.Slot{Sequence: len(b.sequences), At: at})
	}
	b.sequences, b.pages = append(b.sequences, s), append(b.pages, s.pages)
	if s.cached += n; s.cached == len(s.tokens) {
		b.ready, b.last = append(b.ready, s), append(b.last, int32(len(b.slots)-1))
	}
}

// pass runs the rows of a batch and appends the next tokens.
func (e *Engine) pass(b *batch) error {
	logits, err := e.m.decode(e.tape, e.cache, b)
	if err != nil {
		return err
	}
	if len(b.ready) == 0 {
		return e.tape.Err()
	}
	draws := make([]accelerators.Draw, len(b.ready))
	for i, s := range b.ready {
		draws[i] = s.draw()
	}
	ids, err := e.tape.Sample(logits, draws)
	if err != nil {
		return err
	}
	tokens, err := b.tell(e.tape, logits, ids)
	if err != nil {
		return err
	}
	for i, s := range b.ready {
		s.append(tokens[i], e.Room())
	}
	return nil
}

// tell makes ids tokens, with the log-probabilities that their sequences ask for.
func (b *batch) tell(t *tensor.Tape, logits *tensor.Tensor, ids []int32) ([]Token, error) {
	tokens := make([]Token, len(ids))
	var asking []int32
	for i, id := range ids {
		tokens[i].ID = id
		if b.ready[i].LogProbs {
			asking = append(asking, int32(i))
		}
	}
	if len(asking) == 0 {
		return tokens, nil
	}
	rows, err := t.Download(t.Gather(logits, t.Ints(asking)))
	if err != nil {
		return nil, err
	}
	for i, n := range asking {
		b.ready[n].tell(&tokens[n], rows[i*logits.Cols:(i+1)*logits.Cols])
	}
	return tokens, nil
}

// decode runs the decoder on rows of many sequences, with attention to the cache, and returns the logits after the rows
// that are the last, if there are some.
func (m *Model) decode(t *tensor.Tape, c *tensor.Cache, b *batch) (logits *tensor.Tensor, err error) {
	in, err := Input{Tokens: b.tokens, Positions: b.positions, Offsets: []int32{0, int32(len(b.tokens))}}.check(m.cfg)
	if err != nil {
		return nil, err
	}
	packing, err := m.rotations(t, in)
	if err != nil {
		return nil, err
	}
	store, ids, last := t.Store(c, b.pages, b.slots), t.Ints(in.Tokens), t.Ints(b.last)
	attend := func(layer int, qkv *tensor.Tensor, h tensor.Heads) *tensor.Tensor {
		return t.Decode(c, layer, qkv, h, store)
	}
	t.Together(func() {
		hidden := m.decoder.hidden(t, ids, func(i int, x *tensor.Tensor) *tensor.Tensor {
			return m.decoder.block(t, i, x, packing, attend)
		})
		if last.Len > 0 {
			logits = m.Logits(t, t.Gather(hidden, last))
		}
	})
	return logits, nil
}
