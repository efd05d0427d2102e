package cpu

import "github.com/carebot-llm/carebot/accelerators"

// attention is one operation on packed sequences; the slices begin at the first token. The device keeps one, whose
// lists are reused.
type attention struct {
	accelerators.Attention
	d         *Device
	set       *kernelSet
	halves    bf16Kernels // of products whose operands are rounded
	offsets   []int32
	q, k, v   []float32
	out, lse  []float32
	dq, dk    []float32
	dv, dout  []float32
	means     []float32 // of each token and head, sum(out*dout)
	group     int       // query heads to a key-value head
	outStride int
	sequences []sequence // that have tokens, the longest first
	tasks     []attentionTask
	waves     int // backward: how many lists of tasks there are
}

// Attention: out = softmax(scale q k^T + mask) v and the log-sum-exp of the scores of each token and head.
func (d *Device) Attention(out, lse, q, k, v accelerators.Buffer, s accelerators.Attention) {
	c := d.call("Attention")
	a := c.attention(q, k, v, s)
	a.out = c.f32("out", out, c.size(s.Tokens, s.Heads, s.HeadDim))
	a.lse = c.f32("lse", lse, c.size(s.Tokens, s.Heads))
	if !passed(c, attentionShape(s)) {
		return
	}
	a.runForward()
}

// attentionShape is what an error shows: the description without its buffer.
func attentionShape(s accelerators.Attention) accelerators.Attention {
	s.Offsets = accelerators.Buffer{}
	return s
}

func (c *call) attention(q, k, v accelerators.Buffer, s accelerators.Attention) *attention {
	c.heads(s.Heads, s.KVHeads, s.HeadDim)
	c.positive("Tokens", s.Tokens+1)
	c.positive("Sequences", s.Sequences+1)
	if s.Window < 0 {
		c.fail("Window must not be negative")
	}
	if s.Cap < 0 {
		c.fail("Cap must not be negative")
	}
	queries, keys := c.size(s.Heads, s.HeadDim), c.size(s.KVHeads, s.HeadDim)
	a := &c.dev.ops.attention
	*a = attention{Attention: s, d: c.dev, set: c.dev.set, outStride: queries, halves: c.dev.set.bf16(),
		sequences: a.sequences, tasks: a.tasks}
	a.q = c.f32("q", q, c.span(s.Tokens, s.StrideQ, queries))
	a.k = c.f32("k", k, c.span(s.Tokens, s.StrideK, keys))
	a.v = c.f32("v", v, c.span(s.Tokens, s.StrideV, keys))
	a.offsets = c.i32("Offsets", s.Offsets, c.size(s.Sequences)+1)
	c.checkOffsets(a.offsets, s)
	if !c.skip {
		a.group = s.Heads / s.KVHeads
	}
	return a
}

// heads checks the sizes of attention heads.
func (c *call) heads(heads, kvHeads, dim int) {
	c.positive("Heads", heads)
	c.positive("KVHeads", kvHeads)
	c.positive("HeadDim", dim)
	if !c.skip && heads%kvHeads != 0 {
		c.fail("%d heads do not divide among %d key-value heads", heads, kvHeads)
	}
}

func (c *call) checkOffsets(offsets []int32, s accelerators.Attention) {
	for i, at := range offsets {
		switch {
		case i == 0 && at != 0:
			c.fail("Offsets begin with %d, want 0", at)
		case i > 0 && (at < offsets[i-1] || int(at-offsets[i-1]) > s.MaxLen):
			c.fail("sequence %d has %d tokens, want 0 to MaxLen", i-1, at-offsets[i-1])
		}
	}
	if n := len(offsets); n > 0 && int(offsets[n-1]) != s.Tokens {
		c.fail("Offsets end with %d, want Tokens", offsets[n-1])
	}
}

// interval is the indices [from, to).
type interval struct{ from, to int }

func (i interval) n() int { return i.to - i.from }

// cut is the part of i that lies in j; where there is none, it has no length.
func (i interval) cut(j interval) interval {
	from := min(max(i.from, j.from), j.to)
	return interval{from, max(from, min(i.to, j.to))}
}

// sequence is the tokens of one sequence. Queries and keys are counted from its start.
type sequence struct{ start, length int }

// row is where token t of the sequence has head h in a buffer of the given stride.
func (a *attention) row(seq sequence, t, h, stride int) int {
	return (seq.start+t)*stride + h*a.HeadDim
}

// visible is the keys that a query sees.
func (a *attention) visible(query int, seq sequence) interval {
	keys := interval{0, seq.length}
	if a.Window > 0 {
		keys.from = max(0, query-a.Window+1)
	}
	if a.Causal {
		keys.to = query + 1
	}
	return keys
}

// seen is the keys that some of the queries see, which begin with a tile: whole tiles of keys, so that the scores of
// a block consist of whole tiles of queries and keys.
func (a *attention) seen(queries interval, seq sequence) interval {
	first, last := a.visible(queries.from, seq), a.visible(queries.to-1, seq)
	return interval{first.from / tileRows * tileRows, last.to}
}

// seers is the queries that see a key; the other way round the same as visible.
func (a *attention) seers(key int, seq sequence) interval {
	queries := interval{0, seq.length}
	if a.Causal {
		queries.from = key
	}
	if a.Window > 0 {
		queries.to = min(seq.length, key+a.Window)
	}
	return queries
}

// seeing is the queries whose tiles see a tile of keys that begins at key; the other way round the same as seen.
func (a *attention) seeing(key int, seq sequence) interval {
	first, last := a.seers(key, seq), a.seers(key+tileRows-1, seq)
	return interval{first.from, min(seq.length, (last.to+tileRows-1)/tileRows*tileRows)}
}
