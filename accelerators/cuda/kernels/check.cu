// Checks of operands that only the device sees.
#include "device.cuh"

// fault = min(fault, number<<32 | i) over all i with values[i] outside [low, high).
KERNEL void check_range(const int *values, u64 n, int low, int high, u32 number, u64 *fault) {
	for (u64 i = thread_number(); i < n; i += thread_count())
		if (values[i] < low || values[i] >= high) atomicMin(fault, (u64)number << 32 | i);
}
REGISTER(check_range)
