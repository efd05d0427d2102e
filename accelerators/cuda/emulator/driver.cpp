// A CUDA driver for tests without a GPU, opened in the place of libcuda.so.1: device memory is the host's, kernels run in
// the emulator. Functions that are not here or in stream.cpp are missing, as in an old driver.
//
// CAREBOT_EMULATOR_DRIVER, CAREBOT_EMULATOR_CAPABILITY and CAREBOT_EMULATOR_MEMORY make it that of another version (11080)
// or device (75, so many MiB), and CAREBOT_EMULATOR_FAIL lets functions fail.
#include "emulator.h"
#include "stream.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

typedef u64 Address;
using emulator::Handle;
using emulator::planted;
using emulator::submit;

enum {
	SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_IMAGE = 200,
	INVALID_CONTEXT = 201, NOT_FOUND = 500, INVALID_HANDLE = 400, CAPTURE_UNSUPPORTED = 900,
};

static const unsigned MOST_SHARED = 232448, MOST_ARGUMENTS = 40;
static Handle const CONTEXT = (Handle)0x1000, MODULE = (Handle)0x2000;

static std::mutex lock;
static std::map<Address, size_t> allocations;
static std::map<const u8 *, size_t> pinned; // memory of the host
static size_t used;
static thread_local Handle current_context;

static bool within_allocation(Address at, size_t bytes) {
	std::lock_guard<std::mutex> guard(lock);
	auto after = allocations.upper_bound(at);
	if (after == allocations.begin()) return false;
	--after;
	return at + bytes <= after->first + after->second;
}

static bool is_pinned(const void *memory) {
	std::lock_guard<std::mutex> guard(lock);
	auto after = pinned.upper_bound((const u8 *)memory);
	if (after == pinned.begin()) return false;
	--after;
	return (const u8 *)memory < after->first + after->second;
}

// setting is a number from the environment.
static int setting(const char *name, int otherwise) {
	const char *text = getenv(name);
	return text && *text ? atoi(text) : otherwise;
}

static size_t total() { return (size_t)setting("CAREBOT_EMULATOR_MEMORY", 4096) << 20; }

static bool hidden() {
	const char *visible = getenv("CUDA_VISIBLE_DEVICES");
	return visible && !*visible;
}

extern "C" {

int cuStreamSynchronize(Handle);

int cuInit(unsigned) { return hidden() ? NO_DEVICE : SUCCESS; }

int cuDriverGetVersion(int *version) {
	*version = setting("CAREBOT_EMULATOR_DRIVER", 12090);
	return SUCCESS;
}

int cuDeviceGetCount(int *count) {
	*count = 1;
	return SUCCESS;
}

int cuDeviceGet(int *device, int ordinal) {
	*device = 0;
	return ordinal == 0 ? SUCCESS : INVALID_DEVICE;
}

int cuDeviceGetName(char *name, int size, int) {
	snprintf(name, size, "CPU emulation (not a GPU)");
	return SUCCESS;
}

int cuDeviceTotalMem_v2(size_t *bytes, int) {
	*bytes = total();
	return SUCCESS;
}

int cuDeviceGetAttribute(int *value, int attribute, int) {
	int capability = setting("CAREBOT_EMULATOR_CAPABILITY", 0);
	const std::map<int, int> attributes = {
		{1, 1024}, {10, 32}, {13, 1000000}, {16, 2}, {75, capability / 10}, {76, capability % 10}, {97, (int)MOST_SHARED},
	};
	auto found = attributes.find(attribute);
	*value = found == attributes.end() ? 0 : found->second;
	return SUCCESS;
}

int cuDevicePrimaryCtxRetain(Handle *context, int) {
	*context = CONTEXT;
	return planted("cuDevicePrimaryCtxRetain");
}

int cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }

int cuCtxSetCurrent(Handle context) {
	current_context = context;
	return SUCCESS;
}

int cuCtxGetCurrent(Handle *context) {
	*context = current_context;
	return SUCCESS;
}

int cuCtxSynchronize() { return current_context ? emulator::finish() : INVALID_CONTEXT; }

int cuMemAlloc_v2(Address *at, size_t bytes) {
	if (!current_context) return INVALID_CONTEXT;
	if (bytes == 0) return INVALID_VALUE;
	if (emulator::failed()) return emulator::failed();
	if (emulator::recording()) return CAPTURE_UNSUPPORTED;
	if (int code = planted("cuMemAlloc")) return code;
	std::lock_guard<std::mutex> guard(lock);
	if (bytes > total() - used) return OUT_OF_MEMORY;
	void *memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
	if (!memory) return OUT_OF_MEMORY;
	memset(memory, 0xff, bytes);
	*at = (Address)memory;
	allocations[*at] = bytes;
	used += bytes;
	return SUCCESS;
}

int cuMemFree_v2(Address at) {
	if (int code = emulator::finish()) return code;
	std::lock_guard<std::mutex> guard(lock);
	auto found = allocations.find(at);
	if (found == allocations.end()) return INVALID_VALUE;
	used -= found->second;
	allocations.erase(found);
	free((void *)at);
	return SUCCESS;
}

int cuMemGetInfo_v2(size_t *free_bytes, size_t *all) {
	*free_bytes = total() - used;
	*all = total();
	return SUCCESS;
}

int cuMemcpyHtoD_v2(Address to, const void *from, size_t bytes) {
	if (!within_allocation(to, bytes)) return INVALID_VALUE;
	memcpy((void *)to, from, bytes);
	return SUCCESS;
}

int cuMemcpyDtoH_v2(void *to, Address from, size_t bytes) {
	if (!within_allocation(from, bytes)) return INVALID_VALUE;
	memcpy(to, (void *)from, bytes);
	return SUCCESS;
}

int cuMemcpyDtoD_v2(Address to, Address from, size_t bytes) {
	if (!within_allocation(from, bytes) || !within_allocation(to, bytes)) return INVALID_VALUE;
	memmove((void *)to, (void *)from, bytes);
	return SUCCESS;
}

int cuMemHostAlloc(void **memory, size_t bytes, unsigned) {
	if (!current_context) return INVALID_CONTEXT;
	*memory = malloc(bytes);
	memset(*memory, 0xff, bytes);
	std::lock_guard<std::mutex> guard(lock);
	pinned[(u8 *)*memory] = bytes;
	return SUCCESS;
}

int cuMemFreeHost(void *memory) {
	if (int code = emulator::finish()) return code;
	std::lock_guard<std::mutex> guard(lock);
	if (!pinned.erase((u8 *)memory)) return INVALID_VALUE;
	free(memory);
	return SUCCESS;
}

// Copies from and to memory that is not pinned are done with the source, or with everything, on return.
int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, Handle stream) {
	if (!within_allocation(to, bytes)) return INVALID_VALUE;
	if (is_pinned(from)) return submit(stream, [=] { return cuMemcpyHtoD_v2(to, from, bytes); });
	std::vector<u8> copy((const u8 *)from, (const u8 *)from + bytes);
	return submit(stream, [=] { return cuMemcpyHtoD_v2(to, copy.data(), bytes); });
}

int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, Handle stream) {
	if (!within_allocation(from, bytes)) return INVALID_VALUE;
	int code = submit(stream, [=] { return cuMemcpyDtoH_v2(to, from, bytes); });
	return code || is_pinned(to) ? code : cuStreamSynchronize(stream);
}

int cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, Handle stream) {
	if (!within_allocation(from, bytes) || !within_allocation(to, bytes)) return INVALID_VALUE;
	return submit(stream, [=] { return cuMemcpyDtoD_v2(to, from, bytes); });
}

int cuMemsetD8_v2(Address at, unsigned char value, size_t n) {
	if (!within_allocation(at, n)) return INVALID_VALUE;
	memset((void *)at, value, n);
	return SUCCESS;
}

int cuMemsetD8Async(Address at, unsigned char value, size_t n, Handle stream) {
	if (!within_allocation(at, n)) return INVALID_VALUE;
	return submit(stream, [=] { return cuMemsetD8_v2(at, value, n); });
}

int cuMemsetD32Async(Address at, unsigned value, size_t n, Handle stream) {
	if (!within_allocation(at, 4 * n)) return INVALID_VALUE;
	return submit(stream, [=] {
		for (size_t i = 0; i < n; i++) ((u32 *)at)[i] = value;
		return SUCCESS;
	});
}

int cuModuleLoadData(Handle *module, const void *image) {
	*module = MODULE;
	return image ? planted("cuModuleLoadData") : INVALID_IMAGE;
}

int cuModuleUnload(Handle) { return SUCCESS; }

int cuModuleGetFunction(Handle *function, Handle, const char *name) {
	*function = (Handle)emulator::find(name);
	return *function ? SUCCESS : NOT_FOUND;
}

int cuFuncSetAttribute(Handle, int, int value) { return value > (int)MOST_SHARED ? INVALID_VALUE : SUCCESS; }

int cuLaunchKernel(Handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
	unsigned shared, Handle stream, void **arguments, void **) {
	if (!function) return INVALID_HANDLE;
	if (!gx || !gy || !gz || shared > MOST_SHARED) return INVALID_VALUE;
	auto kernel = (emulator::Kernel)function;
	std::array<u64, MOST_ARGUMENTS> values;
	unsigned count = emulator::arity(kernel);
	for (unsigned i = 0; i < count; i++) values[i] = *(u64 *)arguments[i];
	int code = planted("cuLaunchKernel");
	return submit(stream, [=]() mutable {
		void *boxes[MOST_ARGUMENTS];
		for (unsigned i = 0; i < count; i++) boxes[i] = &values[i];
		return code ? code : emulator::launch(kernel, {gx, gy, gz}, {bx, by, bz}, shared, boxes);
	});
}

} // extern "C"
