package meter

import "github.com/carebot-llm/carebot/accelerators"

// RoPE is measured; of the tables it reads a row for each position.
func (d *Device) RoPE(x, cos, sin, positions accelerators.Buffer, s accelerators.RoPE) {
	start := d.Elapsed()
	d.Device.RoPE(x, cos, sin, positions, s)
	n := positions.Len
	d.note("RoPE", start, work{
		bytes: part(x, 2*n*s.Heads*s.Dim) + floats(n*(s.Dim+1)), shape: shape{dims: [4]int{n, s.Heads, s.Dim}},
	})
}
