// An emulation of CUDA's blocks on the processor, for the subset of the language that kernels/device.cuh allows. Each
// CUDA thread is a fiber; barriers and warp collectives switch fibers, and blocks run one after the other. What a GPU
// leaves undefined is made visible:
//
//   - shared memory begins as 0xff bytes (NaN), in each block anew; so do fresh device memory and lanes that a shuffle
//     names though they are not there;
//   - what lies beyond an allocation, dynamic shared memory or a stack cannot be touched;
//   - copies of copy_async land when they are waited for, or at once, as CAREBOT_EMULATOR_SCHEDULE says;
//   - barriers and collectives that some threads do not reach, or that they reach at different places, end the launch,
//     as do misaligned accesses, indexes out of range and shifts by too much;
//   - the variant of the library that checks for races ends the launch at the first (races.cpp).
//
// A launch that ends so answers the driver's error, and standard error has the place.
#pragma once
#include "types.h"

#include "arithmetic.h"
#include "atomics.h"
#include "collectives.h"
#include "machine.h"
#include "registry.h"
