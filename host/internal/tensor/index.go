package tensor

import "github.com/carebot-llm/carebot/accelerators"

// Ints are indices on the device: token ids, positions, row numbers, targets.
type Ints struct {
	Len int
	buf accelerators.Buffer
}

// Ints uploads indices.
func (t *Tape) Ints(values []int32) *Ints {
	x := &Ints{len(values), t.take(accelerators.I32, len(values)).buf}
	if t.err == nil {
		t.dev.UploadI32(x.buf, values)
	}
	return x
}

// Floats uploads numbers that no gradient reaches.
func (t *Tape) Floats(values []float32) accelerators.Buffer {
	b := t.take(accelerators.F32, len(values)).buf
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

// Segments uploads the bounds of sequences: rising from 0, no sequence empty.
func (t *Tape) Segments(offsets []int32) *Segments {
	s := &Segments{Offsets: offsets}
	t.require(len(offsets) >= 2 && offsets[0] == 0, "Segments: offsets must start with 0 and bound a sequence")
	if t.err != nil {
		return s
	}
	for i := range s.Count() {
		n := int(offsets[i+1] - offsets[i])
		t.require(n > 0, "Segments: sequence %d has %d tokens", i, n)
		s.MaxLen = max(s.MaxLen, n)
	}
	s.buf = t.Ints(offsets).buf
	return s
}

// Embed looks ids up: out[t,:] = table[ids[t],:] for a table [V,C].
func (t *Tape) Embed(table *Param, ids *Ints) *Tensor {
	t.trainable("Embed", table)
	t.require(len(table.Shape) == 2, "Embed: %v is not a table", table)
	if t.err != nil {
		return &Tensor{}
	}
	width := table.Shape[1]
	y := t.output(ids.Len, width)
	if t.err != nil {
		return y
	}
	t.dev.Embed(y.Value, table.Value, ids.buf, width)
	return t.record(y, func() { t.dev.EmbedGrad(table.Grad, y.grad, ids.buf, width) })
}

// Gather selects rows: out[i,:] = x[rows[i],:].
func (t *Tape) Gather(x *Tensor, rows *Ints) *Tensor {
	y := t.output(rows.Len, x.Cols)
	if t.err != nil {
		return y
	}
	t.dev.Gather(y.Value, x.Value, rows.buf, x.Cols)
	return t.record(y, func() {
		if dx := t.accumulator(x); t.err == nil {
			t.dev.GatherGrad(dx, y.grad, rows.buf, x.Cols)
		}
	})
}

// MeanPool averages the rows of each sequence: [T,C] to [N,C].
func (t *Tape) MeanPool(x *Tensor, s *Segments) *Tensor {
	t.require(t.err != nil || x.Rows == s.Tokens(), "MeanPool: x %v, sequences of %v tokens", x, s.Offsets)
	if t.err != nil {
		return &Tensor{}
	}
	y := t.output(s.Count(), x.Cols)
	ones := t.save(s.MaxLen)
	if t.err != nil {
		return y
	}
	t.dev.Fill(ones, 1)
	t.eachSegment(y.Value, x.Value, s, x.Cols, func(mean, rows accelerators.Buffer, n int) {
		t.dev.MatMul(mean, ones.Slice(0, n), rows, accelerators.MatMul{M: 1, N: x.Cols, K: n, Alpha: 1 / float32(n)})
	})
	return t.record(y, func() {
		if dx := t.accumulator(x); t.err == nil {
			t.eachSegment(y.grad, dx, s, x.Cols, func(mean, rows accelerators.Buffer, n int) {
				t.dev.MatMul(rows, ones.Slice(0, n), mean,
					accelerators.MatMul{M: n, N: x.Cols, K: 1, Alpha: 1 / float32(n), Beta: 1})
			})
		}
	})
}

// eachSegment visits the pooled row and the token rows of every sequence. One by one, so that a mean does not depend on
// which sequences share the batch.
func (t *Tape) eachSegment(pooled, x accelerators.Buffer, s *Segments, width int,
	visit func(mean, rows accelerators.Buffer, n int)) {
	for i := range s.Count() {
		from, n := int(s.Offsets[i]), int(s.Offsets[i+1]-s.Offsets[i])
		visit(pooled.Slice(i*width, width), x.Slice(from*width, n*width), n)
	}
}
