package tensor

import "github.com/carebot-llm/carebot/accelerators"

// Ints are indices on the device: token ids, positions, row numbers, targets.
type Ints struct {
	Len int
	buf accelerators.Buffer
}

// Ints uploads indices.
func (t *Tape) Ints(values []int32) *Ints {
	x := t.ints.next()
	x.Len, x.buf = len(values), t.take(accelerators.I32, len(values))
	if t.err == nil {
		t.dev.UploadI32(x.buf, values)
	}
	return x
}

// Floats uploads numbers that no gradient reaches.
func (t *Tape) Floats(values []float32) accelerators.Buffer {
	b := t.save(len(values))
	if t.err == nil {
		t.dev.UploadF32(b, values)
	}
	return b
}

// Segments are the bounds of packed sequences.
type Segments struct {
	Offsets []int32 // first token of each sequence, and the number of tokens at the end
	MaxLen  int

	buf accelerators.Buffer
}

// Count is the number of sequences.
func (s *Segments) Count() int { return len(s.Offsets) - 1 }

// Tokens is the number of tokens of all sequences.
func (s *Segments) Tokens() int { return int(s.Offsets[s.Count()]) }

// bounds are the first token of a sequence and the number of its tokens.
func (s *Segments) bounds(i int) (from, n int) {
	return int(s.Offsets[i]), int(s.Offsets[i+1] - s.Offsets[i])
}

// Segments uploads the bounds of sequences: rising from 0, no sequence empty. The tape keeps offsets until Reset.
func (t *Tape) Segments(offsets []int32) *Segments {
	s := t.segments.next()
	s.Offsets = offsets
	if len(offsets) < 2 || offsets[0] != 0 {
		t.refuse("Segments: offsets must start with 0 and bound a sequence")
	}
	if t.err != nil {
		return s
	}
	for i := range s.Count() {
		n := int(offsets[i+1] - offsets[i])
		if n <= 0 {
			t.refuse("Segments: sequence %d has %d tokens", i, n)
		}
		s.MaxLen = max(s.MaxLen, n)
	}
	s.buf = t.Ints(offsets).buf
	return s
}

// Embed looks ids up: out[t,:] = table[ids[t],:] for a table [V,C].
func (t *Tape) Embed(table *Param, ids *Ints) *Tensor {
	if len(table.Shape) != 2 {
		t.refuse("Embed: %v is not a table", table)
	}
	if t.err != nil {
		return &Tensor{}
	}
	rows := table.value
	if !rows.Present() {
		rows = t.factor(table)
	}
	y := t.output(t.kind(), ids.Len, table.Shape[1])
	if t.err != nil {
		return y
	}
	t.dev.Embed(y.Value, rows, ids.buf, y.Cols)
	return t.record(node{back: embedGrad, out: y, w: table, index: ids.buf})
}

func embedGrad(t *Tape, n *node) {
	if !n.w.frozen() {
		t.dev.EmbedGrad(t.sumsFor(n.w), n.out.grad, n.index, n.out.Cols)
	}
}

// Gather selects rows: out[i,:] = x[rows[i],:].
func (t *Tape) Gather(x *Tensor, rows *Ints) *Tensor {
	y := t.output(x.kind(), rows.Len, x.Cols)
	if t.err != nil {
		return y
	}
	t.dev.Gather(y.Value, x.Value, rows.buf, x.Cols)
	return t.record(node{back: gatherGrad, out: y, x: x, index: rows.buf})
}

func gatherGrad(t *Tape, n *node) {
	if dx := t.accumulator(n.x); t.err == nil {
		t.dev.GatherGrad(dx, n.out.grad, n.index, n.x.Cols)
	}
}

// Scatter puts the rows of x among rows of zeros: out[to[i],:] = x[i,:], for places that differ.
func (t *Tape) Scatter(x *Tensor, to *Ints, rows int) *Tensor {
	if to.Len != x.Rows {
		t.refuse("Scatter: %d places for x %v", to.Len, x)
	}
	y := t.output(x.kind(), rows, x.Cols)
	if t.err != nil {
		return y
	}
	t.dev.Fill(y.Value, 0)
	t.dev.GatherGrad(y.Value, x.Value, to.buf, x.Cols)
	return t.record(node{back: scatterGrad, out: y, x: x, index: to.buf})
}

func scatterGrad(t *Tape, n *node) {
	dx := t.borrow(n.x.kind(), n.x.size())
	if t.err == nil {
		t.dev.Gather(dx, n.out.grad, n.index, n.x.Cols)
		t.give(n.x, dx)
	}
}

// MeanPool averages the rows of each sequence: [T,C] to [N,C]. One sequence after the other, so that a mean does not
// depend on which sequences share the batch.
func (t *Tape) MeanPool(x *Tensor, s *Segments) *Tensor {
	if t.err == nil && x.Rows != s.Tokens() {
		t.refuse("MeanPool: x %v, sequences of %v tokens", x, s.Offsets)
	}
	if t.err != nil {
		return &Tensor{}
	}
	y := t.output(x.kind(), s.Count(), x.Cols)
	ones := t.take(x.kind(), s.MaxLen)
	if t.err != nil {
		return y
	}
	t.dev.Fill(ones, 1)
	for i := range s.Count() {
		from, n := s.bounds(i)
		t.dev.MatMul(y.Value.Slice(i*x.Cols, x.Cols), ones.Slice(0, n), x.Value.Slice(from*x.Cols, n*x.Cols),
			accelerators.MatMul{M: 1, N: x.Cols, K: n, Alpha: 1 / float32(n), Compute: x.kind()})
	}
	return t.record(node{
		back: meanPoolGrad, out: y, x: x, packing: Packing{Segments: s}, saved: [3]accelerators.Buffer{ones},
	})
}

func meanPoolGrad(t *Tape, n *node) {
	dx, width, seg := t.accumulator(n.x), n.x.Cols, n.packing.Segments
	if t.err != nil {
		return
	}
	for i := range seg.Count() {
		from, rows := seg.bounds(i)
		t.dev.MatMul(dx.Slice(from*width, rows*width), n.saved[0].Slice(0, rows), n.out.grad.Slice(i*width, width),
			accelerators.MatMul{M: rows, N: width, K: 1, Alpha: 1 / float32(rows), Beta: 1, Compute: n.x.kind()})
	}
}
