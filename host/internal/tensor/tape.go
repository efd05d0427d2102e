package tensor

import (
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
)

// A Tape runs operations on a device and, when it records, keeps what their gradients need. Its methods never fail
// visibly: the first error (a shape rule, no memory) sticks, all later operations do nothing, and Err, Backward and
// Download report it. Errors of the device's stream come out of Download or the device's Sync. A Tape is used by one
// goroutine at a time, and its tensors by no other tape.
type Tape struct {
	dev       accelerators.Device
	pool      *Pool
	recording bool
	err       error
	nodes     []node
	held      []*block // memory of the tape, in the order in which it was taken
}

// A node is one recorded operation. Walking back over it releases everything the tape took since it began.
type node struct {
	out  *Tensor
	back func() // reads out.grad and adds to the gradients of the inputs
}

type block struct{ buf accelerators.Buffer }

// NewTape returns a tape that records for Backward. All parameters used on it must have gradients.
func NewTape(dev accelerators.Device, pool *Pool) *Tape {
	return &Tape{dev: dev, pool: pool, recording: true}
}

// NewInference returns a tape without gradients, on which Release frees activations early.
func NewInference(dev accelerators.Device, pool *Pool) *Tape { return &Tape{dev: dev, pool: pool} }

// Err is the first error since the last Reset.
func (t *Tape) Err() error { return t.err }

// Reset returns everything to the pool and clears the error. All tensors of the tape are gone.
func (t *Tape) Reset() {
	for _, n := range t.nodes {
		t.dropGrad(n.out)
	}
	clear(t.nodes)
	t.nodes = t.nodes[:0]
	t.unwind(0)
	t.err = nil
}

// Mark names the present moment for Release.
func (t *Tape) Mark() int { return len(t.held) }

// Release returns to the pool what an inference tape took since the mark, except the tensors to keep. A recording tape
// needs all of it for the way back and does nothing.
func (t *Tape) Release(mark int, keep ...*Tensor) {
	if t.recording {
		return
	}
	kept := t.held[:mark]
	for _, b := range t.held[mark:] {
		if wanted(b, keep) {
			kept = append(kept, b)
		} else {
			t.pool.Put(b.buf)
		}
	}
	t.held = kept
}

func wanted(b *block, keep []*Tensor) bool {
	for _, x := range keep {
		if x.block == b {
			return true
		}
	}
	return false
}

// Download copies a tensor to the host, row after row, waiting for the work before it.
func (t *Tape) Download(x *Tensor) ([]float32, error) {
	if t.err != nil {
		return nil, t.err
	}
	host := make([]float32, x.size())
	if err := t.dev.DownloadF32(host, x.Value); err != nil {
		return nil, fmt.Errorf("download a tensor %s: %w", x, err)
	}
	return host, nil
}

// Fail makes err the tape's error, unless it has one.
func (t *Tape) Fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

// require makes a broken shape rule the tape's error. The format starts with the operation's name.
func (t *Tape) require(rule bool, format string, args ...any) {
	if !rule && t.err == nil {
		t.err = fmt.Errorf(format, args...)
	}
}

// trainable holds the rule that a recording tape has somewhere to put the gradients of the parameters.
func (t *Tape) trainable(op string, params ...*Param) {
	for _, p := range params {
		t.require(!t.recording || p.Grad.Present(), "%s: %v is frozen, and the tape records", op, p)
	}
}

// output makes the result of an operation. It comes before all other memory of that operation.
func (t *Tape) output(rows, cols int) *Tensor {
	y := &Tensor{Rows: rows, Cols: cols, mark: len(t.held)}
	y.block = t.take(accelerators.F32, rows*cols)
	y.Value = y.block.buf
	return y
}

// save makes n elements of f32 that live as long as the operation's output.
func (t *Tape) save(n int) accelerators.Buffer { return t.take(accelerators.F32, n).buf }

func (t *Tape) take(kind accelerators.DType, n int) *block {
	b := &block{t.borrow(kind, n)}
	if b.buf.Present() {
		t.held = append(t.held, b)
	}
	return b
}

// borrow gets memory that the caller gives back itself; absent after an error.
func (t *Tape) borrow(kind accelerators.DType, n int) accelerators.Buffer {
	if t.err != nil {
		return accelerators.Buffer{}
	}
	b, err := t.pool.Get(kind, n)
	if err != nil {
		t.err = fmt.Errorf("allocate %d elements of %v: %w", n, kind, err)
	}
	return b
}

func (t *Tape) unwind(mark int) {
	for i := len(t.held) - 1; i >= mark; i-- {
		t.pool.Put(t.held[i].buf)
		t.held[i] = nil
	}
	t.held = t.held[:min(mark, len(t.held))]
}

// record appends the way back of the operation that made y.
func (t *Tape) record(y *Tensor, back func()) *Tensor {
	if t.recording {
		t.nodes = append(t.nodes, node{y, back})
	}
	return y
}
