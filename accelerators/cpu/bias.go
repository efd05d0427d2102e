package cpu

import "github.com/carebot-llm/carebot/accelerators"

type addBias struct {
	set     *kernelSet
	y, bias []float32
}

func (o *addBias) items(_, lo, hi int) {
	for t := lo; t < hi; t++ {
		o.set.axpy(row(o.y, t, len(o.bias)), o.bias, 1)
	}
}

// AddBias: y[t,:] += bias.
func (d *Device) AddBias(y, bias accelerators.Buffer, width int) {
	c := d.call("AddBias")
	rows := c.rows("y", y, width)
	ys, bs := c.write("y", y, y.Len), c.f32("bias", bias, width)
	if passed(c, rowShape{rows, width}) {
		d.ops.addBias = addBias{d.set, ys, bs}
		d.each(rows, width, &d.ops.addBias)
	}
}

// biasGrad sums rows of dy, each part of the rows to a row of its own in sums.
type biasGrad struct {
	set         *kernelSet
	width, step int
	sums, dy    []float32
}

func (o *biasGrad) items(_, lo, hi int) {
	sum := row(o.sums, lo/o.step, o.width)
	clear(sum)
	for t := lo; t < hi; t++ {
		o.set.axpy(sum, row(o.dy, t, o.width), 1)
	}
}

// BiasGrad: dbias += column sums of dy, in an order that depends on the number of rows only.
func (d *Device) BiasGrad(dbias, dy accelerators.Buffer, width int) {
	c := d.call("BiasGrad")
	rows := c.rows("dy", dy, width)
	to, from := c.write("dbias", dbias, width), c.f32("dy", dy, dy.Len)
	if !passed(c, rowShape{rows, width}) {
		return
	}
	sums := d.shared.floats(slotParts, maxParts*width)
	d.ops.biasGrad = biasGrad{d.set, width, partStep(rows), sums, from}
	parts, _ := d.parts(rows, &d.ops.biasGrad)
	d.addParts(to, sums, parts)
}

// addParts adds the partial sums to to, in order.
func (d *Device) addParts(to, sums []float32, parts int) {
	for p := range parts {
		d.set.axpy(to, row(sums, p, len(to)), 1)
	}
}
