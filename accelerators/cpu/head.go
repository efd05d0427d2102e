package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// head is the language-model head. Rows without a target are left out of the products altogether.
type head struct {
	accelerators.Head
	hidden, weight []float32
	targets        []int32
	counted        []int32   // the rows with a target
	logits         []float32 // workspace: so many rows are a chunk
}

func (c *call) head(hidden, weight, targets, logits accelerators.Buffer, s accelerators.Head) *head {
	c.positive("Width", s.Width)
	c.positive("Vocab", s.Vocab)
	h := &head{Head: s}
	h.hidden = c.f32("hidden", hidden, c.size(s.Tokens, s.Width))
	h.weight = c.f32("weight", weight, c.size(s.Vocab, s.Width))
	h.logits = c.f32("logits", logits, max(logits.Len, s.Vocab))
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
	nlls, lses := c.f32("nll", nll, c.size(s.Tokens)), c.f32("lse", lse, c.size(s.Tokens))
	if !c.ok(s) {
		return
	}
	clear(nlls)
	clear(lses)
	h.chunks(func(rows []int32) {
		logits := d.logits(h, rows, d.gatherRows(h.hidden, rows, h.Width))
		d.eachFunc(len(rows), h.Vocab*expWork, func(_, lo, hi int) {
			for i := lo; i < hi; i++ {
				x := logits[i*h.Vocab : (i+1)*h.Vocab]
				t := rows[i]
				target, top := x[h.targets[t]], d.set.max(x)
				lses[t] = top + float32(math.Log(float64(d.set.expSum(x, 1, top))))
				nlls[t] = lses[t] - target
			}
		})
	})
}

// HeadLossGrad overwrites dhidden and adds to dweight.
func (d *Device) HeadLossGrad(dhidden, dweight, dnll, hidden, weight, targets, lse, logits accelerators.Buffer,
	s accelerators.Head) {
	c := d.call("HeadLossGrad")
	h := c.head(hidden, weight, targets, logits, s)
	dhs, dws := c.f32("dhidden", dhidden, len(h.hidden)), c.f32("dweight", dweight, len(h.weight))
	dnlls, lses := c.f32("dnll", dnll, c.size(s.Tokens)), c.f32("lse", lse, c.size(s.Tokens))
	if !c.ok(s) {
		return
	}
	clear(dhs)
	h.chunks(func(rows []int32) {
		hiddens := d.gatherRows(h.hidden, rows, h.Width)
		dlogits := d.logits(h, rows, hiddens)
		d.eachFunc(len(rows), h.Vocab*expWork, func(_, lo, hi int) {
			for i := lo; i < hi; i++ {
				t := rows[i]
				dlogitsRow(d.set, dlogits[i*h.Vocab:(i+1)*h.Vocab], h.targets[t], lses[t], dnlls[t])
			}
		})
		d.weightGrad(dws, dlogits, hiddens, len(rows), h)
		d.hiddenGrad(dhs, dlogits, rows, h)
	})
}

// HeadLearn is HeadLoss and HeadLossGrad in one, of which the logits are computed once.
func (d *Device) HeadLearn(nll, dhidden, dweight, dnll, hidden, weight, targets, logits accelerators.Buffer,
	s accelerators.Head) {
	c := d.call("HeadLearn")
	h := c.head(hidden, weight, targets, logits, s)
	nlls, dnlls := c.f32("nll", nll, c.size(s.Tokens)), c.f32("dnll", dnll, c.size(s.Tokens))
	dhs, dws := c.f32("dhidden", dhidden, len(h.hidden)), c.f32("dweight", dweight, len(h.weight))
	if !c.ok(s) {
		return
	}
	clear(nlls)
	clear(dhs)
	h.chunks(func(rows []int32) {
		hiddens := d.gatherRows(h.hidden, rows, h.Width)
		dlogits := d.logits(h, rows, hiddens)
		d.eachFunc(len(rows), 2*h.Vocab*expWork, func(_, lo, hi int) {
			for i := lo; i < hi; i++ {
				t := rows[i]
				nlls[t] = learnRow(d.set, dlogits[i*h.Vocab:(i+1)*h.Vocab], h.targets[t], dnlls[t])
			}
		})
		d.weightGrad(dws, dlogits, hiddens, len(rows), h)
		d.hiddenGrad(dhs, dlogits, rows, h)
	})
}

// learnRow turns logits into dnll * (softmax - onehot) and returns the target's negative log-likelihood.
func learnRow(set *kernelSet, x []float32, target int32, dnll float32) (nll float32) {
	at, top := x[target], set.max(x)
	sum := set.expSum(x, 1, top)
	set.scale(x, dnll/sum)
	x[target] -= dnll
	return top + float32(math.Log(float64(sum))) - at
}

// dlogitsRow turns logits into dnll * (softmax - onehot).
func dlogitsRow(set *kernelSet, x []float32, target int32, lse, dnll float32) {
	set.expSum(x, 1, lse)
	set.scale(x, dnll)
	x[target] -= dnll
}

func (h *head) chunks(f func(rows []int32)) {
	step := len(h.logits) / h.Vocab
	for from := 0; from < len(h.counted); from += step {
		f(h.counted[from:min(len(h.counted), from+step)])
	}
}

// gatherRows copies the rows of x together, unless they are together already.
func (d *Device) gatherRows(x []float32, rows []int32, width int) []float32 {
	first := int(rows[0])
	if int(rows[len(rows)-1])-first == len(rows)-1 {
		return x[first*width : (first+len(rows))*width]
	}
	out := d.shared.floats(slotRows, len(rows)*width)
	d.eachFunc(len(rows), width, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			copy(out[i*width:(i+1)*width], x[int(rows[i])*width:])
		}
	})
	return out
}

func (d *Device) logits(h *head, rows []int32, hiddens []float32) []float32 {
	logits := h.logits[:len(rows)*h.Vocab]
	d.multiply(&product{set: d.set, a: hiddens, b: h.weight, c: logits, MatMul: denseStrides(accelerators.MatMul{
		M: len(rows), N: h.Vocab, K: h.Width, TransB: true, Alpha: 1, Compute: h.Compute,
	})})
	return logits
}

func (d *Device) weightGrad(dweight, dlogits, hiddens []float32, rows int, h *head) {
	d.multiply(&product{set: d.set, a: dlogits, b: hiddens, c: dweight, MatMul: denseStrides(accelerators.MatMul{
		M: h.Vocab, N: h.Width, K: rows, TransA: true, Alpha: 1, Beta: 1, Compute: h.Compute,
	})})
}

// hiddenGrad writes the rows' gradients to where the rows came from.
func (d *Device) hiddenGrad(dhidden, dlogits []float32, rows []int32, h *head) {
	grads := d.shared.floats(slotRows, len(rows)*h.Width)
	d.multiply(&product{set: d.set, a: dlogits, b: h.weight, c: grads, MatMul: denseStrides(accelerators.MatMul{
		M: len(rows), N: h.Width, K: h.Vocab, Alpha: 1, Compute: h.Compute,
	})})
	d.eachFunc(len(rows), h.Width, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			copy(dhidden[int(rows[i])*h.Width:], grads[i*h.Width:(i+1)*h.Width])
		}
	})
}
