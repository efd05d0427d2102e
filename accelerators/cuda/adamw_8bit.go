//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

const dynamic8Block = accelerators.Dynamic8Block

// AdamW8Bit updates param, m and v in place.
func (d *Device) AdamW8Bit(param, grad accelerators.Buffer, m, v accelerators.Dynamic8, s accelerators.AdamW) {
	c := d.call("AdamW8Bit")
	n := param.Len
	c.exact("grad", grad, n)
	ps, gs := c.writeF32("param", param, n), c.f32("grad", grad, n)
	mCodes, mScales := c.dynamic8("m.Codes", "m.Scales", m, n)
	vCodes, vScales := c.dynamic8("v.Codes", "v.Scales", v, n)
	squared := c.squared(s)
	if passed(c, s) {
		d.step("adamw_8bit", "adamw_8bit", tiles(n, adamwOwn), s, squared, ps, gs, mCodes, mScales, vCodes, vScales,
			uint64(n), d.codeTable())
	}
}

// dynamic8 is an operand of n numbers in eight bits that is written and shares no element with another.
func (c *call) dynamic8(codes, scales string, b accelerators.Dynamic8, n int) (codesAt, scalesAt uint64) {
	words, count := (n+3)/4, blocks(n, dynamic8Block)
	c.exact(codes, b.Codes, words)
	c.exact(scales, b.Scales, count)
	return c.writeI32(codes, b.Codes, words), c.writeF32(scales, b.Scales, count)
}
