package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	_ "github.com/carebot-llm/carebot/accelerators/cpu"
)

func openCPU(t *testing.T) accelerators.Device {
	t.Helper()
	dev, _, err := accelerators.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dev.Sync(); err != nil {
			t.Errorf("the device ends with an error: %v", err)
		}
		dev.Close()
	})
	return dev
}

// operands are parameters of the given shapes, drawn from a normal distribution.
func operands(t *testing.T, dev accelerators.Device, shapes ...[]int) *ParamSet {
	t.Helper()
	set := &ParamSet{}
	for i, shape := range shapes {
		set.Add(fmt.Sprintf("p%d", i), shape, len(shape) == 2)
	}
	if err := set.Alloc(dev, Trained); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Free(dev) })
	draw(dev, set)
	return set
}

func draw(dev accelerators.Device, set *ParamSet) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, p := range set.All() {
		dev.UploadF32(p.Update(), normals(random, p.Size()))
	}
}

func normals(random *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(random.NormFloat64())
	}
	return x
}

// leaf makes an activation of a parameter, so that gradients of activations can be read.
func leaf(t *Tape, p *Param) *Tensor {
	y := t.output(t.kind(), p.Shape[0], p.Shape[1])
	if t.err != nil {
		return y
	}
	t.dev.Copy(y.Value, p.Value())
	return t.record(node{out: y, w: p, back: func(t *Tape, n *node) {
		wide := t.borrow(accelerators.F32, p.Size())
		t.dev.Copy(wide, n.out.grad)
		t.dev.Axpy(t.sumsFor(n.w), wide, 1)
		t.giveBack(wide)
	}})
}

// An opCase is one operation. apply gets a leaf for each of the first leaves operands, and the others as parameters.
type opCase struct {
	name    string
	shapes  [][]int
	leaves  int
	inPlace bool // the first leaf is gone afterwards
	apply   operation
}

type operation = func(t *Tape, x []*Tensor, w []*Param) *Tensor

var packed = []int32{0, 3, 4, 9}

var grouped = Heads{Query: 4, KV: 2, Dim: 6, Causal: true}

func opCases() []opCase {
	attention := func(h Heads) operation {
		return func(t *Tape, x []*Tensor, _ []*Param) *Tensor { return t.Attention(x[0], h, t.Segments(packed)) }
	}
	full, narrow, scaled := grouped, grouped, grouped
	full.Causal, narrow.Window, scaled.Scale = false, 2, 0.7
	qkv := [][]int{{9, grouped.Width()}}
	return []opCase{
		{"Embed", [][]int{{5, 4}}, 0, false, func(t *Tape, _ []*Tensor, w []*Param) *Tensor {
			return t.Embed(w[0], t.Ints([]int32{3, 0, 3, 4}))
		}},
		{"Linear", [][]int{{5, 4}, {3, 4}, {3}}, 1, false, func(t *Tape, x []*Tensor, w []*Param) *Tensor {
			return t.Linear(x[0], w[0], w[1])
		}},
		{"Linear without bias", [][]int{{5, 4}, {3, 4}}, 1, false, func(t *Tape, x []*Tensor, w []*Param) *Tensor {
			return t.Linear(x[0], w[0], nil)
		}},
		{"LinearAdd", [][]int{{5, 3}, {5, 4}, {3, 4}, {3}}, 2, false, func(t *Tape, x []*Tensor, w []*Param) *Tensor {
			return t.LinearAdd(x[0], x[1], w[0], w[1])
		}},
		{"Linear with low ranks", [][]int{{5, 4}, {7, 4}, {7}, {2, 4}, {3, 2}, {1, 4}, {2, 1}}, 1, false,
			func(t *Tape, x []*Tensor, w []*Param) *Tensor {
				return t.Linear(x[0], w[0], w[1], LowRank{w[2], w[3], 0, 0.5, nil}, LowRank{w[4], w[5], 5, -2, nil})
			}},
		{"LinearAdd with a low rank", [][]int{{5, 3}, {5, 4}, {3, 4}, {2, 4}, {3, 2}}, 2, false,
			func(t *Tape, x []*Tensor, w []*Param) *Tensor {
				return t.LinearAdd(x[0], x[1], w[0], nil, LowRank{w[1], w[2], 0, 3, nil})
			}},
		{"Scores", [][]int{{5, 4}, {3, 4}, {3}}, 1, false, func(t *Tape, x []*Tensor, w []*Param) *Tensor {
			return t.Scores(x[0], w[0], w[1])
		}},
		{"RMSNorm", [][]int{{4, 7}, {7}}, 1, false, func(t *Tape, x []*Tensor, w []*Param) *Tensor {
			return t.RMSNorm(x[0], Norm{Weight: w[0], Eps: 1e-5})
		}},
		{"RMSNorm from one", [][]int{{4, 7}, {7}}, 1, false, func(t *Tape, x []*Tensor, w []*Param) *Tensor {
			return t.RMSNorm(x[0], Norm{Weight: w[0], Eps: 1e-5, FromOne: true})
		}},
		{"HeadNorm", [][]int{{9, grouped.Width()}, {6}, {6}}, 1, false, func(t *Tape, x []*Tensor, w []*Param) *Tensor {
			return t.HeadNorm(x[0], grouped, Norm{w[0], 1e-5, false}, Norm{w[1], 1e-4, true})
		}},
		{"LayerNorm", [][]int{{4, 7}, {7}, {7}}, 1, false, func(t *Tape, x []*Tensor, w []*Param) *Tensor {
			return t.LayerNorm(x[0], w[0], w[1], 1e-5)
		}},
		{"RoPE", qkv, 1, true, func(t *Tape, x []*Tensor, _ []*Param) *Tensor { return t.RoPE(x[0], grouped, turns(t)) }},
		{"Attention", qkv, 1, false, attention(grouped)},
		{"Attention of an encoder", qkv, 1, false, attention(full)},
		{"Attention in a window", qkv, 1, false, attention(narrow)},
		{"Attention with another scale", qkv, 1, false, attention(scaled)},
		{"SwiGLU", [][]int{{3, 8}}, 1, false, func(t *Tape, x []*Tensor, _ []*Param) *Tensor { return t.SwiGLU(x[0]) }},
		{"GeGLU", [][]int{{3, 8}}, 1, false, func(t *Tape, x []*Tensor, _ []*Param) *Tensor { return t.GeGLU(x[0]) }},
		{"GELU", [][]int{{3, 5}}, 1, false, func(t *Tape, x []*Tensor, _ []*Param) *Tensor { return t.GELU(x[0]) }},
		{"GELUTanh", [][]int{{3, 5}}, 1, false, func(t *Tape, x []*Tensor, _ []*Param) *Tensor { return t.GELUTanh(x[0]) }},
		{"Tanh", [][]int{{3, 5}}, 1, false, func(t *Tape, x []*Tensor, _ []*Param) *Tensor { return t.Tanh(x[0]) }},
		{"Add", [][]int{{3, 5}, {3, 5}}, 2, false, func(t *Tape, x []*Tensor, _ []*Param) *Tensor {
			return t.Add(x[0], x[1])
		}},
		{"Add to itself", [][]int{{3, 5}}, 1, false, func(t *Tape, x []*Tensor, _ []*Param) *Tensor {
			return t.Add(x[0], x[0])
		}},
		{"Mul", [][]int{{3, 5}, {3, 5}}, 2, false, func(t *Tape, x []*Tensor, _ []*Param) *Tensor {
			return t.Mul(x[0], x[1])
		}},
		{"Mul with itself", [][]int{{3, 5}}, 1, false, func(t *Tape, x []*Tensor, _ []*Param) *Tensor {
			return t.Mul(x[0], x[0])
		}},
		{"Scale", [][]int{{3, 5}}, 1, false, func(t *Tape, x []*Tensor, _ []*Param) *Tensor { return t.Scale(x[0], -1.5) }},
		{"Gather", [][]int{{5, 4}}, 1, false, func(t *Tape, x []*Tensor, _ []*Param) *Tensor {
			return t.Gather(x[0], t.Ints([]int32{4, 1, 4}))
		}},
		{"Scatter", [][]int{{3, 4}}, 1, false, func(t *Tape, x []*Tensor, _ []*Param) *Tensor {
			return t.Scatter(x[0], t.Ints([]int32{4, 0, 3}), 5)
		}},
		{"MeanPool", [][]int{{9, 4}}, 1, false, func(t *Tape, x []*Tensor, _ []*Param) *Tensor {
			return t.MeanPool(x[0], t.Segments(packed))
		}},
		{"HeadLoss", [][]int{{5, 4}, {7, 4}}, 1, false, func(t *Tape, x []*Tensor, w []*Param) *Tensor {
			return t.HeadLoss(x[0], w[0], t.Ints([]int32{6, -1, 0, 3, 3}), 0)
		}},
		{"HeadLoss with a limit", [][]int{{5, 4}, {7, 4}}, 1, false, func(t *Tape, x []*Tensor, w []*Param) *Tensor {
			return t.HeadLoss(x[0], w[0], t.Ints([]int32{6, -1, 0, 3, 3}), 1.5)
		}},
		{"Checkpoint", [][]int{{5, 4}, {4, 4}, {4}}, 1, false, func(t *Tape, x []*Tensor, w []*Param) *Tensor {
			return t.Checkpoint(&pile{w}, 0, t.Checkpoint(&pile{w}, 1, x[0], Packing{}), Packing{})
		}},
	}
}

// A pile is a block of layers with one weight, which takes part in each twice.
type pile struct{ w []*Param }

func (s *pile) Run(t *Tape, layer int, x *Tensor, _ Packing) *Tensor {
	inner := t.Tanh(t.Linear(x, s.w[0], s.w[1]))
	return t.LinearAdd(x, t.Scale(inner, float32(layer+1)), s.w[0], nil)
}

// turns are angles for nine rows; the factor on them is what yarn does.
func turns(t *Tape) Rotary {
	var cos, sin []float32
	for i := range 3 * 4 {
		cos, sin = append(cos, 1.25*float32(math.Cos(float64(i)))), append(sin, 1.25*float32(math.Sin(float64(i))))
	}
	return Rotary{Cos: t.Floats(cos), Sin: t.Floats(sin), Positions: t.Ints([]int32{0, 1, 2, 0, 0, 1, 2, 3, 1})}
}

// A check computes the loss sum(weights*y) of an operation; with shared, every leaf is read by a second operation,
// which comes first on the way back, so that gradients add up.
type check struct {
	opCase
	dev     accelerators.Device
	set     *ParamSet
	arena   *Arena
	shared  bool
	compute accelerators.DType
}

func (c *check) run(t *testing.T, backward bool) float64 {
	t.Helper()
	tape := NewTape(c.dev, c.arena)
	tape.Compute = c.compute
	defer tape.Reset()
	params := c.set.All()
	var leaves []*Tensor
	for _, p := range params[:c.leaves] {
		leaves = append(leaves, leaf(tape, p))
	}
	outs := []*Tensor{c.apply(tape, leaves, params[c.leaves:])}
	if c.shared {
		for _, x := range leaves {
			outs = append(outs, tape.Scale(x, 0.5))
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	loss := 0.0
	var seeds []Seed
	for _, y := range outs {
		values, err := tape.Download(y)
		if err != nil {
			t.Fatal(err)
		}
		weights := normals(random, len(values))
		for i, v := range values {
			loss += float64(weights[i]) * float64(v)
		}
		seeds = append(seeds, Seed{y, weights})
	}
	if backward {
		if err := tape.Backward(seeds...); err != nil {
			t.Fatal(err)
		}
	}
	return loss
}

// The device computes in float32, so the differences must be wide: with four points and h = 0.02 their own error is
// h^4/30 of the fifth derivative (below 1e-6 here) and the rounding of the outputs, about 1e-6, is magnified by 1/h to
// 5e-5.
const (
	differenceStep      = 0.02
	differenceTolerance = 5e-4
)

func (c *check) difference(t *testing.T, p *Param, values []float32, i int) float64 {
	at := func(steps float32) float64 {
		moved := append([]float32(nil), values...)
		moved[i] += steps * differenceStep
		c.dev.UploadF32(p.Update(), moved)
		return c.run(t, false)
	}
	near, far := at(1)-at(-1), at(2)-at(-2)
	c.dev.UploadF32(p.Update(), values)
	return (8*near - far) / (12 * differenceStep)
}

func TestEveryOperationHasTheGradientOfItsFiniteDifferences(t *testing.T) {
	dev := openCPU(t)
	for _, op := range opCases() {
		for _, shared := range []bool{false, true} {
			if shared && (op.inPlace || op.leaves == 0) {
				continue
			}
			t.Run(fmt.Sprintf("%s/shared=%v", op.name, shared), func(t *testing.T) {
				c := &check{opCase: op, dev: dev, set: operands(t, dev, op.shapes...), arena: NewArena(dev), shared: shared}
				c.compare(t)
				if c.arena.Lent() != 0 {
					t.Errorf("%d bytes were not given back", c.arena.Lent())
				}
			})
		}
	}
}

func (c *check) compare(t *testing.T) {
	c.set.ZeroGrad(c.dev)
	c.run(t, true)
	for _, p := range c.set.All() {
		values, grads := download(t, c.dev, p.Value()), download(t, c.dev, p.Grad)
		for i := range values {
			want := c.difference(t, p, values, i)
			if math.Abs(float64(grads[i])-want) > differenceTolerance*(1+math.Abs(want)) {
				t.Errorf("d loss / d %s[%d] = %g, differences say %g", p.Name, i, grads[i], want)
			}
		}
	}
}

func download(t *testing.T, dev accelerators.Device, b accelerators.Buffer) []float32 {
	t.Helper()
	host := make([]float32, b.Len)
	if err := dev.DownloadF32(host, b); err != nil {
		t.Fatal(err)
	}
	return host
}
