// Device memory, pinned memory, copies and fills.
#include "driver.h"

#include "arena.h"

#include <cstdlib>
#include <cstring>
#include <map>

using namespace driver;
using emulator::is_allocated;

namespace driver {

static std::map<const void *, size_t> pinned; // bytes by begin

size_t pinned_left() { return pinned.size(); }

bool is_pinned(const void *memory) {
	auto after = pinned.upper_bound(memory);
	if (after == pinned.begin()) return false;
	--after;
	return memory < (const char *)after->first + after->second;
}

static size_t available() {
	size_t total;
	cuDeviceTotalMem(&total, 0);
	size_t used = number("CAREBOT_EMULATOR_USED", 0) + emulator::allocated_bytes();
	return used < total ? total - used : 0;
}

static CUresult allocate(CUdeviceptr *at, size_t bytes) {
	if (!bytes) return CUDA_ERROR_INVALID_VALUE;
	*at = bytes <= available() ? emulator::allocate(bytes) : 0;
	return *at ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

// free_memory: the driver waits for all work that may use the memory.
static CUresult free_memory(CUdeviceptr at) {
	emulator::Allocation a = emulator::allocation_of(at);
	if (a.begin != at || !at) return CUDA_ERROR_INVALID_VALUE;
	CUresult code = drain_all();
	if (emulator::overrun(a)) code = service.lost = CUDA_ERROR_ILLEGAL_ADDRESS;
	emulator::release(a);
	return code;
}

// A Span is one end of a copy: host memory where device is false.
struct Span {
	void *at;
	bool device;
};

static Span on_device(CUdeviceptr at) { return {(void *)at, true}; }
static Span on_host(const void *at) { return {(void *)at, false}; }
// anywhere_at: host and device share one space of addresses.
static Span anywhere_at(CUdeviceptr at) { return {(void *)at, emulator::allocation_of(at).begin != 0}; }

static bool is_there(const Span &s, size_t bytes) { return !s.device || is_allocated((CUdeviceptr)s.at, bytes); }

static Work copying(Span to, Span from, size_t bytes) {
	return [=] {
		if (!is_there(to, bytes) || !is_there(from, bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
		memmove(to.at, from.at, bytes);
		return CUDA_SUCCESS;
	};
}

static CUresult copy(Span to, Span from, size_t bytes) {
	return in_context([&] {
		if (forbidden_in_capture()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
		if (bytes && (!is_there(to, bytes) || !is_there(from, bytes))) return CUDA_ERROR_INVALID_VALUE;
		return bytes ? now(copying(to, from, bytes)) : CUDA_SUCCESS;
	});
}

// staged copies pageable memory right away: its owner may change it once the call has returned.
static Work staged(Span to, const void *from, size_t bytes) {
	auto kept = std::make_shared<std::vector<char>>((const char *)from, (const char *)from + bytes);
	return [=] { return copying(to, on_host(kept->data()), bytes)(); };
}

// copy_later: a copy of pinned memory is done in the stream's time. One from pageable memory reads it at once, one to
// pageable memory is done when the call returns. A graph's copy reads and writes when the graph runs.
static CUresult copy_later(Span to, Span from, size_t bytes, CUstream stream) {
	return in_context([&] {
		if (!is_stream(stream)) return CUDA_ERROR_INVALID_HANDLE;
		if (!bytes) return CUDA_SUCCESS;
		if (!is_there(to, bytes) || !is_there(from, bytes)) return CUDA_ERROR_INVALID_VALUE;
		if (captured_by(stream)) return enqueue(stream, copying(to, from, bytes));
		bool from_pageable = !from.device && !is_pinned(from.at), to_pageable = !to.device && !is_pinned(to.at);
		CUresult code = enqueue(stream, from_pageable ? staged(to, from.at, bytes) : copying(to, from, bytes));
		return to_pageable && stream && !code ? drain(stream) : code;
	});
}

template <class T>
Work filling(CUdeviceptr at, T value, size_t n) {
	return [=] {
		if (!is_allocated(at, n * sizeof value)) return CUDA_ERROR_ILLEGAL_ADDRESS;
		for (size_t i = 0; i < n; i++) memcpy((char *)at + i * sizeof value, &value, sizeof value);
		return CUDA_SUCCESS;
	};
}

template <class T>
CUresult fill(CUdeviceptr at, T value, size_t n, CUstream stream) {
	return in_context([&] {
		if (!n) return CUDA_SUCCESS;
		if (at % sizeof value || !is_allocated(at, n * sizeof value)) return CUDA_ERROR_INVALID_VALUE;
		return enqueue(stream, filling(at, value, n));
	});
}

} // namespace driver

CUresult cuMemAlloc(CUdeviceptr *at, size_t bytes) {
	return in_context([&] {
		return forbidden_in_capture() ? CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED : allocate(at, bytes);
	});
}

CUresult cuMemFree(CUdeviceptr at) {
	return in_context([&] { return forbidden_in_capture() ? CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED : free_memory(at); });
}

CUresult cuMemGetInfo(size_t *left, size_t *total) {
	return in_context([&] {
		*left = available();
		return cuDeviceTotalMem(total, 0);
	});
}

CUresult cuMemGetAddressRange(CUdeviceptr *base, size_t *bytes, CUdeviceptr at) {
	return in_context([&] {
		emulator::Allocation a = emulator::allocation_of(at);
		if (!a.begin) return CUDA_ERROR_INVALID_VALUE;
		if (base) *base = a.begin;
		if (bytes) *bytes = a.bytes;
		return CUDA_SUCCESS;
	});
}

CUresult cuPointerGetAttribute(void *value, CUpointer_attribute attribute, CUdeviceptr at) {
	return in_context([&] {
		bool device = emulator::allocation_of(at).begin, host = is_pinned((void *)at);
		if (!device && !host) return CUDA_ERROR_INVALID_VALUE;
		if (attribute != CU_POINTER_ATTRIBUTE_MEMORY_TYPE) return CUDA_ERROR_NOT_SUPPORTED;
		*(unsigned *)value = device ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_HOST;
		return CUDA_SUCCESS;
	});
}

CUresult cuMemHostAlloc(void **memory, size_t bytes, unsigned) {
	return in_context([&] {
		if (forbidden_in_capture()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
		*memory = bytes ? aligned_alloc(4096, (bytes + 4095) / 4096 * 4096) : nullptr;
		if (!*memory) return bytes ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_ERROR_INVALID_VALUE;
		pinned[*memory] = bytes;
		return CUDA_SUCCESS;
	});
}

CUresult cuMemFreeHost(void *memory) {
	return in_context([&] {
		if (!pinned.count(memory)) return CUDA_ERROR_INVALID_VALUE;
		if (forbidden_in_capture()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
		CUresult code = drain_all();
		pinned.erase(memory);
		free(memory);
		return code;
	});
}

CUresult cuMemHostGetDevicePointer(CUdeviceptr *at, void *memory, unsigned) {
	return in_context([&] {
		*at = (CUdeviceptr)memory;
		return is_pinned(memory) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
	});
}

CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
	return copy(anywhere_at(to), anywhere_at(from), bytes);
}
CUresult cuMemcpyHtoD(CUdeviceptr to, const void *from, size_t bytes) {
	return copy(on_device(to), on_host(from), bytes);
}
CUresult cuMemcpyDtoH(void *to, CUdeviceptr from, size_t bytes) {
	return copy(on_host(to), on_device(from), bytes);
}
CUresult cuMemcpyDtoD(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
	return copy(on_device(to), on_device(from), bytes);
}

CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
	return copy_later(anywhere_at(to), anywhere_at(from), bytes, stream);
}
CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
	return copy_later(on_device(to), on_host(from), bytes, stream);
}
CUresult cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
	return copy_later(on_host(to), on_device(from), bytes, stream);
}
CUresult cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
	return copy_later(on_device(to), on_device(from), bytes, stream);
}

CUresult cuMemsetD8(CUdeviceptr at, unsigned char value, size_t n) { return fill(at, value, n, nullptr); }
CUresult cuMemsetD16(CUdeviceptr at, unsigned short value, size_t n) { return fill(at, value, n, nullptr); }
CUresult cuMemsetD32(CUdeviceptr at, unsigned value, size_t n) { return fill(at, value, n, nullptr); }
CUresult cuMemsetD8Async(CUdeviceptr at, unsigned char value, size_t n, CUstream stream) {
	return fill(at, value, n, stream);
}
CUresult cuMemsetD16Async(CUdeviceptr at, unsigned short value, size_t n, CUstream stream) {
	return fill(at, value, n, stream);
}
CUresult cuMemsetD32Async(CUdeviceptr at, unsigned value, size_t n, CUstream stream) {
	return fill(at, value, n, stream);
}
