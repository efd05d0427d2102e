// Activations of n elements, and gated ones of rows x [T,2F], the gate's F before the other's.
//
//   GELU      f(x) = x/2 (1+erf(x/sqrt 2))
//   GELUTanh  f(x) = x/2 (1+tanh(u)) = x sigmoid(2u), u = sqrt(2/pi) (x+0.044715x^3)
//   Tanh      f(x) = tanh(x)
//   unary     y = f(x), dx = dy f'(x); of Tanh f' is taken from y
//   SwiGLU    y[t,i] = silu(x[t,i]) x[t,F+i], silu(x) = x sigmoid(x)
//   GeGLU     y[t,i] = GELUTanh(x[t,i]) x[t,F+i]
//   gated     dx[t,i] = dy[t,i] x[t,F+i] f'(x[t,i]), dx[t,F+i] = dy[t,i] f(x[t,i])
//
// Every element is read and written once, a thread has one piece of each operand. What bounds them is memory: of
// 2048 threads on a multiprocessor each waits for 16 to 48 bytes, where about 30 kB in flight keep an H200's
// memory busy. There are about 80 instructions to spare for an element of bf16; an exponential that is good to an
// ulp takes 10, the quotient of __fdividef 3 where one that rounds correctly takes 12.
// hot: swiglu* geglu* gelu*
#include "rows.cuh"

// sigmoid is 0 where the exponential overflows.
DEVICE float sigmoid(float x) { return __fdividef(1, 1 + expf(-x)); }

DEVICE float silu(float x) { return x * sigmoid(x); }
DEVICE float silu_slope(float x) {
	float s = sigmoid(x);
	return s + x * s * (1 - s);
}

DEVICE float gelu(float x) { return 0.5f * x * (1 + erff(x * 0.70710678f)); }
DEVICE float gelu_slope(float x) {
	float density = 0.39894228f * expf(-0.5f * x * x);
	return 0.5f * (1 + erff(x * 0.70710678f)) + x * density;
}

// TWICE is 2 sqrt(2/pi).
#define TWICE 1.5957691f

// gate_square is x^2 as far as the gate of GELUTanh changes with it; beyond, products with infinity would be NaN.
DEVICE float gate_square(float x) { return fminf(x * x, 1e4f); }
DEVICE float gate(float x) { return sigmoid(TWICE * x * (1 + 0.044715f * gate_square(x))); }

DEVICE float gelu_tanh(float x) { return x * gate(x); }
DEVICE float gelu_tanh_slope(float x) {
	float s = gate(x);
	return s + x * s * (1 - s) * TWICE * (1 + 3 * 0.044715f * gate_square(x));
}

DEVICE float tanh_slope(float y) { return 1 - y * y; }

typedef float Function(float);

template <bool whole, Function f, class T>
DEVICE void unary_piece(T *y, const T *x, u64 n) {
	u64 at = place(gridDim.x).piece * PIECE;
	if (at >= n) return;
	Piece<T> in = load<whole>(x + at, n - at);
	float out[PIECE];
#pragma unroll
	for (int i = 0; i < PIECE; i++) out[i] = f(element(in, i));
	store<whole>(y + at, out, n - at);
}

template <Function f, class T>
DEVICE void unary(T *y, const T *x, u64 n) {
	if (n % PIECE == 0 && aligned(y, x)) unary_piece<true, f>(y, x, n);
	else unary_piece<false, f>(y, x, n);
}

template <bool whole, Function slope, class T>
DEVICE void unary_grad_piece(T *dx, const T *dy, const T *x, u64 n) {
	u64 at = place(gridDim.x).piece * PIECE;
	if (at >= n) return;
	Piece<T> in = load<whole>(x + at, n - at), above = load<whole>(dy + at, n - at);
	float out[PIECE];
#pragma unroll
	for (int i = 0; i < PIECE; i++) out[i] = element(above, i) * slope(element(in, i));
	store<whole>(dx + at, out, n - at);
}

template <Function slope, class T>
DEVICE void unary_grad(T *dx, const T *dy, const T *x, u64 n) {
	if (n % PIECE == 0 && aligned(dx, dy, x)) unary_grad_piece<true, slope>(dx, dy, x, n);
	else unary_grad_piece<false, slope>(dx, dy, x, n);
}

template <bool whole, Function f, class T>
DEVICE void gated_piece(T *y, const T *x, u32 inner, u32 chunks) {
	Place p = place(chunks);
	u64 at = p.piece * PIECE;
	if (at >= inner) return;
	const T *gates = x + p.row * 2 * inner + at;
	Piece<T> gate = load<whole>(gates, inner - at), up = load<whole>(gates + inner, inner - at);
	float out[PIECE];
#pragma unroll
	for (int i = 0; i < PIECE; i++) out[i] = f(element(gate, i)) * element(up, i);
	store<whole>(y + p.row * inner + at, out, inner - at);
}

template <Function f, class T>
DEVICE void gated(T *y, const T *x, u32 inner, u32 chunks) {
	if (inner % PIECE == 0 && aligned(y, x)) gated_piece<true, f>(y, x, inner, chunks);
	else gated_piece<false, f>(y, x, inner, chunks);
}

// dx may be x: a thread writes only what it alone has read.
template <bool whole, Function f, Function slope, class T>
DEVICE void gated_grad_piece(T *dx, const T *dy, const T *x, u32 inner, u32 chunks) {
	Place p = place(chunks);
	u64 at = p.piece * PIECE, first = p.row * 2 * inner + at;
	if (at >= inner) return;
	Piece<T> gate = load<whole>(x + first, inner - at), up = load<whole>(x + first + inner, inner - at);
	Piece<T> above = load<whole>(dy + p.row * inner + at, inner - at);
	float dgate[PIECE], dup[PIECE];
#pragma unroll
	for (int i = 0; i < PIECE; i++) {
		float d = element(above, i), g = element(gate, i);
		dgate[i] = d * element(up, i) * slope(g);
		dup[i] = d * f(g);
	}
	store<whole>(dx + first, dgate, inner - at);
	store<whole>(dx + first + inner, dup, inner - at);
}

template <Function f, Function slope, class T>
DEVICE void gated_grad(T *dx, const T *dy, const T *x, u32 inner, u32 chunks) {
	if (inner % PIECE == 0 && aligned(dx, dy, x)) gated_grad_piece<true, f, slope>(dx, dy, x, inner, chunks);
	else gated_grad_piece<false, f, slope>(dx, dy, x, inner, chunks);
}

#define ACTIVATION KERNEL void __launch_bounds__(256)

#define UNARY(name, T, f, slope) \
	ACTIVATION name##_##T(real_##T *y, const real_##T *x, u64 n) { unary<f>(y, x, n); } \
	REGISTER(name##_##T) \
	ACTIVATION name##_grad_##T(real_##T *dx, const real_##T *dy, const real_##T *x, u64 n) { \
		unary_grad<slope>(dx, dy, x, n); \
	} \
	REGISTER(name##_grad_##T)

#define GATED(name, T, f, slope) \
	ACTIVATION name##_##T(real_##T *y, const real_##T *x, u32 inner, u32 chunks) { \
		gated<f>(y, x, inner, chunks); \
	} \
	REGISTER(name##_##T) \
	ACTIVATION name##_grad_##T(real_##T *dx, const real_##T *dy, const real_##T *x, u32 inner, \
		u32 chunks) { \
		gated_grad<f, slope>(dx, dy, x, inner, chunks); \
	} \
	REGISTER(name##_grad_##T)

typedef float real_f32;
typedef bf16 real_bf16;

UNARY(gelu, f32, gelu, gelu_slope)
UNARY(gelu, bf16, gelu, gelu_slope)
UNARY(gelu_tanh, f32, gelu_tanh, gelu_tanh_slope)
UNARY(gelu_tanh, bf16, gelu_tanh, gelu_tanh_slope)
UNARY(tanh, f32, tanhf, tanh_slope)
UNARY(tanh, bf16, tanhf, tanh_slope)
GATED(swiglu, f32, silu, silu_slope)
GATED(swiglu, bf16, silu, silu_slope)
GATED(geglu, f32, gelu_tanh, gelu_tanh_slope)
GATED(geglu, bf16, gelu_tanh, gelu_tanh_slope)
