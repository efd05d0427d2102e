package meter

import "github.com/carebot-llm/carebot/accelerators"

// PackNF4 is measured.
func (d *Device) PackNF4(packed, x accelerators.Buffer) {
	start := d.Elapsed()
	d.Device.PackNF4(packed, x)
	d.note("PackNF4", start, elements(x, packed))
}

// UnpackNF4 is measured.
func (d *Device) UnpackNF4(out, packed accelerators.Buffer, of, from int) {
	start := d.Elapsed()
	d.Device.UnpackNF4(out, packed, of, from)
	w := elements(out)
	w.bytes += floats(accelerators.NF4Words(out.Len))
	d.note("UnpackNF4", start, w)
}
