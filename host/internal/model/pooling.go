package model

import "github.com/carebot-llm/carebot/host/internal/tensor"

// A PoolingMode says which rows of the last layer speak for a text, by the names of sentence-transformers.
type PoolingMode string

// The modes that are computed.
const (
	PoolMean PoolingMode = "mean" // the mean of all
	PoolCLS  PoolingMode = "cls"  // the first
	PoolLast PoolingMode = "lasttoken"
)

// A Pooling makes the embedding of a text. The zero Pooling is the mean.
type Pooling struct {
	Mode      PoolingMode
	Normalize bool // to length 1
}

// Pool says how embeddings are made.
func (m *Model) Pool(p Pooling) { m.pooling = p }

// Pooling is how embeddings are made.
func (m *Model) Pooling() Pooling { return m.pooling }

// Embeddings pools each sequence's rows of hidden to one, [sequences, hidden]. They are not made of length 1 yet.
func (m *Model) Embeddings(t *tensor.Tape, hidden *tensor.Tensor, in Input) *tensor.Tensor {
	if mode := m.pooling.Mode; mode == PoolCLS || mode == PoolLast {
		return t.Gather(hidden, t.Ints(m.endRows(in.Offsets, mode == PoolLast)))
	}
	return t.MeanPool(hidden, t.Segments(in.Offsets))
}
