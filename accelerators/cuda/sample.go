//go:build cuda

package cuda

import (
	"unsafe"

	"github.com/carebot-llm/carebot/accelerators"
)

// A draw is accelerators.Draw as the kernel reads it.
type draw struct {
	temperature, topP   float32
	topK, seed, counter uint64
}

// sampleShape is how an error names the call.
type sampleShape struct{ Rows, Vocab int }

// Sample draws one id for each row, by the rules of the CPU. A row without a largest finite logit gets the id -1, which
// becomes the device's error.
func (d *Device) Sample(ids, logits accelerators.Buffer, vocab int, draws []accelerators.Draw) {
	c := d.call("Sample")
	c.positive("vocab", vocab)
	c.counted("vocab", vocab)
	uploaded := make([]draw, len(draws))
	for i, s := range draws {
		if !(s.Temperature >= 0) || s.TopK < 0 || !(s.TopP >= 0) {
			c.fail("Temperature, TopK and TopP of draw %d must not be negative", i)
		}
		uploaded[i] = draw{s.Temperature, s.TopP, uint64(s.TopK), s.Seed, s.Counter}
	}
	shape := sampleShape{len(draws), vocab}
	out, xs := c.writeI32("ids", ids, shape.Rows), c.f32("logits", logits, c.size(shape.Rows, vocab))
	if !passed(c, shape) || shape.Rows == 0 {
		return
	}
	const size = int(unsafe.Sizeof(draw{}))
	at := d.scratch(slotDraws, size*shape.Rows)
	d.upload(at, unsafe.Pointer(unsafe.SliceData(uploaded)), size*shape.Rows)
	d.launch("sample", "sample", rows(shape), out, xs, uint64(vocab), at)
	d.check(rangeCheck{op: "Sample", name: noLargest, at: out, high: vocab}, shape.Rows)
}

// noLargest is how the error names ids, of which one can only be out of range for this reason.
const noLargest = "id, -1 where a row of logits has no largest finite value: ids"

// rows is a block for each row, with as many threads as have some logits each.
func rows(s sampleShape) shape {
	const warp, most, own = 32, 512, 16
	threads := warp
	if s.Vocab > warp {
		threads = min(most, max(2*warp, blocks(s.Vocab, own*warp)*warp))
	}
	return shape{s.Rows, 1, 1, threads, 0}
}
