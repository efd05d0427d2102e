package cpu

import (
	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/dynamic8"
)

// adamw8 is a step with moments in codes of eight bits.
type adamw8 struct {
	set              *kernelSet
	scratch          []scratch
	param, grad      []float32
	m, v             []byte
	mScales, vScales []float32
	factors          adamwFactors
}

const dynamic8Block = accelerators.Dynamic8Block

// items begin at the start of a block.
func (o *adamw8) items(worker, lo, hi int) {
	whole := hi - (hi-lo)%dynamic8Block
	o.run(o.set, worker, lo, whole)
	o.run(&genericSet, worker, whole, hi)
}

func (o *adamw8) run(set *kernelSet, worker, lo, hi int) {
	from, to := lo/dynamic8Block, (hi+dynamic8Block-1)/dynamic8Block
	set.adamw8(o.param[lo:hi], o.grad[lo:hi], o.m[lo:hi], o.v[lo:hi], o.mScales[from:to], o.vScales[from:to],
		&o.factors, o.scratch[worker].floats(slotMoments, 2*dynamic8Block))
}

// adamw8Step is the length of the pieces that workers take.
const adamw8Step = blockWork / adamwWork / dynamic8Block * dynamic8Block

// AdamW8Bit updates param, m and v in place.
func (d *Device) AdamW8Bit(param, grad accelerators.Buffer, m, v accelerators.Dynamic8, s accelerators.AdamW) {
	c := d.call("AdamW8Bit")
	n := param.Len
	c.exact("grad", grad, n)
	c.positive("Step", s.Step)
	ps, gs := c.write("param", param, n), c.f32("grad", grad, n)
	mCodes, mScales := c.dynamic8("m.Codes", "m.Scales", m, n)
	vCodes, vScales := c.dynamic8("v.Codes", "v.Scales", v, n)
	if f, finite := c.factors(s); passed(c, s) && finite {
		d.ops.adamw8 = adamw8{d.set, d.scratch, ps, gs, parts[byte](mCodes)[:n], parts[byte](vCodes)[:n],
			mScales, vScales, f}
		d.split(n, adamw8Step, &d.ops.adamw8)
	}
}

// dynamic8 is an operand of n numbers in eight bits that is written and shares no element with another.
func (c *call) dynamic8(codes, scales string, b accelerators.Dynamic8, n int) ([]int32, []float32) {
	words, blocks := (n+3)/4, (n+dynamic8Block-1)/dynamic8Block
	c.exact(codes, b.Codes, words)
	c.exact(scales, b.Scales, blocks)
	return c.writeI32(codes, b.Codes, words), c.write(scales, b.Scales, blocks)
}

func adamw8Generic(param, grad []float32, m, v []byte, mScales, vScales []float32, f *adamwFactors, work []float32) {
	for b := range mScales {
		lo := b * dynamic8Block
		hi := min(lo+dynamic8Block, len(param))
		first, second := work[:hi-lo], work[dynamic8Block:][:hi-lo]
		for i := range first {
			first[i], second[i] = dynamic8.First(m[lo+i], mScales[b]), dynamic8.Second(v[lo+i], vScales[b])
		}
		adamwGeneric(param[lo:hi], grad[lo:hi], first, second, f)
		mScales[b], vScales[b] = magnitude(first), magnitude(second)
		perM, perV := dynamic8.PerScale(mScales[b]), dynamic8.PerScale(vScales[b])
		for i := range first {
			m[lo+i] = dynamic8.FirstCode(first[i] * perM)
			v[lo+i] = dynamic8.SecondCode(second[i] * perV)
		}
	}
}
