package tensor

import (
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

// A Tape runs operations on a device and, when it records, keeps what their gradients need. Its methods never fail
// visibly: the first error (a shape rule, no memory) sticks, all later operations do nothing, and Err, Backward and
// Download report it. Errors of the device's stream come out of Download or the device's Sync. A Tape is used by one
// goroutine at a time, and its tensors by no other tape. It is worth keeping: a step of a shape that it has seen makes
// no garbage.
type Tape struct {
	// Compute is the type that matrix products round their operands to: F32, as they are, or BF16. On a device that
	// holds BF16 it is then the type of activations and their gradients too.
	Compute accelerators.DType

	dev       accelerators.Device
	arena     *Arena
	recording bool
	inference bool // it never records, so nothing is gone over again
	err       error
	nodes     []node
	held      []accelerators.Buffer // memory of the tape, in the order in which it was taken
	learned   []*ParamSet           // sets whose gradients the way back has reached

	tensors  slab[Tensor]
	ints     slab[Ints]
	segments slab[Segments]
}

// NewTape returns a tape that records for Backward. Parameters without gradients are frozen: it goes back through
// them, and leaves them alone.
func NewTape(dev accelerators.Device, arena *Arena) *Tape {
	return &Tape{dev: dev, arena: arena, recording: true}
}

// NewInference returns a tape without gradients, on which Release frees activations early.
func NewInference(dev accelerators.Device, arena *Arena) *Tape {
	return &Tape{dev: dev, arena: arena, inference: true}
}

// Err is the first error since the last Reset.
func (t *Tape) Err() error { return t.err }

// Reset returns everything to the arena and clears the error. All tensors of the tape are gone.
func (t *Tape) Reset() {
	for i := range t.nodes {
		t.dropGrad(t.nodes[i].out)
	}
	t.nodes = t.nodes[:0]
	t.learned = t.learned[:0]
	t.unwind(0)
	t.tensors.rewind(0)
	t.ints.rewind(0)
	t.segments.rewind(0)
	t.err = nil
}

// Mark names the present moment for Release.
func (t *Tape) Mark() int { return len(t.held) }

// Release returns to the arena what an inference tape took since the mark, except the tensors to keep. A recording tape
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
			t.arena.Put(b)
		}
	}
	t.held = kept
}

func wanted(b accelerators.Buffer, keep []*Tensor) bool {
	for _, x := range keep {
		if x.Value == b {
			return true
		}
	}
	return false
}

// Download copies a tensor to the host, row after row, waiting for the work before it.
func (t *Tape) Download(x *Tensor) ([]float32, error) { return t.Read(nil, x) }

// Read is Download to host's memory, as far as that reaches. host is overwritten.
func (t *Tape) Read(host []float32, x *Tensor) ([]float32, error) {
	if t.err != nil {
		return nil, t.err
	}
	if cap(host) < x.size() {
		host = make([]float32, x.size())
	}
	host = host[:x.size()]
	if err := t.dev.DownloadF32(host, x.Value); err != nil {
		return nil, fmt.Errorf("download a tensor %s: %w", x, err)
	}
	return host, nil
}

// Fetch is Read that does not wait: what it returns is there when wait has returned, or at once where that is nil.
func (t *Tape) Fetch(host []float32, x *Tensor) (values []float32, wait func() error, err error) {
	if t.err != nil {
		return nil, nil, t.err
	}
	values = slices.Grow(host[:0], x.size())[:x.size()]
	return values, t.dev.FetchF32(values, x.Value), nil
}

// Together calls work, whose operations are likely to come again in the same shapes. What it uploads should be there
// before.
func (t *Tape) Together(work func()) { t.dev.Together(work) }

// Fail makes err the tape's error, unless it has one.
func (t *Tape) Fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

// refuse makes a broken shape rule the tape's error. The format starts with the operation's name. It is called where the
// rule is broken only: the arguments would be garbage.
func (t *Tape) refuse(format string, args ...any) { t.Fail(fmt.Errorf(format, args...)) }

// kind is the type of the activations that the tape makes of parameters.
func (t *Tape) kind() accelerators.DType {
	if t.Compute == accelerators.BF16 && t.dev.HoldsBF16() {
		return accelerators.BF16
	}
	return accelerators.F32
}

// output makes the result of an operation. It comes before all other memory of that operation.
func (t *Tape) output(kind accelerators.DType, rows, cols int) *Tensor {
	y := t.tensors.next()
	y.Rows, y.Cols, y.mark = rows, cols, len(t.held)
	y.Value = t.take(kind, rows*cols)
	return y
}

// save makes n elements of f32 that live as long as the operation's output.
func (t *Tape) save(n int) accelerators.Buffer { return t.take(accelerators.F32, n) }

// take gets memory that the tape holds until it unwinds; absent after an error.
func (t *Tape) take(kind accelerators.DType, n int) accelerators.Buffer {
	if t.err != nil {
		return accelerators.Buffer{}
	}
	b, err := t.arena.Get(kind, n)
	if err != nil {
		t.refuse("allocate %d elements of %v: %w", n, kind, err)
		return b
	}
	t.held = append(t.held, b)
	return b
}

// borrow gets n elements that giveBack ends the loan of; absent after an error.
func (t *Tape) borrow(kind accelerators.DType, n int) accelerators.Buffer {
	if t.err != nil {
		return accelerators.Buffer{}
	}
	b, err := t.arena.Borrow(kind, n)
	if err != nil {
		t.refuse("allocate %d elements of %v: %w", n, kind, err)
	}
	return b
}

// giveBack ends a loan; of nothing, if there was an error.
func (t *Tape) giveBack(b accelerators.Buffer) {
	if b.Present() {
		t.arena.Put(b)
	}
}

func (t *Tape) unwind(mark int) {
	for i := len(t.held) - 1; i >= mark; i-- {
		t.arena.Put(t.held[i])
	}
	t.held = t.held[:min(mark, len(t.held))]
}
