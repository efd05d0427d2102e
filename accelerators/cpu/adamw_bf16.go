package cpu

import (
	"math"
	"unsafe"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/adam"
)

// adamwBF16 is a step with moments in bfloat16.
type adamwBF16 struct {
	set         *kernelSet
	param, grad []float32
	m, v        []uint16
	factors     adamwFactors
	key         uint32 // of the first element
}

// bf16Vector divides the lengths that the sets' kernels take.
const bf16Vector = 16

func (o *adamwBF16) items(_, lo, hi int) {
	whole := hi - (hi-lo)%bf16Vector
	o.run(o.set.adamwBF16, lo, whole)
	o.run(adamwBF16Generic, whole, hi)
}

func (o *adamwBF16) run(kernel func(param, grad []float32, m, v []uint16, f *adamwFactors, key uint32), lo, hi int) {
	kernel(o.param[lo:hi], o.grad[lo:hi], o.m[lo:hi], o.v[lo:hi], &o.factors, o.key+uint32(lo)*adam.CounterStep)
}

// AdamWBF16 updates param, m and v in place.
func (d *Device) AdamWBF16(param, grad, m, v accelerators.Buffer, s accelerators.AdamW) {
	c := d.call("AdamWBF16")
	n := param.Len
	words := (n + 1) / 2
	c.exact("grad", grad, n)
	c.exact("m", m, words)
	c.exact("v", v, words)
	c.positive("Step", s.Step)
	ps, gs := c.write("param", param, n), c.f32("grad", grad, n)
	ms, vs := c.writeI32("m", m, words), c.writeI32("v", v, words)
	if f, finite := c.factors(s); passed(c, s) && finite {
		d.ops.adamwBF16 = adamwBF16{d.set, ps, gs, parts[uint16](ms)[:n], parts[uint16](vs)[:n], f, adam.RoundingKey(s)}
		d.each(n, adamwWork, &d.ops.adamwBF16)
	}
}

// parts are the numbers that are packed in words.
func parts[T uint8 | uint16](words []int32) []T {
	var part T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*4/int(unsafe.Sizeof(part)))
}

func adamwBF16Generic(param, grad []float32, m, v []uint16, f *adamwFactors, key uint32) {
	for i := range param {
		first, second := averaged(wide(m[i]), wide(v[i]), grad[i]*f[adam.GradScale], f)
		param[i] = updated(param[i], first, second, f)
		random := adam.Scrambled(key)
		m[i], v[i] = stochastic(first, random&0xffff), stochastic(second, random>>16)
		key += adam.CounterStep
	}
}

func wide(x uint16) float32 { return math.Float32frombits(uint32(x) << 16) }

// stochastic cuts x to bfloat16 after adding 16 random bits below the last that is kept: it rounds away from zero as often as
// x lies beyond the lower neighbour.
func stochastic(x float32, random uint32) uint16 { return uint16((math.Float32bits(x) + random) >> 16) }
