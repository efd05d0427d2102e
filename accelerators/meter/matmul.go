package meter

import "github.com/carebot-llm/carebot/accelerators"

// forms are the words on a product: whether A and B are transposed, and what they are rounded to.
var forms = [2][2][2]string{{{"nn", "nt"}, {"tn", "tt"}}, {{"nn bf16", "nt bf16"}, {"tn bf16", "tt bf16"}}}

func index(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// MatMul is measured: 2MNK operations.
func (d *Device) MatMul(c, a, b accelerators.Buffer, s accelerators.MatMul) {
	start := d.Elapsed()
	d.Device.MatMul(c, a, b, s)
	moved := part(a, s.M*s.K) + part(b, s.K*s.N) + part(c, s.M*s.N)
	if s.Beta != 0 {
		moved += part(c, s.M*s.N)
	}
	form := forms[index(s.Compute == accelerators.BF16)][index(s.TransA)][index(s.TransB)]
	d.note("MatMul", start, work{
		flops: 2 * float64(s.M) * float64(s.N) * float64(s.K), bytes: moved, compute: s.Compute,
		shape: shape{[4]int{s.M, s.N, s.K}, form},
	})
}
