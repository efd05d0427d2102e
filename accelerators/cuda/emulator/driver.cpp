// A CUDA driver for tests without a GPU, opened in the place of libcuda.so.1: device memory is the host's, streams do
// their work at once, kernels run in the emulator. Functions that are not here are missing, as in an old driver.
#include "emulator.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

typedef u64 Address;
typedef void *Handle;

enum {
	SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_IMAGE = 200,
	INVALID_CONTEXT = 201, NOT_FOUND = 500, INVALID_HANDLE = 400,
};

static const size_t TOTAL = 4ull << 30;
static const unsigned MOST_SHARED = 232448;
static Handle const CONTEXT = (Handle)0x1000, MODULE = (Handle)0x2000;

static std::mutex lock;
static std::map<Address, size_t> allocations;
static size_t used;
static thread_local Handle current_context;

static bool within_allocation(Address at, size_t bytes) {
	std::lock_guard<std::mutex> guard(lock);
	auto after = allocations.upper_bound(at);
	if (after == allocations.begin()) return false;
	--after;
	return at + bytes <= after->first + after->second;
}

static bool hidden() {
	const char *visible = getenv("CUDA_VISIBLE_DEVICES");
	return visible && !*visible;
}

extern "C" {

int cuInit(unsigned) { return hidden() ? NO_DEVICE : SUCCESS; }

int cuDriverGetVersion(int *version) {
	*version = 12090;
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
	*bytes = TOTAL;
	return SUCCESS;
}

int cuDeviceGetAttribute(int *value, int attribute, int) {
	static const std::map<int, int> attributes = {
		{1, 1024}, {10, 32}, {16, 2}, {75, 0}, {76, 0}, {97, (int)MOST_SHARED},
	};
	auto found = attributes.find(attribute);
	*value = found == attributes.end() ? 0 : found->second;
	return SUCCESS;
}

int cuDevicePrimaryCtxRetain(Handle *context, int) {
	*context = CONTEXT;
	return SUCCESS;
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

int cuCtxSynchronize() { return current_context ? SUCCESS : INVALID_CONTEXT; }

int cuMemAlloc_v2(Address *at, size_t bytes) {
	if (!current_context) return INVALID_CONTEXT;
	if (bytes == 0) return INVALID_VALUE;
	std::lock_guard<std::mutex> guard(lock);
	if (bytes > TOTAL - used) return OUT_OF_MEMORY;
	void *memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
	if (!memory) return OUT_OF_MEMORY;
	memset(memory, 0xff, bytes);
	*at = (Address)memory;
	allocations[*at] = bytes;
	used += bytes;
	return SUCCESS;
}

int cuMemFree_v2(Address at) {
	std::lock_guard<std::mutex> guard(lock);
	auto found = allocations.find(at);
	if (found == allocations.end()) return INVALID_VALUE;
	used -= found->second;
	allocations.erase(found);
	free((void *)at);
	return SUCCESS;
}

int cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
	*free_bytes = TOTAL - used;
	*total = TOTAL;
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

int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, Handle) { return cuMemcpyHtoD_v2(to, from, bytes); }
int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, Handle) { return cuMemcpyDtoH_v2(to, from, bytes); }
int cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, Handle) { return cuMemcpyDtoD_v2(to, from, bytes); }

int cuMemsetD8_v2(Address at, unsigned char value, size_t n) {
	if (!within_allocation(at, n)) return INVALID_VALUE;
	memset((void *)at, value, n);
	return SUCCESS;
}

int cuMemsetD8Async(Address at, unsigned char value, size_t n, Handle) { return cuMemsetD8_v2(at, value, n); }

int cuMemsetD32Async(Address at, unsigned value, size_t n, Handle) {
	if (!within_allocation(at, 4 * n)) return INVALID_VALUE;
	for (size_t i = 0; i < n; i++) ((u32 *)at)[i] = value;
	return SUCCESS;
}

int cuStreamCreate(Handle *stream, unsigned) {
	*stream = malloc(1);
	return SUCCESS;
}

int cuStreamDestroy_v2(Handle stream) {
	free(stream);
	return SUCCESS;
}

int cuStreamSynchronize(Handle) { return SUCCESS; }
int cuStreamWaitEvent(Handle, Handle, unsigned) { return SUCCESS; }

int cuEventCreate(Handle *event, unsigned) {
	*event = malloc(sizeof(double));
	return SUCCESS;
}

int cuEventDestroy_v2(Handle event) {
	free(event);
	return SUCCESS;
}

int cuEventRecord(Handle event, Handle) {
	auto now = std::chrono::steady_clock::now().time_since_epoch();
	*(double *)event = std::chrono::duration<double, std::milli>(now).count();
	return SUCCESS;
}

int cuEventSynchronize(Handle) { return SUCCESS; }
int cuEventQuery(Handle) { return SUCCESS; }

int cuEventElapsedTime(float *milliseconds, Handle from, Handle to) {
	*milliseconds = (float)(*(double *)to - *(double *)from);
	return SUCCESS;
}

int cuModuleLoadData(Handle *module, const void *image) {
	*module = MODULE;
	return image ? SUCCESS : INVALID_IMAGE;
}

int cuModuleUnload(Handle) { return SUCCESS; }

int cuModuleGetFunction(Handle *function, Handle, const char *name) {
	*function = (Handle)emulator::find(name);
	return *function ? SUCCESS : NOT_FOUND;
}

int cuFuncSetAttribute(Handle, int, int value) { return value > (int)MOST_SHARED ? INVALID_VALUE : SUCCESS; }

int cuLaunchKernel(Handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
	unsigned shared, Handle, void **arguments, void **) {
	if (!function) return INVALID_HANDLE;
	if (!gx || !gy || !gz || shared > MOST_SHARED) return INVALID_VALUE;
	return emulator::launch((emulator::Kernel)function, {gx, gy, gz}, {bx, by, bz}, shared, arguments);
}

} // extern "C"
