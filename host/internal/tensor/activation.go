package tensor

import "github.com/carebot-llm/carebot/accelerators"

// SwiGLU is silu(gate) * up for x [T,2F], whose rows hold gate, then up.
func (t *Tape) SwiGLU(x *Tensor) *Tensor {
	return t.gated("SwiGLU", x, accelerators.Device.SwiGLU, swigluGrad)
}

func swigluGrad(t *Tape, n *node) { t.gatedGrad(n, accelerators.Device.SwiGLUGrad) }

// GeGLU is GELUTanh(gate) * up for x [T,2F], whose rows hold gate, then up.
func (t *Tape) GeGLU(x *Tensor) *Tensor {
	return t.gated("GeGLU", x, accelerators.Device.GeGLU, gegluGrad)
}

func gegluGrad(t *Tape, n *node) { t.gatedGrad(n, accelerators.Device.GeGLUGrad) }

// GELU is the exact Gaussian error linear unit. On an inference tape it works in place: x is gone, the result has its
// memory. It is the widest tensor of an encoder.
func (t *Tape) GELU(x *Tensor) *Tensor {
	if t.recording || t.err != nil {
		return t.pointwise(x, accelerators.Device.GELU, geluGrad)
	}
	t.dev.GELU(x.Value, x.Value)
	return x
}

func geluGrad(t *Tape, n *node) { t.pointwiseGrad(n, n.x, accelerators.Device.GELUGrad) }

// GELUTanh is the approximation of GELU with a hyperbolic tangent.
func (t *Tape) GELUTanh(x *Tensor) *Tensor {
	return t.pointwise(x, accelerators.Device.GELUTanh, geluTanhGrad)
}

func geluTanhGrad(t *Tape, n *node) { t.pointwiseGrad(n, n.x, accelerators.Device.GELUTanhGrad) }

// Tanh is the hyperbolic tangent.
func (t *Tape) Tanh(x *Tensor) *Tensor { return t.pointwise(x, accelerators.Device.Tanh, tanhGrad) }

func tanhGrad(t *Tape, n *node) { t.pointwiseGrad(n, n.out, accelerators.Device.TanhGrad) }

// gated applies a kernel that makes [T,F] of the two halves of rows [T,2F].
func (t *Tape) gated(
	op string, x *Tensor, kernel func(dev accelerators.Device, y, x accelerators.Buffer, inner int), back func(*Tape, *node),
) *Tensor {
	if x.Cols%2 != 0 {
		t.refuse("%s: x %v has no two halves", op, x)
	}
	y := t.output(x.kind(), x.Rows, x.Cols/2)
	if t.err != nil {
		return y
	}
	kernel(t.dev, y.Value, x.Value, y.Cols)
	return t.record(node{back: back, out: y, x: x})
}

func (t *Tape) gatedGrad(n *node, kernel func(dev accelerators.Device, dx, dy, x accelerators.Buffer, inner int)) {
	dx := t.borrow(n.x.kind(), n.x.size())
	if t.err == nil {
		kernel(t.dev, dx, n.out.grad, n.x.Value, n.out.Cols)
		t.give(n.x, dx)
	}
}

// pointwise applies a kernel to each element.
func (t *Tape) pointwise(
	x *Tensor, kernel func(dev accelerators.Device, y, x accelerators.Buffer), back func(*Tape, *node),
) *Tensor {
	y := t.output(x.kind(), x.Rows, x.Cols)
	if t.err != nil {
		return y
	}
	kernel(t.dev, y.Value, x.Value)
	return t.record(node{back: back, out: y, x: x})
}

// pointwiseGrad applies the gradient of a kernel, which it takes from the input or the output.
func (t *Tape) pointwiseGrad(n *node, of *Tensor, kernel func(dev accelerators.Device, dx, dy, of accelerators.Buffer)) {
	dx := t.borrow(n.x.kind(), n.x.size())
	if t.err == nil {
		kernel(t.dev, dx, n.out.grad, of.Value)
		t.give(n.x, dx)
	}
}
