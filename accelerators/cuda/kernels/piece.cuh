// Pieces of neighbouring elements, which a thread reads, holds and writes as one: as a rule eight, of bf16 an access of
// 16 bytes, the widest there is, and of float two. A piece is whole when all its elements are there and it begins on a
// boundary of its accesses' size; what is not whole goes element by element, and comes to the same.
#pragma once
#include "device.cuh"

enum { PIECE = 8 };

// A Piece holds n elements as they lie in memory, of 16 bits two to a word, so that pieces wait for their use in few
// registers.
template <class T, int n = PIECE>
struct alignas(n * sizeof(T) < 16 ? n * sizeof(T) : 16) Piece {
	enum { WORDS = n * sizeof(T) / 4 };
	u32 words[WORDS];
};

template <int n>
DEVICE float element(const Piece<float, n> &p, int i) { return __uint_as_float(p.words[i]); }
template <int n>
DEVICE float element(const Piece<bf16, n> &p, int i) {
	u32 pair = p.words[i / 2];
	return __uint_as_float(i % 2 ? pair & 0xffff0000 : pair << 16);
}

template <class T, int n>
DEVICE void unpack(float *x, const Piece<T, n> &p) {
#pragma unroll
	for (int i = 0; i < n; i++) x[i] = element(p, i);
}

template <int n>
DEVICE void pack(Piece<float, n> &p, const float *x) {
#pragma unroll
	for (int i = 0; i < n; i++) p.words[i] = __float_as_uint(x[i]);
}
template <int n>
DEVICE void pack(Piece<bf16, n> &p, const float *x) {
#pragma unroll
	for (int i = 0; i < n / 2; i++) p.words[i] = bf16_pair(x[2 * i], x[2 * i + 1]);
}

// read reads a whole piece.
template <int n = PIECE, class T>
DEVICE Piece<T, n> read(const T *from) {
	Piece<T, n> p;
	if constexpr (Piece<T, n>::WORDS == 2) {
		uint2 both = *(const uint2 *)from;
		p.words[0] = both.x, p.words[1] = both.y;
	} else {
#pragma unroll
		for (int i = 0; i < p.WORDS; i += 4) {
			uint4 part = ((const uint4 *)from)[i / 4];
			p.words[i] = part.x, p.words[i + 1] = part.y, p.words[i + 2] = part.z, p.words[i + 3] = part.w;
		}
	}
	return p;
}

// write_two and write_four write words to global memory as one. NVRTC takes assignments apart, in some kernels.
#ifdef __CUDACC_RTC__

DEVICE void write_two(void *to, const u32 *w) {
	asm volatile("st.global.v2.b32 [%0],{%1,%2};" ::"l"(to), "r"(w[0]), "r"(w[1]) : "memory");
}

DEVICE void write_four(void *to, const u32 *w) {
	asm volatile("st.global.v4.b32 [%0],{%1,%2,%3,%4};" ::"l"(to), "r"(w[0]), "r"(w[1]), "r"(w[2]), "r"(w[3])
		: "memory");
}

#else

DEVICE void write_two(void *to, const u32 *w) { *(uint2 *)to = {w[0], w[1]}; }
DEVICE void write_four(void *to, const u32 *w) { *(uint4 *)to = {w[0], w[1], w[2], w[3]}; }

#endif

// write writes a whole piece to global memory.
template <class T, int n>
DEVICE void write(T *to, const Piece<T, n> &p) {
	if constexpr (Piece<T, n>::WORDS == 2) {
		write_two(to, p.words);
	} else {
#pragma unroll
		for (int i = 0; i < p.WORDS; i += 4) write_four((u32 *)to + i, &p.words[i]);
	}
}

// load reads a piece; of one that is not whole, the count elements there are, and zeros for the rest.
template <bool whole, class T>
DEVICE Piece<T> load(const T *from, i64 count) {
	if constexpr (whole) {
		return read(from);
	} else {
		float x[PIECE];
#pragma unroll
		for (int i = 0; i < PIECE; i++) x[i] = i < count ? widen(from[i]) : 0;
		Piece<T> p;
		pack(p, x);
		return p;
	}
}

// store writes a piece to global memory, of one that is not whole the count elements there are.
template <bool whole, class T>
DEVICE void store(T *to, const float *x, i64 count) {
	if constexpr (whole) {
		Piece<T> p;
		pack(p, x);
		write(to, p);
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

// load_eight and store_eight are for those who see only at the piece itself whether it is whole. What is not there
// is read as fill.
template <class T>
DEVICE void load_eight(float *x, const T *from, int count, float fill = 0) {
	if (count >= PIECE && aligned(from)) {
		unpack(x, read(from));
		return;
	}
#pragma unroll
	for (int i = 0; i < PIECE; i++) x[i] = i < count ? widen(from[i]) : fill;
}

template <class T>
DEVICE void store_eight(T *to, const float *x, int count) {
	if (count >= PIECE && aligned(to)) store<true>(to, x, count);
	else store<false>(to, x, count);
}
