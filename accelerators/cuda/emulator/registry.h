// The kernels of the library, by name.
#pragma once
#include "types.h"

#include <string>
#include <vector>

namespace emulator {

// A Kernel unpacks its arguments and runs one thread.
struct Kernel {
	const char *name;
	std::string family; // the name of its file, without .cu
	void (*run)(void **arguments);
	std::vector<unsigned> sizes; // of its arguments, in bytes
};

template <class... A, size_t... I>
void unpack(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
	kernel(*(std::remove_reference_t<A> *)arguments[I]...);
}

template <class... A>
void call(void (*kernel)(A...), void **arguments) {
	unpack(kernel, arguments, std::index_sequence_for<A...>{});
}

template <class... A>
std::vector<unsigned> sizes(void (*)(A...)) {
	return {(unsigned)sizeof(A)...};
}

#pragma GCC visibility push(hidden)

struct Registration {
	Registration(const char *name, const char *file, void (*run)(void **), std::vector<unsigned> sizes);
};

// find is null where a family has no such kernel; the empty family stands for all.
const Kernel *find(const std::string &family, const std::string &name);
bool is_family(const std::string &family);

#pragma GCC visibility pop

} // namespace emulator
