package model

import (
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// Input is packed sequences: their tokens one after the other. Offsets are the first tokens of the sequences, and the
// number of tokens at the end. Positions count within the sequences; nil counts from 0 in each.
type Input struct {
	Tokens    []int32
	Positions []int32
	Offsets   []int32
	Types     []int32
}

// check holds all bounds that the kernels trust, and fills the positions.
func (in Input) check(c Config) (Input, error) {
	if err := in.checkOffsets(); err != nil {
		return in, err
	}
	for i, id := range in.Tokens {
		if id < 0 || int(id) >= c.VocabSize {
			return in, fmt.Errorf("token %d has id %d, outside the vocabulary of %d", i, id, c.VocabSize)
		}
	}
	if in.Positions == nil {
		in.Positions = in.counted()
	}
	if len(in.Positions) != len(in.Tokens) {
		return in, fmt.Errorf("%d positions for %d tokens", len(in.Positions), len(in.Tokens))
	}
	for i, p := range in.Positions {
		if p < 0 || int(p) >= c.Context() {
			return in, fmt.Errorf("token %d has position %d, outside the context of %d", i, p, c.Context())
		}
	}
	return in, in.checkTypes(c)
}

func (in Input) checkTypes(c Config) error {
	if in.Types != nil && len(in.Types) != len(in.Tokens) {
		return fmt.Errorf("%d types for %d tokens", len(in.Types), len(in.Tokens))
	}
	for i, kind := range in.Types {
		if kind < 0 || int(kind) >= max(1, c.TypeVocabSize) {
			return fmt.Errorf("token %d has type %d, and the model knows %d", i, kind, max(1, c.TypeVocabSize))
		}
	}
	return nil
}

func (in Input) checkOffsets() error {
	n := len(in.Offsets) - 1
	if n < 1 || in.Offsets[0] != 0 || int(in.Offsets[n]) != len(in.Tokens) {
		return fmt.Errorf("offsets %v do not bound %d tokens", in.Offsets, len(in.Tokens))
	}
	for i := range n {
		if in.Offsets[i+1] <= in.Offsets[i] {
			return fmt.Errorf("sequence %d of %d is empty", i, n)
		}
	}
	return nil
}

func (in Input) counted() []int32 {
	positions := make([]int32, 0, len(in.Tokens))
	for i := range len(in.Offsets) - 1 {
		for p := range in.Offsets[i+1] - in.Offsets[i] {
			positions = append(positions, p)
		}
	}
	return positions
}

// indices are row numbers on their way to the device, in memory that every pass uses again.
type indices struct{ rows, positions, types []int32 }

func resized(x []int32, n int) []int32 { return slices.Grow(x[:0], n)[:n] }

// Hidden runs the transformer: [T, hidden] after the final norm of a decoder, or the last layer of an encoder. The
// input's offsets belong to the tape until it is reset.
func (m *Model) Hidden(t *tensor.Tape, in Input) *tensor.Tensor {
	in, err := in.check(m.cfg)
	if err != nil {
		return failed(t, fmt.Errorf("model input: %w", err))
	}
	ids := t.Ints(in.Tokens)
	if m.encoder != nil {
		packing := tensor.Packing{Segments: t.Segments(in.Offsets)}
		positions, types := t.Ints(m.positionRows(in.Positions)), t.Ints(m.typeRows(in))
		return m.encoder.hidden(t, ids, positions, types, func(i int, x *tensor.Tensor) *tensor.Tensor {
			return m.layer(t, m.encoder, i, x, packing)
		})
	}
	packing, err := m.rotations(t, in)
	if err != nil {
		return failed(t, err)
	}
	packing.Segments = t.Segments(in.Offsets)
	return m.decoder.hidden(t, ids, func(i int, x *tensor.Tensor) *tensor.Tensor {
		return m.layer(t, m.decoder, i, x, packing)
	})
}

func (m *Model) layer(t *tensor.Tape, b tensor.Block, i int, x *tensor.Tensor, p tensor.Packing) *tensor.Tensor {
	if m.checkpointed {
		return t.Checkpoint(b, i, x, p)
	}
	return b.Run(t, i, x, p)
}

// positionRows are the rows of an encoder's position table.
func (m *Model) positionRows(positions []int32) []int32 {
	rows := resized(m.indices.positions, len(positions))
	for i, p := range positions {
		rows[i] = p + int32(m.cfg.firstPosition())
	}
	m.indices.positions = rows
	return rows
}

// typeRows are the rows of an encoder's table of token types.
func (m *Model) typeRows(in Input) []int32 {
	m.indices.types = resized(m.indices.types, len(in.Tokens))
	clear(m.indices.types)
	copy(m.indices.types, in.Types)
	return m.indices.types
}

// rotations are the angles of a checked input's rows for all kinds of layers.
func (m *Model) rotations(t *tensor.Tape, in Input) (tensor.Packing, error) {
	rotary, err := m.rotation(t, in, &m.rotary)
	if err != nil || m.cfg.LocalRopeTheta == 0 {
		return tensor.Packing{Rotary: rotary, Local: rotary}, err
	}
	local, err := m.rotation(t, in, &m.local)
	return tensor.Packing{Rotary: rotary, Local: local}, err
}

// rotation gives the rows of a checked input their angles: from the model's tables, or, where a sequence is so long
// that dynamic scaling bends its angles, from tables made for this input alone. A sequence's angles never depend on the
// others.
func (m *Model) rotation(t *tensor.Tape, in Input, r *rotary) (tensor.Rotary, error) {
	longest := 0
	for _, p := range in.Positions {
		longest = max(longest, int(p)+1)
	}
	if s := r.cfg.RopeScaling; s != nil && s.Type == ropeDynamic && longest > m.cfg.MaxPositionEmbeddings {
		return m.stretched(t, in, r), nil
	}
	if err := m.reach(r, longest); err != nil {
		return tensor.Rotary{}, err
	}
	return tensor.Rotary{Cos: r.cos, Sin: r.sin, Positions: t.Ints(in.Positions)}, nil
}

func (m *Model) stretched(t *tensor.Tape, in Input, r *rotary) tensor.Rotary {
	var cos, sin []float32
	half := m.cfg.HeadDim / 2
	for i := range len(in.Offsets) - 1 {
		positions := in.Positions[in.Offsets[i]:in.Offsets[i+1]]
		length := 0
		for _, p := range positions {
			length = max(length, int(p)+1)
		}
		c, s := m.angles(r, length, length)
		for _, p := range positions {
			cos = append(cos, c[int(p)*half:(int(p)+1)*half]...)
			sin = append(sin, s[int(p)*half:(int(p)+1)*half]...)
		}
	}
	rows := make([]int32, len(in.Tokens))
	for i := range rows {
		rows[i] = int32(i)
	}
	return tensor.Rotary{Cos: t.Floats(cos), Sin: t.Floats(sin), Positions: t.Ints(rows)}
}
