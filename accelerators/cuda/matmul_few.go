//go:build cuda

package cuda

import "math/bits"

// mostFew is how many rows a product has at most whose time is that of reading B.
const mostFew = 8

// isFew reports whether a product is of few rows with columns of B that lie in one piece.
func (p product) isFew() bool {
	return p.m <= mostFew && !p.transA && p.transB && p.a.bf16 == p.b.bf16
}

// fewF32 and fewBF16 are the kernels for up to 1, 2, 4 and 8 rows.
var (
	fewF32  = [4]string{"product_few_1_f32", "product_few_2_f32", "product_few_4_f32", "product_few_8_f32"}
	fewBF16 = [4]string{"product_few_1_bf16", "product_few_2_bf16", "product_few_4_bf16", "product_few_8_bf16"}
)

func (d *Device) multiplyFew(p product) {
	const warps, columns = 4, 2 // of a block, and of a warp
	kernels := &fewF32
	if p.a.bf16 {
		kernels = &fewBF16
	}
	rounds, fast := p.rounds && !p.a.bf16, p.k%8 == 0 && p.a.on16() && p.b.on16()
	flags := flag(rounds) | flag(fast)<<1 | flag(p.c.bf16)<<2
	d.launch("product_few", kernels[bits.Len(uint(p.m-1))], shape{blocks(p.n, warps*columns), 1, 1, 32 * warps, 0},
		p.c.at, p.a.at, p.b.at, uint64(p.m), uint64(p.n), uint64(p.k), uint64(p.a.stride), uint64(p.b.stride),
		uint64(p.c.stride), f32(p.alpha), f32(p.beta), flags)
}
