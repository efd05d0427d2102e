// What the test programs have in common. Each runs the case that its first argument names, prints what went wrong, and
// answers 1 if something did.
#pragma once
#include "../../include/cuda.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#define SUCCEED(call) expect(CUDA_SUCCESS, call, #call, __LINE__)
#define ANSWER(code, call) expect(code, call, #call, __LINE__)
#define TRUE(claim) \
	if (!(claim)) fail(#claim, __LINE__)

[[noreturn]] inline void fail(const char *what, int line) {
	printf("line %d: %s\n", line, what);
	exit(1);
}

inline void expect(CUresult want, CUresult got, const char *call, int line) {
	if (got == want) return;
	printf("line %d: %s answers %d, want %d\n", line, call, got, want);
	exit(1);
}

inline CUcontext open_context() {
	CUcontext context;
	SUCCEED(cuInit(0));
	SUCCEED(cuDevicePrimaryCtxRetain(&context, 0));
	SUCCEED(cuCtxSetCurrent(context));
	return context;
}

inline CUfunction function(const char *name) {
	CUmodule module;
	CUfunction found;
	SUCCEED(cuModuleLoadData(&module, "kernels"));
	SUCCEED(cuModuleGetFunction(&found, module, name));
	return found;
}

template <class... A>
CUresult launch(CUfunction f, unsigned blocks, unsigned threads, unsigned shared, CUstream stream, A... arguments) {
	void *at[] = {&arguments...};
	return cuLaunchKernel(f, blocks, 1, 1, threads, 1, 1, shared, stream, at, nullptr);
}

template <class T>
CUdeviceptr upload(const std::vector<T> &values) {
	CUdeviceptr at;
	SUCCEED(cuMemAlloc(&at, values.size() * sizeof(T)));
	SUCCEED(cuMemcpyHtoD(at, values.data(), values.size() * sizeof(T)));
	return at;
}

template <class T>
std::vector<T> download(CUdeviceptr at, size_t n) {
	std::vector<T> values(n);
	SUCCEED(cuMemcpyDtoH(values.data(), at, n * sizeof(T)));
	return values;
}
