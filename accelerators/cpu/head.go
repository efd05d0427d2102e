package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// head is the language-model head and the chunk of rows that it is at. Rows without a target are left out of the
// products altogether. The device keeps one, so that its operations allocate nothing.
type head struct {
	accelerators.Head
	dev            *Device
	hidden, weight []float32
	targets        []int32
	counted        []int32   // the rows with a target
	workspace      []float32 // for the logits of a chunk

	nll, lse, dnll, dhidden, dweight []float32 // as far as the operation has them

	from    int       // where in counted the next chunk begins
	rows    []int32   // the chunk
	hiddens []float32 // its rows of hidden, one after the other
	logits  []float32 // and theirs, which become their gradients
}

func (c *call) head(hidden, weight, targets, logits accelerators.Buffer, s accelerators.Head) *head {
	c.positive("Width", s.Width)
	c.positive("Vocab", s.Vocab)
	h := &c.dev.ops.head
	*h = head{Head: s, dev: c.dev, counted: h.counted[:0]}
	h.hidden = c.f32("hidden", hidden, c.size(s.Tokens, s.Width))
	h.weight = c.f32("weight", weight, c.size(s.Vocab, s.Width))
	h.workspace = c.f32("logits", logits, max(logits.Len, s.Vocab))
	h.targets = c.ids("targets", targets, max(0, s.Tokens), -1, s.Vocab)
	for t, target := range h.targets {
		if target >= 0 {
			h.counted = append(h.counted, int32(t))
		}
	}
	return h
}

// HeadLoss: nll[t] = lse[t] - logit[t,target[t]]; both are 0 where there is no target.
func (d *Device) HeadLoss(nll, lse, hidden, weight, targets, logits accelerators.Buffer, s accelerators.Head) {
	c := d.call("HeadLoss")
	h := c.head(hidden, weight, targets, logits, s)
	h.nll, h.lse = c.f32("nll", nll, c.size(s.Tokens)), c.f32("lse", lse, c.size(s.Tokens))
	if !passed(c, s) {
		return
	}
	clear(h.nll)
	clear(h.lse)
	for h.chunk() {
		d.each(len(h.rows), h.Vocab*expWork, (*headLoss)(h))
	}
}

// HeadLossGrad overwrites dhidden and adds to dweight.
func (d *Device) HeadLossGrad(dhidden, dweight, dnll, hidden, weight, targets, lse, logits accelerators.Buffer,
	s accelerators.Head) {
	c := d.call("HeadLossGrad")
	h := c.head(hidden, weight, targets, logits, s)
	h.dhidden, h.dweight = c.f32("dhidden", dhidden, len(h.hidden)), c.f32("dweight", dweight, len(h.weight))
	h.dnll, h.lse = c.f32("dnll", dnll, c.size(s.Tokens)), c.f32("lse", lse, c.size(s.Tokens))
	if !passed(c, s) {
		return
	}
	clear(h.dhidden)
	for h.chunk() {
		d.each(len(h.rows), h.Vocab*expWork, (*headGrad)(h))
		h.grads()
	}
}

// HeadLearn is HeadLoss and HeadLossGrad in one, of which the logits are computed once.
func (d *Device) HeadLearn(nll, dhidden, dweight, dnll, hidden, weight, targets, logits accelerators.Buffer,
	s accelerators.Head) {
	c := d.call("HeadLearn")
	h := c.head(hidden, weight, targets, logits, s)
	h.nll, h.dnll = c.f32("nll", nll, c.size(s.Tokens)), c.f32("dnll", dnll, c.size(s.Tokens))
	h.dhidden, h.dweight = c.f32("dhidden", dhidden, len(h.hidden)), c.f32("dweight", dweight, len(h.weight))
	if !passed(c, s) {
		return
	}
	clear(h.nll)
	clear(h.dhidden)
	for h.chunk() {
		d.each(len(h.rows), 2*h.Vocab*expWork, (*headLearn)(h))
		h.grads()
	}
}

// headLoss, headGrad and headLearn are what the operations do with the rows of a chunk.
type (
	headLoss  head
	headGrad  head
	headLearn head
)

func (h *headLoss) items(worker, lo, hi int) {
	set := h.dev.set
	for i := lo; i < hi; i++ {
		t, x := h.rows[i], h.logits[i*h.Vocab:(i+1)*h.Vocab]
		(*head)(h).bend(worker, x)
		target, top := x[h.targets[t]], set.max(x)
		h.lse[t] = top + float32(math.Log(float64(set.expSum(x, 1, top))))
		h.nll[t] = h.lse[t] - target
	}
}

// items turns logits into dnll * (softmax - onehot).
func (h *headGrad) items(worker, lo, hi int) {
	set := h.dev.set
	for i := lo; i < hi; i++ {
		t, x := h.rows[i], h.logits[i*h.Vocab:(i+1)*h.Vocab]
		flat := (*head)(h).bend(worker, x)
		set.expSum(x, 1, h.lse[t])
		set.scale(x, h.dnll[t])
		x[h.targets[t]] -= h.dnll[t]
		(*head)(h).straighten(x, flat)
	}
}

func (h *headLearn) items(worker, lo, hi int) {
	set := h.dev.set
	for i := lo; i < hi; i++ {
		t, x := h.rows[i], h.logits[i*h.Vocab:(i+1)*h.Vocab]
		flat := (*head)(h).bend(worker, x)
		target, top := x[h.targets[t]], set.max(x)
		sum := set.expSum(x, 1, top)
		set.scale(x, h.dnll[t]/sum)
		x[h.targets[t]] -= h.dnll[t]
		(*head)(h).straighten(x, flat)
		h.nll[t] = top + float32(math.Log(float64(sum))) - target
	}
}

// bend caps a row of logits and returns what tanh gave, in memory of the worker's.
func (h *head) bend(worker int, x []float32) (flat []float32) {
	if h.Cap <= 0 {
		return nil
	}
	h.dev.set.flatten(x, h.Cap)
	flat = h.dev.scratch[worker].floats(slotFlat, len(x))
	copy(flat, x)
	h.dev.set.scale(x, h.Cap)
	return flat
}

// straighten takes the gradient of a row of logits back through the cap.
func (h *head) straighten(dx, flat []float32) {
	if flat != nil {
		h.dev.set.tanhGrad(dx, dx, flat)
	}
}

// chunk computes the logits of the next chunk: as many rows as the workspace holds. It returns false at the end.
func (h *head) chunk() bool {
	to := min(len(h.counted), h.from+len(h.workspace)/h.Vocab)
	h.rows = h.counted[h.from:to]
	h.from = to
	if len(h.rows) == 0 {
		return false
	}
	h.hiddens = h.gatherRows()
	h.logits = h.workspace[:len(h.rows)*h.Vocab]
	h.multiply(h.logits, h.hiddens, h.weight, accelerators.MatMul{M: len(h.rows), N: h.Vocab, K: h.Width, TransB: true})
	return true
}

func (h *head) multiply(c, a, b []float32, s accelerators.MatMul) {
	s.Alpha, s.Compute = 1, h.Compute
	h.dev.multiply(c, a, b, denseStrides(s))
}

// gatherRows copies the chunk's rows of hidden together, unless they are together already.
func (h *head) gatherRows() []float32 {
	first, last := int(h.rows[0]), int(h.rows[len(h.rows)-1])
	if last-first == len(h.rows)-1 {
		return h.hidden[first*h.Width : (last+1)*h.Width]
	}
	h.hiddens = h.dev.shared.floats(slotRows, len(h.rows)*h.Width)
	h.dev.each(len(h.rows), h.Width, (*headGather)(h))
	return h.hiddens
}

type headGather head

func (h *headGather) items(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		copy(h.hiddens[i*h.Width:(i+1)*h.Width], h.hidden[int(h.rows[i])*h.Width:])
	}
}

// grads adds to the gradient of the weight, then writes those of the rows to where the rows came from. The rows
// themselves are no longer needed by then.
func (h *head) grads() {
	rows := len(h.rows)
	h.multiply(h.dweight, h.logits, h.hiddens, accelerators.MatMul{M: h.Vocab, N: h.Width, K: rows, TransA: true, Beta: 1})
	h.hiddens = h.dev.shared.floats(slotRows, rows*h.Width)
	h.multiply(h.hiddens, h.logits, h.weight, accelerators.MatMul{M: rows, N: h.Width, K: h.Vocab})
	h.dev.each(rows, h.Width, (*headScatter)(h))
}

type headScatter head

func (h *headScatter) items(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		copy(h.dhidden[int(h.rows[i])*h.Width:], h.hiddens[i*h.Width:(i+1)*h.Width])
	}
}
