// Tests of the driver: one case, which the argument names; the environment is the caller's.
#include "check.h"

static const size_t N = 1000;

struct Rig {
	CUcontext context = open_context();
	CUstream a, b;
	CUevent event;
	CUfunction add = function("adds_one");
	CUdeviceptr x = upload(std::vector<float>(N));

	Rig() {
		SUCCEED(cuStreamCreate(&a, CU_STREAM_NON_BLOCKING));
		SUCCEED(cuStreamCreate(&b, CU_STREAM_NON_BLOCKING));
		SUCCEED(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
	}
	void add_one(CUstream stream) { SUCCEED(launch(add, 4, 64, 0, stream, x, N)); }
	float first() { return download<float>(x, 1)[0]; }
};

static float *pinned(float value) {
	float *memory;
	SUCCEED(cuMemHostAlloc((void **)&memory, 4 * N, 0));
	for (size_t i = 0; i < N; i++) memory[i] = value;
	return memory;
}

static void test_streams() {
	Rig r;
	r.add_one(r.a);
	SUCCEED(cuStreamSynchronize(r.a));
	TRUE(r.first() == 1);
	r.add_one(nullptr);
	TRUE(r.first() == 2);
	r.add_one(r.a);
	SUCCEED(cuCtxSynchronize());
	TRUE(r.first() == 3);
	r.add_one(r.a);
	CUresult code = cuStreamQuery(r.a);
	TRUE(code == CUDA_SUCCESS || code == CUDA_ERROR_NOT_READY);
	SUCCEED(cuStreamQuery(r.a));
	TRUE(r.first() == 4);
}

static void test_events() {
	Rig r;
	SUCCEED(cuStreamWaitEvent(r.b, r.event, 0)); // never recorded
	r.add_one(r.a);
	SUCCEED(cuEventRecord(r.event, r.a));
	SUCCEED(cuStreamWaitEvent(r.b, r.event, 0));
	r.add_one(r.b);
	SUCCEED(cuStreamSynchronize(r.b));
	TRUE(r.first() == 2);
	r.add_one(r.a);
	SUCCEED(cuEventRecord(r.event, r.a));
	r.add_one(r.a);
	SUCCEED(cuEventSynchronize(r.event));
	TRUE(r.first() >= 3);
	float elapsed;
	ANSWER(CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime(&elapsed, r.event, r.event));
}

// What a missing wait does, which only lazy streams show: 1 where it shows, as laziness 1 must.
static void test_missing_wait() {
	Rig r;
	r.add_one(r.a);
	SUCCEED(cuStreamSynchronize(r.b));
	TRUE(r.first() == 1);
}

// The next upload overtakes the kernel that still wants the last one, in laziness 2.
static void test_upload_too_early() {
	Rig r;
	float *memory = pinned(100);
	r.add_one(r.a);
	SUCCEED(cuMemcpyHtoDAsync(r.x, memory, 4 * N, r.b));
	SUCCEED(cuStreamSynchronize(r.a));
	SUCCEED(cuStreamSynchronize(r.b));
	TRUE(r.first() == 100);
}

static void test_pinned_buffer_changed_too_early() {
	Rig r;
	float *memory = pinned(5);
	SUCCEED(cuMemcpyHtoDAsync(r.x, memory, 4 * N, r.a));
	memory[0] = 6;
	SUCCEED(cuStreamSynchronize(r.a));
	TRUE(r.first() == 5);
}

static void test_copies() {
	Rig r;
	std::vector<float> pageable(N, 7);
	SUCCEED(cuMemcpyHtoDAsync(r.x, pageable.data(), 4 * N, r.a));
	pageable[0] = 8; // has been read
	r.add_one(r.a);
	SUCCEED(cuMemcpyDtoHAsync(pageable.data(), r.x, 4 * N, r.a)); // is there when the call returns
	TRUE(pageable[0] == 8 && pageable[N - 1] == 8);
	SUCCEED(cuMemsetD32Async(r.x, 0x40000000, N, r.a));
	float *memory = pinned(0);
	SUCCEED(cuMemcpyDtoHAsync(memory, r.x, 4 * N, r.a));
	SUCCEED(cuStreamSynchronize(r.a));
	TRUE(memory[N - 1] == 2);
	ANSWER(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoDAsync(r.x, memory, 4 * N + 1, r.a));
	ANSWER(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoD(r.x + 4, r.x, 4 * N));
	SUCCEED(cuMemFreeHost(memory));
	ANSWER(CUDA_ERROR_INVALID_VALUE, cuMemFreeHost(memory));
}

static CUgraphExec captured(Rig &r) {
	CUgraph graph;
	CUgraphExec executable;
	size_t nodes;
	SUCCEED(cuStreamBeginCapture(r.a, CU_STREAM_CAPTURE_MODE_GLOBAL));
	r.add_one(r.a);
	SUCCEED(cuEventRecord(r.event, r.a));
	SUCCEED(cuStreamWaitEvent(r.b, r.event, 0));
	r.add_one(r.b);
	SUCCEED(cuEventRecord(r.event, r.b));
	SUCCEED(cuStreamWaitEvent(r.a, r.event, 0));
	SUCCEED(cuStreamEndCapture(r.a, &graph));
	SUCCEED(cuGraphGetNodes(graph, nullptr, &nodes));
	TRUE(nodes == 2);
	SUCCEED(cuGraphInstantiate(&executable, graph, 0));
	SUCCEED(cuGraphDestroy(graph));
	return executable;
}

static void test_graphs() {
	Rig r;
	CUgraphExec executable = captured(r);
	TRUE(r.first() == 0);
	for (int i = 0; i < 3; i++) SUCCEED(cuGraphLaunch(executable, r.a));
	r.add_one(r.a);
	SUCCEED(cuStreamSynchronize(r.a));
	TRUE(r.first() == 7);
	r.add_one(r.b); // is captured no more
	SUCCEED(cuStreamSynchronize(r.b));
	TRUE(r.first() == 8);
	SUCCEED(cuGraphExecDestroy(executable));
	ANSWER(CUDA_ERROR_INVALID_HANDLE, cuGraphLaunch(executable, r.a));
}

static void test_graph_of_freed_memory() {
	Rig r;
	CUgraphExec executable = captured(r);
	SUCCEED(cuGraphLaunch(executable, r.a));
	SUCCEED(cuStreamSynchronize(r.a));
	SUCCEED(cuMemFree(r.x));
	cuGraphLaunch(executable, r.a);
	SUCCEED(cuStreamSynchronize(r.a));
}

static void test_spoilt_capture() {
	Rig r;
	CUgraph graph;
	CUdeviceptr memory;
	SUCCEED(cuStreamBeginCapture(r.a, CU_STREAM_CAPTURE_MODE_GLOBAL));
	ANSWER(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemAlloc(&memory, 100));
	ANSWER(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamSynchronize(r.a));
	ANSWER(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, cuStreamEndCapture(r.b, &graph));
	ANSWER(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(r.a, &graph));
	SUCCEED(cuStreamBeginCapture(r.a, CU_STREAM_CAPTURE_MODE_GLOBAL));
	ANSWER(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamQuery(r.a));
	ANSWER(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemcpyDtoH(&memory, r.x, 4));
	ANSWER(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(r.a, &graph));
	r.add_one(r.a);
	SUCCEED(cuStreamSynchronize(r.a));
}

static void test_errors() {
	Rig r;
	CUmodule module;
	CUfunction unknown;
	const char *name;
	SUCCEED(cuModuleLoadData(&module, "kernels"));
	ANSWER(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&unknown, module, "no_such_kernel"));
	ANSWER(CUDA_ERROR_INVALID_VALUE, launch(r.add, 1, 1025, 0, r.a, r.x, N));
	ANSWER(CUDA_ERROR_INVALID_VALUE, launch(r.add, 0, 32, 0, r.a, r.x, N));
	ANSWER(CUDA_ERROR_INVALID_VALUE, launch(r.add, 1, 32, 49 << 10, r.a, r.x, N));
	SUCCEED(cuFuncSetAttribute(r.add, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 49 << 10));
	SUCCEED(launch(r.add, 1, 32, 49 << 10, r.a, r.x, N));
	ANSWER(CUDA_ERROR_INVALID_VALUE,
		cuFuncSetAttribute(r.add, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 228 << 10));
	SUCCEED(cuModuleUnload(module));
	ANSWER(CUDA_ERROR_INVALID_HANDLE, cuModuleUnload(module));
	SUCCEED(cuStreamDestroy(r.b));
	ANSWER(CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize(r.b));
	ANSWER(CUDA_ERROR_INVALID_HANDLE, launch((CUfunction)r.a, 1, 32, 0, r.a, r.x, N));
	ANSWER(CUDA_ERROR_INVALID_VALUE, cuMemFree(r.x + 4));
	SUCCEED(cuGetErrorName(CUDA_ERROR_OUT_OF_MEMORY, &name));
	TRUE(!strcmp(name, "CUDA_ERROR_OUT_OF_MEMORY"));
	SUCCEED(cuMemFree(r.x));
	ANSWER(CUDA_ERROR_INVALID_VALUE, cuMemFree(r.x));
	SUCCEED(cuCtxSetCurrent(nullptr));
	ANSWER(CUDA_ERROR_INVALID_CONTEXT, cuCtxSynchronize());
}

// CAREBOT_EMULATOR_MEMORY=1000000, _USED=400000
static void test_memory() {
	open_context();
	CUdeviceptr at, more;
	size_t left, total;
	SUCCEED(cuMemGetInfo(&left, &total));
	TRUE(left == 600000 && total == 1000000);
	ANSWER(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc(&at, 600001));
	SUCCEED(cuMemAlloc(&at, 600000));
	ANSWER(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc(&more, 1));
	TRUE(download<unsigned>(at, 10)[9] == 0xffffffff);
	SUCCEED(cuMemFree(at));
	SUCCEED(cuMemAlloc(&more, 600000));
}

// CAREBOT_EMULATOR_FAIL=launch:3
static void test_lost_device() {
	Rig r;
	r.add_one(r.a);
	r.add_one(r.a);
	CUresult code = launch(r.add, 1, 32, 0, r.a, r.x, N); // a lazy stream fails later
	TRUE(code == CUDA_SUCCESS || code == CUDA_ERROR_LAUNCH_FAILED);
	ANSWER(CUDA_ERROR_LAUNCH_FAILED, cuStreamSynchronize(r.a));
	ANSWER(CUDA_ERROR_LAUNCH_FAILED, cuMemFree(r.x));
	ANSWER(CUDA_ERROR_LAUNCH_FAILED, cuStreamCreate(&r.b, 0));
	unsetenv("CAREBOT_EMULATOR_FAIL");
	SUCCEED(cuDevicePrimaryCtxRelease(0));
	Rig again;
	again.add_one(again.a);
	SUCCEED(cuStreamSynchronize(again.a));
}

// Touches memory that has been freed.
static void test_use_after_free() {
	Rig r;
	CUdeviceptr x = r.x;
	SUCCEED(cuMemFree(r.x));
	TRUE(launch(r.add, 1, 32, 0, r.a, x, N) == CUDA_SUCCESS);
	SUCCEED(cuStreamSynchronize(r.a));
}

// CAREBOT_EMULATOR_VERSION=11080, CAREBOT_EMULATOR_CAPABILITY=7.5
static void test_old_driver() {
	int version, major, minor, shared;
	CUmodule module;
	open_context();
	SUCCEED(cuDriverGetVersion(&version));
	SUCCEED(cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0));
	SUCCEED(cuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0));
	SUCCEED(cuDeviceGetAttribute(&shared, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 0));
	TRUE(version == 11080 && major == 7 && minor == 5 && shared == 65536);
	ANSWER(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, cuModuleLoadData(&module, "kernels"));
}

// CUDA_VISIBLE_DEVICES is empty.
static void test_no_device() {
	int count;
	ANSWER(CUDA_ERROR_NO_DEVICE, cuInit(0));
	SUCCEED(cuDeviceGetCount(&count));
	TRUE(count == 0);
}

// CAREBOT_EMULATOR_LEAKS=1: the caller reads the report.
static void test_leaks() {
	Rig r;
	SUCCEED(cuDevicePrimaryCtxRelease(0));
}

#define CASE(name) \
	if (!strcmp(arguments[1], #name)) return test_##name(), 0;

int main(int, char **arguments) {
	CASE(streams)
	CASE(events)
	CASE(missing_wait)
	CASE(upload_too_early)
	CASE(pinned_buffer_changed_too_early)
	CASE(copies)
	CASE(graphs)
	CASE(spoilt_capture)
	CASE(graph_of_freed_memory)
	CASE(errors)
	CASE(memory)
	CASE(lost_device)
	CASE(use_after_free)
	CASE(old_driver)
	CASE(no_device)
	CASE(leaks)
	fail("no such case", __LINE__);
}
