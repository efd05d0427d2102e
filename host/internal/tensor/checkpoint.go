package tensor

// A Packing is what the layers of a model read besides activations: where the sequences of the batch lie, and the angles
// of their tokens where positions are rotations. Local are the angles of layers that see a window, where a model has
// others for them.
type Packing struct {
	Segments *Segments
	Rotary   Rotary
	Local    Rotary
}

// A Block is a stack of layers. Run runs one of them, the same for the same arguments whenever it is called; x belongs
// to the caller and must not be worked on in place.
type Block interface {
	Run(t *Tape, layer int, x *Tensor, p Packing) *Tensor
}

// Checkpoint runs a layer, whose result has the shape of x, and keeps nothing of it for the way back but x: there it is
// run again. Gradients have the same bits as those of a layer that was recorded.
func (t *Tape) Checkpoint(b Block, layer int, x *Tensor, p Packing) *Tensor {
	if !t.recording {
		return b.Run(t, layer, x, p)
	}
	out := t.output(x.kind(), x.Rows, x.Cols)
	mark, tensors := len(t.held), t.tensors.used
	t.recording = false
	y := b.Run(t, layer, x, p)
	t.recording = true
	if t.err == nil && !y.sameShape(x) {
		t.refuse("Checkpoint: a layer made %v of %v", y, x)
	}
	if t.err != nil {
		return out
	}
	t.dev.Copy(out.Value, y.Value) // y itself lies among what is given back, and would leave a gap there
	t.unwind(mark)
	t.tensors.rewind(tensors)
	return t.record(node{back: checkpointGrad, out: out, x: x, packing: p, block: b, layer: layer})
}

// checkpointGrad records the layer and goes back over it. Its result was needed above only.
func checkpointGrad(t *Tape, n *node) {
	c := *n // n moves when nodes are added
	left, tensors := len(t.nodes), t.tensors.used
	t.unwind(c.out.mark)
	y := c.block.Run(t, c.layer, c.x, c.packing)
	if t.err != nil {
		return
	}
	t.pass(c.out, y)
	t.walk(left)
	if t.err == nil {
		t.tensors.rewind(tensors)
	}
}
