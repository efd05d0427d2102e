//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// head is the language-model head and the chunk of rows that it is at. All rows go through the products, also those
// without a target, whose number only the device knows.
type head struct {
	accelerators.Head
	dev                             *Device
	bf16                            bool // hidden and weight
	hidden, weight, targets, logits uint64
	room                            int // rows of logits

	nll, lse, dnll, dhidden, dweight uint64 // as far as the operation has them

	from, rows int // the chunk
}

func (c *call) head(hidden, weight, targets, logits accelerators.Buffer, s accelerators.Head) *head {
	c.positive("Width", s.Width)
	c.positive("Vocab", s.Vocab)
	c.counted("Width", s.Width)
	c.counted("Vocab", s.Vocab)
	h := &head{Head: s, dev: c.dev, bf16: hidden.Type == accelerators.BF16}
	h.hidden = c.read("hidden", hidden, c.size(s.Tokens, s.Width))
	h.weight = c.read("weight", weight, c.size(s.Vocab, s.Width))
	h.logits = c.writeF32("logits", logits, max(logits.Len, s.Vocab))
	h.targets = c.ids("targets", targets, max(0, s.Tokens), -1, s.Vocab)
	h.room = roomFor(logits.Len, s)
	return h
}

// roomFor is how many rows a chunk has at most: what the workspace holds, in whole tiles of products where it can be.
func roomFor(elements int, s accelerators.Head) int {
	const tile = 128
	room := elements / max(1, s.Vocab)
	if room > tile && room < s.Tokens {
		room -= room % tile
	}
	return room
}

// HeadLoss: nll[t] = lse[t] - logit[t,target[t]]; both are 0 where there is no target.
func (d *Device) HeadLoss(nll, lse, hidden, weight, targets, logits accelerators.Buffer, s accelerators.Head) {
	c := d.call("HeadLoss")
	h := c.head(hidden, weight, targets, logits, s)
	h.nll, h.lse = c.writeF32("nll", nll, c.size(s.Tokens)), c.writeF32("lse", lse, c.size(s.Tokens))
	if !passed(c, s) {
		return
	}
	for h.chunk() {
		h.launch("head_loss", h.nll, h.lse)
	}
}

// HeadLossGrad overwrites dhidden and adds to dweight.
func (d *Device) HeadLossGrad(dhidden, dweight, dnll, hidden, weight, targets, lse, logits accelerators.Buffer,
	s accelerators.Head) {
	c := d.call("HeadLossGrad")
	h := c.head(hidden, weight, targets, logits, s)
	h.grads(c, dhidden, dweight)
	h.dnll, h.lse = c.f32("dnll", dnll, c.size(s.Tokens)), c.f32("lse", lse, c.size(s.Tokens))
	if !passed(c, s) {
		return
	}
	for h.chunk() {
		h.launch(c.variant("head_grad"), h.dnll, h.lse)
		h.learn()
	}
}

// HeadLearn is HeadLoss and HeadLossGrad in one, of which the logits are computed once.
func (d *Device) HeadLearn(nll, dhidden, dweight, dnll, hidden, weight, targets, logits accelerators.Buffer,
	s accelerators.Head) {
	c := d.call("HeadLearn")
	h := c.head(hidden, weight, targets, logits, s)
	h.grads(c, dhidden, dweight)
	h.nll, h.dnll = c.writeF32("nll", nll, c.size(s.Tokens)), c.f32("dnll", dnll, c.size(s.Tokens))
	if !passed(c, s) {
		return
	}
	for h.chunk() {
		h.launch(c.variant("head_learn"), h.nll, h.dnll)
		h.learn()
	}
}

func (h *head) grads(c *call, dhidden, dweight accelerators.Buffer) {
	h.dhidden = c.write("dhidden", dhidden, c.size(h.Tokens, h.Width))
	h.dweight = c.writeF32("dweight", dweight, c.size(h.Vocab, h.Width))
}

// chunk computes the logits of the next chunk: as many rows as there is room for. It returns false at the end.
func (h *head) chunk() bool {
	h.from += h.rows
	h.rows = min(h.room, h.Tokens-h.from)
	if h.rows <= 0 {
		return false
	}
	logits := operand{h.logits, false, h.rows, h.Vocab, h.Vocab}
	h.multiply(product{a: h.some(h.hidden), b: h.matrix(h.weight, h.bf16), c: logits, m: h.rows, n: h.Vocab, k: h.Width,
		transB: true})
	return true
}

// launch runs a kernel over the rows of the chunk, whose two operands have an element to each token.
func (h *head) launch(kernel string, first, second uint64) {
	const threads = 512 // as in head.cu
	at := uint64(4 * h.from)
	h.dev.launch("head", kernel, shape{h.rows, 1, 1, threads, 0}, first+at, second+at, h.logits, uint64(h.Vocab),
		f32(h.Cap), h.targets+at)
}

// learn takes the gradients of the chunk's logits, which are where these were, to hidden and weight.
func (h *head) learn() {
	slopes := operand{h.logits, h.bf16, h.rows, h.Vocab, h.Vocab}
	if h.bf16 {
		slopes.stride *= 2
	}
	h.multiply(product{a: slopes, b: h.some(h.hidden), c: h.matrix(h.dweight, false), m: h.Vocab, n: h.Width, k: h.rows,
		transA: true, beta: 1})
	h.multiply(product{a: slopes, b: h.matrix(h.weight, h.bf16), c: h.some(h.dhidden), m: h.rows, n: h.Width,
		k: h.Vocab})
}

func (h *head) multiply(p product) {
	p.alpha, p.rounds = 1, h.bf16 || h.Compute == accelerators.BF16
	h.dev.multiply(p)
}

// some is the chunk's rows of hidden, or of its gradient.
func (h *head) some(at uint64) operand {
	rows := operand{at, h.bf16, h.rows, h.Width, h.Width}
	rows.at += uint64(h.from * h.Width * rows.size())
	return rows
}

// matrix is the weight, or its gradient.
func (h *head) matrix(at uint64, bf16 bool) operand {
	return operand{at, bf16, h.Vocab, h.Width, h.Width}
}
