package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// chunkLogits bounds the logits that exist at a time; the rows of a chunk follow from the vocabulary alone.
const chunkLogits = 8 << 20

func chunkRows(vocab int) int { return min(1024, max(64, chunkLogits/vocab)) }

// head is the language-model head. Rows without a target are left out of the products altogether.
type head struct {
	accelerators.Head
	hidden, weight []float32
	targets        []int32
	counted        []int32 // the rows with a target
}

func (c *call) head(hidden, weight, targets accelerators.Buffer, s accelerators.Head) *head {
	c.positive("Width", s.Width)
	c.positive("Vocab", s.Vocab)
	h := &head{Head: s}
	h.hidden = c.f32("hidden", hidden, c.size(s.Tokens, s.Width))
	h.weight = c.f32("weight", weight, c.size(s.Vocab, s.Width))
	h.targets = c.ids("targets", targets, max(0, s.Tokens), -1, s.Vocab)
	for t, target := range h.targets {
		if target >= 0 {
			h.counted = append(h.counted, int32(t))
		}
	}
	return h
}

// HeadLoss: nll[t] = lse[t] - logit[t,target[t]]; both are 0 where there is no target.
func (d *Device) HeadLoss(nll, lse, hidden, weight, targets accelerators.Buffer, s accelerators.Head) {
	c := d.call("HeadLoss")
	h := c.head(hidden, weight, targets, s)
	nlls, lses := c.f32("nll", nll, c.size(s.Tokens)), c.f32("lse", lse, c.size(s.Tokens))
	if !c.ok(s) {
		return
	}
	clear(nlls)
	clear(lses)
	h.chunks(func(rows []int32) {
		logits := d.logits(h, rows, d.gatherRows(h.hidden, rows, h.Width))
		d.each(len(rows), h.Vocab*expWork, func(_, lo, hi int) {
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
func (d *Device) HeadLossGrad(dhidden, dweight, dnll, hidden, weight, targets, lse accelerators.Buffer,
	s accelerators.Head) {
	c := d.call("HeadLossGrad")
	h := c.head(hidden, weight, targets, s)
	dhs, dws := c.f32("dhidden", dhidden, len(h.hidden)), c.f32("dweight", dweight, len(h.weight))
	dnlls, lses := c.f32("dnll", dnll, c.size(s.Tokens)), c.f32("lse", lse, c.size(s.Tokens))
	if !c.ok(s) {
		return
	}
	clear(dhs)
	h.chunks(func(rows []int32) {
		hiddens := d.gatherRows(h.hidden, rows, h.Width)
		dlogits := d.logits(h, rows, hiddens)
		d.each(len(rows), h.Vocab*expWork, func(_, lo, hi int) {
			for i := lo; i < hi; i++ {
				t := rows[i]
				dlogitsRow(d.set, dlogits[i*h.Vocab:(i+1)*h.Vocab], h.targets[t], lses[t], dnlls[t])
			}
		})
		d.weightGrad(dws, dlogits, hiddens, len(rows), h)
		d.hiddenGrad(dhs, dlogits, rows, h)
	})
}

// dlogitsRow turns logits into dnll * (softmax - onehot).
func dlogitsRow(set *kernelSet, x []float32, target int32, lse, dnll float32) {
	set.expSum(x, 1, lse)
	set.scale(x, dnll)
	x[target] -= dnll
}

func (h *head) chunks(f func(rows []int32)) {
	step := chunkRows(h.Vocab)
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
	d.each(len(rows), width, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			copy(out[i*width:(i+1)*width], x[int(rows[i])*width:])
		}
	})
	return out
}

func (d *Device) logits(h *head, rows []int32, hiddens []float32) []float32 {
	logits := d.shared.floats(slotLogits, len(rows)*h.Vocab)
	d.multiply(&product{set: d.set, a: hiddens, b: h.weight, c: logits, MatMul: denseStrides(accelerators.MatMul{
		M: len(rows), N: h.Vocab, K: h.Width, TransB: true, Alpha: 1,
	})})
	return logits
}

func (d *Device) weightGrad(dweight, dlogits, hiddens []float32, rows int, h *head) {
	d.multiply(&product{set: d.set, a: dlogits, b: hiddens, c: dweight, MatMul: denseStrides(accelerators.MatMul{
		M: h.Vocab, N: h.Width, K: rows, TransA: true, Alpha: 1, Beta: 1,
	})})
}

// hiddenGrad writes the rows' gradients to where the rows came from.
func (d *Device) hiddenGrad(dhidden, dlogits []float32, rows []int32, h *head) {
	grads := d.shared.floats(slotRows, len(rows)*h.Width)
	d.multiply(&product{set: d.set, a: dlogits, b: h.weight, c: grads, MatMul: denseStrides(accelerators.MatMul{
		M: len(rows), N: h.Width, K: h.Vocab, Alpha: 1,
	})})
	d.each(len(rows), h.Width, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			copy(dhidden[int(rows[i])*h.Width:], grads[i*h.Width:(i+1)*h.Width])
		}
	})
}
