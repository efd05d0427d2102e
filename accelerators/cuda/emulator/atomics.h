// CUDA's atomics. Blocks run one after the other and fibers switch at barriers only, so that plain code is atomic. Of
// floats only atomicExch is here: sums would depend on the order.
#pragma once
#include "types.h"

// atomic_update is out of the sight of the check for races.
template <class T, class F>
__attribute__((noinline, no_sanitize_thread)) T atomic_update(T *at, F next) {
	static_assert(sizeof(T) == 4 || sizeof(T) == 8, "atomics work on four or eight bytes");
	T old = *at;
	*at = next(old);
	return old;
}

template <class T>
T atomicMin(T *at, T value) { return atomic_update(at, [=](T old) { return value < old ? value : old; }); }
template <class T>
T atomicMax(T *at, T value) { return atomic_update(at, [=](T old) { return old < value ? value : old; }); }
template <class T>
T atomicAdd(T *at, T value) {
	static_assert(std::is_integral<T>::value, "the sum of floats would depend on the order");
	return atomic_update(at, [=](T old) { return old + value; });
}
template <class T>
T atomicOr(T *at, T value) { return atomic_update(at, [=](T old) { return old | value; }); }
template <class T>
T atomicAnd(T *at, T value) { return atomic_update(at, [=](T old) { return old & value; }); }
template <class T>
T atomicExch(T *at, T value) { return atomic_update(at, [=](T) { return value; }); }
template <class T>
T atomicCAS(T *at, T compare, T value) {
	return atomic_update(at, [=](T old) { return old == compare ? value : old; });
}
inline void __threadfence() {}
inline void __threadfence_block() {}
