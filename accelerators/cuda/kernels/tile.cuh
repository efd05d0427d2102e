// Vectors in tiles: a block of TILE_THREADS threads has as many elements in a row as its threads own together. A thread
// owns groups of four neighbours, so that a warp's accesses of 16 or 8 bytes lie side by side.
#pragma once
#include "piece.cuh"

enum { TILE_THREADS = 256, OWN = 4 };

// An f16 is an IEEE 754 half in memory.
struct f16 {
	u16 bits;
};

// widen moves exponent and fraction to their places and corrects the exponent's bias. Denormal halves become normal
// numbers by a subtraction, which is exact.
DEVICE float widen(f16 x) {
	const u32 exponent = 0x7c00u << 13, rebias = (127 - 15) << 23, least = rebias + (1u << 23);
	u32 bits = (u32)(x.bits & 0x7fff) << 13, sign = (u32)(x.bits & 0x8000) << 16;
	if ((bits & exponent) == 0)
		bits = __float_as_uint(__uint_as_float(bits + least) - __uint_as_float(least));
	else
		bits += (bits & exponent) == exponent ? 2 * rebias : rebias;
	return __uint_as_float(bits | sign);
}

template <int n>
DEVICE float element(const Piece<f16, n> &p, int i) { return widen(f16{(u16)(p.words[i / 2] >> i % 2 * 16)}); }

// A tile may also be a warp's, or any group's of so many threads.
// place is the number within its tile of the element that a thread owns as number e.
template <int threads = TILE_THREADS>
DEVICE u32 place(int e) {
	return 4 * (e / 4 * threads + threadIdx.x % threads) + e % 4;
}

// vectorized reports whether a tile is whole, n elements being there, and lies on a boundary for groups of four.
template <int threads, int own, class T>
DEVICE bool vectorized(const T *tile, u64 n) {
	return n >= own * threads && (u64)tile % sizeof(Piece<T, OWN>) == 0;
}

// fetch reads what a thread owns of a tile, of which n elements are there; the others are taken for zeros.
template <int threads = TILE_THREADS, int own, class T>
DEVICE void fetch(float (&x)[own], const T *tile, u64 n) {
	if (vectorized<threads, own>(tile, n)) {
#pragma unroll
		for (int e = 0; e < own; e += OWN) unpack(&x[e], read<OWN>(tile + place<threads>(e)));
	} else {
#pragma unroll
		for (int e = 0; e < own; e++) x[e] = place<threads>(e) < n ? widen(tile[place<threads>(e)]) : 0;
	}
}

// put writes what a thread owns of a tile, of which n elements are there.
template <int threads = TILE_THREADS, int own, class T>
DEVICE void put(T *tile, const float (&x)[own], u64 n) {
	if (vectorized<threads, own>(tile, n)) {
#pragma unroll
		for (int e = 0; e < own; e += OWN) {
			Piece<T, OWN> p;
			pack(p, &x[e]);
			write(tile + place<threads>(e), p);
		}
	} else {
#pragma unroll
		for (int e = 0; e < own; e++)
			if (place<threads>(e) < n) narrow(&tile[place<threads>(e)], x[e]);
	}
}
