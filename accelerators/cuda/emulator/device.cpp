// The driver's calls about itself, the device and its context.
#include "driver.h"

#include "arena.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

namespace driver {

Service service;
thread_local bool has_context;

static int retained; // how often the context is

unsigned long long number(const char *variable, unsigned long long otherwise) {
	const char *text = getenv(variable);
	return text && *text ? strtoull(text, nullptr, 10) : otherwise;
}

int capability() {
	int major = 0, minor = 0;
	const char *text = getenv("CAREBOT_EMULATOR_CAPABILITY");
	if (text) sscanf(text, "%d.%d", &major, &minor);
	return 10 * major + minor;
}

unsigned most_shared() {
	switch (capability()) {
	case 75: return 64 << 10;
	case 80: case 87: return 163 << 10;
	case 0: case 90: case 100: return 227 << 10;
	default: return 99 << 10;
	}
}

CUresult planted(const char *function) {
	const char *wish = getenv("CAREBOT_EMULATOR_FAIL");
	size_t length = strlen(function);
	if (!wish || strncmp(wish, function, length) || wish[length] != ':') return CUDA_SUCCESS;
	return (CUresult)atoi(wish + length + 1);
}

static CUcontext the_context() { return (CUcontext)&service; }

static CUresult attribute(int *value, int wanted) {
	const std::map<int, int> attributes = {
		{CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1024},
		{CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X, 1024},
		{CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y, 1024},
		{CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z, 64},
		{CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, 0x7fffffff},
		{CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, 65535},
		{CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z, 65535},
		{CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, 48 << 10},
		{CU_DEVICE_ATTRIBUTE_WARP_SIZE, 32},
		{CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK, 65536},
		{CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 1000000},
		{CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 2},
		{CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, 1000000},
		{CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, 64},
		{CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, 1 << 20},
		{CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR, 2048},
		{CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT, 1},
		{CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING, 1},
		{CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY, 1},
		{CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, capability() / 10},
		{CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, capability() % 10},
		{CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, (int)most_shared() + 1024},
		{CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, (int)most_shared()},
		{CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR, 32},
		{CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK, 1024},
	};
	auto found = attributes.find(wanted);
	*value = found == attributes.end() ? 0 : found->second;
	return CUDA_SUCCESS;
}

static void report_leaks() {
	size_t left[] = {emulator::allocations(), pinned_left(), streams_left(), events_left(), graphs_left()};
	const char *what[] = {"allocations", "pinned allocations", "streams", "events", "graphs"};
	for (int i = 0; i < 5; i++)
		if (left[i]) fprintf(stderr, "emulator: the context ends with %zu %s left\n", left[i], what[i]);
}

// end_context forgets all there is, as the end of the primary context does.
static void end_context() {
	if (getenv("CAREBOT_EMULATOR_LEAKS")) report_leaks();
	forget_streams();
	forget_graphs();
	forget_modules();
	emulator::release_all();
	service.lost = CUDA_SUCCESS;
	retained = 0;
}

struct ErrorText {
	const char *name, *text;
};

static const std::map<int, ErrorText> error_texts = {
	{CUDA_SUCCESS, {"CUDA_SUCCESS", "no error"}},
	{CUDA_ERROR_INVALID_VALUE, {"CUDA_ERROR_INVALID_VALUE", "invalid argument"}},
	{CUDA_ERROR_OUT_OF_MEMORY, {"CUDA_ERROR_OUT_OF_MEMORY", "out of memory"}},
	{CUDA_ERROR_NO_DEVICE, {"CUDA_ERROR_NO_DEVICE", "no CUDA device is there"}},
	{CUDA_ERROR_INVALID_DEVICE, {"CUDA_ERROR_INVALID_DEVICE", "no such device"}},
	{CUDA_ERROR_INVALID_IMAGE, {"CUDA_ERROR_INVALID_IMAGE", "invalid kernel image"}},
	{CUDA_ERROR_INVALID_CONTEXT, {"CUDA_ERROR_INVALID_CONTEXT", "no context, or an invalid one"}},
	{CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
		{"CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the image is of a newer toolkit than the driver's"}},
	{CUDA_ERROR_INVALID_HANDLE, {"CUDA_ERROR_INVALID_HANDLE", "invalid handle"}},
	{CUDA_ERROR_NOT_FOUND, {"CUDA_ERROR_NOT_FOUND", "no such name"}},
	{CUDA_ERROR_NOT_READY, {"CUDA_ERROR_NOT_READY", "not done yet"}},
	{CUDA_ERROR_ILLEGAL_ADDRESS, {"CUDA_ERROR_ILLEGAL_ADDRESS", "a kernel touched an illegal address"}},
	{CUDA_ERROR_MISALIGNED_ADDRESS, {"CUDA_ERROR_MISALIGNED_ADDRESS", "a kernel used a misaligned address"}},
	{CUDA_ERROR_LAUNCH_FAILED, {"CUDA_ERROR_LAUNCH_FAILED", "a kernel failed"}},
	{CUDA_ERROR_NOT_SUPPORTED, {"CUDA_ERROR_NOT_SUPPORTED", "not supported"}},
	{CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
		{"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "not permitted while a stream is captured"}},
	{CUDA_ERROR_STREAM_CAPTURE_INVALIDATED,
		{"CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "an earlier error has spoiled the capture"}},
	{CUDA_ERROR_STREAM_CAPTURE_UNMATCHED,
		{"CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "the capture was not begun on this stream"}},
	{CUDA_ERROR_STREAM_CAPTURE_ISOLATION,
		{"CUDA_ERROR_STREAM_CAPTURE_ISOLATION", "captured work depends on work that is not captured"}},
};

static CUresult error_text(CUresult error, const char **text, const char *ErrorText::*part) {
	auto found = error_texts.find(error);
	*text = found == error_texts.end() ? nullptr : found->second.*part;
	return *text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

} // namespace driver

using namespace driver;

CUresult cuInit(unsigned) {
	const char *visible = getenv("CUDA_VISIBLE_DEVICES");
	return visible && !*visible ? CUDA_ERROR_NO_DEVICE : CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int *version) {
	*version = (int)number("CAREBOT_EMULATOR_VERSION", 12090);
	return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult error, const char **name) { return error_text(error, name, &ErrorText::name); }
CUresult cuGetErrorString(CUresult error, const char **text) { return error_text(error, text, &ErrorText::text); }

CUresult cuDeviceGetCount(int *count) {
	*count = cuInit(0) ? 0 : 1;
	return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice *device, int ordinal) {
	*device = 0;
	return ordinal == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult cuDeviceGetName(char *name, int size, CUdevice) {
	snprintf(name, size, "CPU emulation (not a GPU)");
	return CUDA_SUCCESS;
}

CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice) {
	memcpy(uuid->bytes, "carebot-emulator", sizeof uuid->bytes);
	return CUDA_SUCCESS;
}

CUresult cuDeviceTotalMem(size_t *bytes, CUdevice) {
	*bytes = number("CAREBOT_EMULATOR_MEMORY", 4ull << 30);
	return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute wanted, CUdevice) { return attribute(value, wanted); }

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice) {
	return anywhere([&] {
		if (CUresult code = planted("cuDevicePrimaryCtxRetain")) return code;
		retained++;
		*context = the_context();
		return CUDA_SUCCESS;
	});
}

CUresult cuDevicePrimaryCtxRelease(CUdevice) {
	return anywhere([&] {
		if (!retained) return CUDA_ERROR_INVALID_CONTEXT;
		if (--retained == 0) end_context();
		return CUDA_SUCCESS;
	});
}

CUresult cuDevicePrimaryCtxReset(CUdevice) {
	return anywhere([&] {
		end_context();
		return CUDA_SUCCESS;
	});
}

CUresult cuDevicePrimaryCtxGetState(CUdevice, unsigned *flags, int *active) {
	return anywhere([&] {
		*flags = 0, *active = retained > 0;
		return CUDA_SUCCESS;
	});
}

CUresult cuCtxSetCurrent(CUcontext context) {
	return anywhere([&] {
		if (context && (context != the_context() || !retained)) return CUDA_ERROR_INVALID_CONTEXT;
		has_context = context;
		return CUDA_SUCCESS;
	});
}

CUresult cuCtxGetCurrent(CUcontext *context) {
	*context = has_context ? the_context() : nullptr;
	return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice *device) {
	*device = 0;
	return has_context ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

CUresult cuCtxGetStreamPriorityRange(int *least, int *greatest) {
	*least = *greatest = 0;
	return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize() {
	return in_context([] { return forbidden_in_capture() ? CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED : drain_all(); });
}
