// Rows in pieces of eight neighbouring elements, which a thread reads, holds and writes as one: of bf16 that is an
// access of 16 bytes, the widest there is, and of float two. A piece is whole when it begins on a boundary of 16
// bytes and ends within the row; kernels are compiled once for operands of which all pieces are whole, and once
// for any others, which they go through element by element. Both compute the same.
#pragma once
#include "device.cuh"

enum { PIECE = 8 };

// A Piece holds elements as they lie in memory, of bf16 two to a word, so that pieces wait for their use in few
// registers.
template <class T>
struct alignas(16) Piece {
	u32 words[PIECE * sizeof(T) / 4];
};

DEVICE float element(const Piece<float> &p, int i) { return __uint_as_float(p.words[i]); }
DEVICE float element(const Piece<bf16> &p, int i) {
	u32 pair = p.words[i / 2];
	return __uint_as_float(i % 2 ? pair & 0xffff0000 : pair << 16);
}

// pair_bits is two numbers rounded to the nearest even, the first in the lower half.
DEVICE u32 pair_bits(float first, float second) {
#ifdef __CUDACC_RTC__
	u32 pair;
	asm("cvt.rn.bf16x2.f32 %0,%1,%2;" : "=r"(pair) : "f"(second), "f"(first));
	return pair;
#else
	return bf16_bits(first) | (u32)bf16_bits(second) << 16;
#endif
}

DEVICE void pack(Piece<float> &p, const float x[PIECE]) {
#pragma unroll
	for (int i = 0; i < PIECE; i++) p.words[i] = __float_as_uint(x[i]);
}
DEVICE void pack(Piece<bf16> &p, const float x[PIECE]) {
#pragma unroll
	for (int i = 0; i < PIECE / 2; i++) p.words[i] = pair_bits(x[2 * i], x[2 * i + 1]);
}

// load reads a piece; of one that is not whole, the count elements there are, and zeros for the rest.
template <bool whole, class T>
DEVICE Piece<T> load(const T *from, i64 count) {
	Piece<T> p;
	if constexpr (whole) {
#pragma unroll
		for (int i = 0; i < (int)sizeof(Piece<T>) / 16; i++) {
			uint4 part = ((const uint4 *)from)[i];
			p.words[4 * i] = part.x, p.words[4 * i + 1] = part.y;
			p.words[4 * i + 2] = part.z, p.words[4 * i + 3] = part.w;
		}
	} else {
		float x[PIECE];
#pragma unroll
		for (int i = 0; i < PIECE; i++) x[i] = i < count ? widen(from[i]) : 0;
		pack(p, x);
	}
	return p;
}

// write_words writes four words to global memory as one; compilers take assignments apart.
DEVICE void write_words(uint4 *to, const u32 w[4]) {
#ifdef __CUDACC_RTC__
	asm volatile("st.global.v4.b32 [%0],{%1,%2,%3,%4};" ::"l"(to), "r"(w[0]), "r"(w[1]), "r"(w[2]), "r"(w[3])
		: "memory");
#else
	*to = {w[0], w[1], w[2], w[3]};
#endif
}

// store writes a piece to global memory, of one that is not whole the count elements there are.
template <bool whole, class T>
DEVICE void store(T *to, const float x[PIECE], i64 count) {
	if constexpr (whole) {
		Piece<T> p;
		pack(p, x);
#pragma unroll
		for (int i = 0; i < (int)sizeof p / 16; i++) write_words((uint4 *)to + i, &p.words[4 * i]);
	} else {
#pragma unroll
		for (int i = 0; i < PIECE; i++)
			if (i < count) narrow(&to[i], x[i]);
	}
}

// aligned reports whether all the addresses are on boundaries of 16 bytes.
DEVICE bool aligned() { return true; }
template <class T, class... More>
DEVICE bool aligned(const T *first, More... more) {
	return (u64)first % 16 == 0 && aligned(more...);
}

// A Place is where a thread works in a launch over rows, of which each has the same number of blocks, chunks, and
// each thread one piece.
struct Place {
	u64 row;
	u64 piece; // in the row; it may lie behind its end
};

DEVICE Place place(u32 chunks) { return {blockIdx.x / chunks, (u64)(blockIdx.x % chunks) * blockDim.x + threadIdx.x}; }
