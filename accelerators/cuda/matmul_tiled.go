//go:build cuda

package cuda

// A tiling is how a product is cut into blocks: tiles of C of so many rows and columns, and shares of K.
type tiling struct {
	size, tiles   int
	shares, depth int // depth of K to a share
}

const (
	leastDepth   = 512 // of a share of K, so that adding the shares up costs little beside them
	mostShares   = 32
	depthOfSteps = 32 // what the depth of a share is a multiple of
)

// tiling depends on nothing but the product's shape and the GPU. Large tiles are twice as quick, unless they lie half
// outside of C or leave multiprocessors without work; K is shared where tiles alone would do that.
func (d *Device) tiling(p product) tiling {
	large := d.cut(p, 128)
	if min(p.m, p.n) > 64 && large.tiles*large.shares >= d.sms {
		return large
	}
	return d.cut(p, 64)
}

func (d *Device) cut(p product, size int) tiling {
	tiles := blocks(p.m, size) * blocks(p.n, size)
	shares := max(1, min(2*d.sms/tiles, p.k/leastDepth, mostShares))
	depth := blocks(blocks(p.k, shares), depthOfSteps) * depthOfSteps
	return tiling{size, tiles, blocks(p.k, depth), depth}
}

// multiplyTiled is a product of any shape by our own kernels.
func (d *Device) multiplyTiled(p product) {
	t := d.tiling(p)
	family, kernel := "product_f32", tiledF32
	if p.rounds {
		family, kernel = "product", tiledBF16
	}
	if p.rounds && !(p.a.bf16 && p.b.bf16 && p.a.on16() && p.b.on16()) {
		t, kernel = d.cut(p, 64), tiledAny
	}
	whole := p
	if t.shares > 1 {
		stride := blocks(p.n, 8) * 8
		p.c = operand{d.scratch(slotSums, 4*t.shares*p.m*stride), false, p.m, p.n, stride}
		p.alpha, p.beta = 1, 0
	}
	d.launchTiled(family, kernel[t.size/128][p.form()], p, t)
	if t.shares > 1 {
		d.sum(whole, p.c.at, t.shares, p.c.stride)
	}
}

func (d *Device) launchTiled(family, kernel string, p product, t tiling) {
	const stages, depth = 3, 32 // as in product.cu
	s := shape{t.tiles, 1, t.shares, 128, stages * depth * 2 * t.size * 2}
	if !p.rounds {
		s.Threads, s.Shared = t.size*t.size/64, 0
	}
	types := flag(p.a.bf16) | flag(p.b.bf16)<<1 | flag(p.c.bf16)<<2
	d.launch(family, kernel, s, p.c.at, p.a.at, p.b.at, uint64(p.m), uint64(p.n), uint64(p.k), uint64(p.a.stride),
		uint64(p.b.stride), uint64(p.c.stride), f32(p.alpha), f32(p.beta), types, uint64(t.depth))
}

// form numbers the ways that the operands of a product may be transposed.
func (p product) form() int { return int(flag(p.transA)<<1 | flag(p.transB)) }

// The kernels by size of tiles, small and large, and form.
var (
	tiledBF16 = [2][4]string{
		{"product_64_nn_fast", "product_64_nt_fast", "product_64_tn_fast", "product_64_tt_fast"},
		{"product_128_nn_fast", "product_128_nt_fast", "product_128_tn_fast", "product_128_tt_fast"},
	}
	tiledAny = [2][4]string{{"product_64_nn_any", "product_64_nt_any", "product_64_tn_any", "product_64_tt_any"}}
	tiledF32 = [2][4]string{
		{"product_f32_64_nn", "product_f32_64_nt", "product_f32_64_tn", "product_f32_64_tt"},
		{"product_f32_128_nn", "product_f32_128_nt", "product_f32_128_tn", "product_f32_128_tt"},
	}
)
