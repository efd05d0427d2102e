package tensor

import "github.com/carebot-llm/carebot/accelerators"

// HeadLoss is the language-model head with cross-entropy: out[t] = -log softmax(hidden[t] W^T)[targets[t]] for hidden
// [T,C] and W [V,C]. A target of -1 gives 0. The logits never exist whole. A limit that is not 0 bends them to
// limit*tanh(logit/limit).
func (t *Tape) HeadLoss(hidden *Tensor, w *Param, targets *Ints, limit float32) *Tensor {
	t.headRule("HeadLoss", hidden, w, targets)
	y := t.output(accelerators.F32, hidden.Rows, 1)
	lse, weight, logits := t.save(hidden.Rows), t.factor(w), t.logits(hidden, w)
	if t.err == nil {
		t.dev.HeadLoss(y.Value, lse, hidden.Value, weight, targets.buf, logits, t.head(hidden, w, limit))
	}
	if t.giveBack(logits); t.err != nil {
		return y
	}
	return t.record(node{
		back: headLossGrad, out: y, x: hidden, w: w, index: targets.buf, saved: [3]accelerators.Buffer{lse},
		alpha: limit,
	})
}

func headLossGrad(t *Tape, n *node) {
	dx, dw, logits := t.borrow(n.x.kind(), n.x.size()), t.sumsFor(n.w), t.logits(n.x, n.w)
	weight := t.factor(n.w)
	if t.err == nil {
		t.dev.HeadLossGrad(dx, dw, n.out.grad, n.x.Value, weight, n.index, n.saved[0], logits,
			t.head(n.x, n.w, n.alpha))
	}
	t.endHead(n.x, n.w, dx, dw, logits)
}

// HeadLearn is HeadLoss for a tape that records and a gradient of the losses that is known beforehand, one number for
// each row of hidden. The gradients of hidden and w are there at once, at the cost of two products less; Backward needs
// no seed for the result.
func (t *Tape) HeadLearn(
	hidden *Tensor, w *Param, targets *Ints, gradient []float32, limit float32,
) *Tensor {
	t.headRule("HeadLearn", hidden, w, targets)
	if len(gradient) != hidden.Rows {
		t.refuse("HeadLearn: %d gradients for hidden %v", len(gradient), hidden)
	}
	if !t.recording {
		t.refuse("HeadLearn: the tape does not record")
	}
	y := t.output(accelerators.F32, hidden.Rows, 1)
	if t.err != nil {
		return y
	}
	dx, dw, weight := t.borrow(hidden.kind(), hidden.size()), t.sumsFor(w), t.factor(w)
	dnll, logits := t.borrow(accelerators.F32, hidden.Rows), t.logits(hidden, w)
	if t.err == nil {
		t.dev.UploadF32(dnll, gradient)
		t.dev.HeadLearn(y.Value, dx, dw, dnll, hidden.Value, weight, targets.buf, logits,
			t.head(hidden, w, limit))
	}
	t.giveBack(dnll)
	t.endHead(hidden, w, dx, dw, logits)
	return t.record(node{back: headLearned, out: y, w: w})
}

func headLearned(t *Tape, _ *node) {
	t.refuse("HeadLearn: its result takes no other gradient than the one given")
}

func (t *Tape) headRule(op string, hidden *Tensor, w *Param, targets *Ints) {
	if !w.isMatrix(hidden.Cols) {
		t.refuse("%s: hidden %v does not fit %v", op, hidden, w)
	}
	if targets.Len != hidden.Rows {
		t.refuse("%s: %d targets for hidden %v", op, targets.Len, hidden)
	}
}

func (t *Tape) head(hidden *Tensor, w *Param, limit float32) accelerators.Head {
	return accelerators.Head{Tokens: hidden.Rows, Width: hidden.Cols, Vocab: w.Shape[0], Cap: limit, Compute: t.Compute}
}

// Bounds of the rows of logits that are computed at once.
const (
	mostLogits      = 32 << 20
	fewestLogitRows = 64
)

// logits borrows the head's workspace.
func (t *Tape) logits(hidden *Tensor, w *Param) accelerators.Buffer {
	vocab := w.Shape[0]
	rows := min(max(hidden.Rows, 1), max(fewestLogitRows, mostLogits/vocab))
	return t.borrow(accelerators.F32, rows*vocab)
}

// endHead ends the loans of a head's gradient; dx becomes that of hidden.
func (t *Tape) endHead(hidden *Tensor, w *Param, dx, dw, logits accelerators.Buffer) {
	t.giveBack(logits)
	t.doneWith(w, dw)
	if t.err != nil {
		t.giveBack(dx)
		return
	}
	t.give(hidden, dx)
}
