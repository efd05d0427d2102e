// Modules, their functions and launches.
#include "driver.h"

#include "internal.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

using namespace driver;
using emulator::Kernel;

struct CUfunc_st {
	const Kernel *kernel;
	unsigned allowed = 48 << 10; // bytes of dynamic shared memory
};

// A module has the kernels of the family that its image names; of an image that names none, all.
struct CUmod_st {
	std::string family;
	std::map<const Kernel *, CUfunc_st> functions;
};

namespace driver {

static std::set<CUmodule> modules;
static std::set<CUfunction> functions; // of all modules

void forget_modules() {
	for (CUmodule module : modules) delete module;
	modules.clear(), functions.clear();
}

static CUresult load(CUmodule *module, const void *image) {
	enum { LONGEST_NAME = 64 };
	if (!image) return CUDA_ERROR_INVALID_VALUE;
	if (forbidden_in_capture()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	if (CUresult code = planted("cuModuleLoadData")) return code;
	if (number("CAREBOT_EMULATOR_VERSION", 12090) < 12000) return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
	std::string name((const char *)image, strnlen((const char *)image, LONGEST_NAME));
	*module = new CUmod_st{emulator::is_family(name) ? name : ""};
	modules.insert(*module);
	return CUDA_SUCCESS;
}

// lost_by_wish counts launches as CAREBOT_EMULATOR_FAIL=launch:N asks for.
static bool lost_by_wish() {
	static std::string seen;
	static unsigned long long count;
	const char *wish = getenv("CAREBOT_EMULATOR_FAIL");
	if (!wish || strncmp(wish, "launch:", 7)) return false;
	if (seen != wish) seen = wish, count = 0;
	return ++count >= strtoull(wish + 7, nullptr, 10);
}

static CUresult check(const CUfunc_st &f, const emulator::Launch &l) {
	const dim3 &g = l.grid, &b = l.block;
	if (!g.x || !g.y || !g.z || !b.x || !b.y || !b.z) return CUDA_ERROR_INVALID_VALUE;
	if (g.x > 0x7fffffff || g.y > 65535 || g.z > 65535) return CUDA_ERROR_INVALID_VALUE;
	if (b.x > 1024 || b.y > 1024 || b.z > 64 || b.x * b.y * b.z > 1024) return CUDA_ERROR_INVALID_VALUE;
	return l.shared > f.allowed ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

static CUresult launch(const CUfunc_st &f, emulator::Launch l, void **arguments, CUstream stream) {
	const Kernel &k = *f.kernel;
	if (CUresult code = check(f, l)) return code;
	if (!arguments && !k.sizes.empty()) return CUDA_ERROR_INVALID_VALUE;
	for (size_t i = 0; i < k.sizes.size(); i++) {
		u64 box = 0;
		memcpy(&box, arguments[i], k.sizes[i]);
		l.arguments.push_back(box);
	}
	return enqueue(stream, [l] { return lost_by_wish() ? CUDA_ERROR_LAUNCH_FAILED : (CUresult)emulator::run(l); });
}

static CUresult get_attribute(int *value, int attribute, const CUfunc_st &f) {
	switch (attribute) {
	case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: *value = 1024; break;
	case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: *value = f.allowed; break;
	default: *value = 0;
	}
	return CUDA_SUCCESS;
}

static CUresult set_attribute(CUfunc_st &f, int attribute, int value) {
	if (attribute == CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) return CUDA_SUCCESS;
	if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return CUDA_ERROR_NOT_SUPPORTED;
	if (value < 0 || value > (int)most_shared()) return CUDA_ERROR_INVALID_VALUE;
	f.allowed = value;
	return CUDA_SUCCESS;
}

} // namespace driver

CUresult cuModuleLoadData(CUmodule *module, const void *image) {
	return in_context([&] { return load(module, image); });
}

CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned, CUjit_option *, void **) {
	return cuModuleLoadData(module, image);
}

CUresult cuModuleUnload(CUmodule module) {
	return in_context([&] {
		if (!modules.erase(module)) return CUDA_ERROR_INVALID_HANDLE;
		drain_all();
		for (auto &f : module->functions) functions.erase(&f.second);
		delete module;
		return CUDA_SUCCESS;
	});
}

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
	return in_context([&] {
		if (!modules.count(module)) return CUDA_ERROR_INVALID_HANDLE;
		const Kernel *k = emulator::find(module->family, name);
		if (!k) return CUDA_ERROR_NOT_FOUND;
		*function = &module->functions.insert({k, {k}}).first->second;
		functions.insert(*function);
		return CUDA_SUCCESS;
	});
}

CUresult cuFuncGetAttribute(int *value, CUfunction_attribute attribute, CUfunction function) {
	return in_context([&] {
		return functions.count(function) ? get_attribute(value, attribute, *function) : CUDA_ERROR_INVALID_HANDLE;
	});
}

CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
	return in_context([&] {
		return functions.count(function) ? set_attribute(*function, attribute, value) : CUDA_ERROR_INVALID_HANDLE;
	});
}

CUresult cuFuncSetCacheConfig(CUfunction, CUfunc_cache) { return CUDA_SUCCESS; }

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction function, int threads, size_t shared) {
	return in_context([&] {
		if (!functions.count(function)) return CUDA_ERROR_INVALID_HANDLE;
		if (threads < 1) return CUDA_ERROR_INVALID_VALUE;
		size_t by_threads = 2048 / threads, by_shared = (most_shared() + 1024) / (shared + 1024);
		*blocks = (int)(by_threads < by_shared ? by_threads : by_shared);
		return CUDA_SUCCESS;
	});
}

CUresult cuLaunchKernel(CUfunction function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
	unsigned bz, unsigned shared, CUstream stream, void **arguments, void **extra) {
	return in_context([&] {
		if (!functions.count(function) || !is_stream(stream)) return CUDA_ERROR_INVALID_HANDLE;
		if (extra) return CUDA_ERROR_NOT_SUPPORTED;
		return launch(*function, {function->kernel, {gx, gy, gz}, {bx, by, bz}, shared, {}}, arguments, stream);
	});
}

CUresult cuLaunchKernelEx(const CUlaunchConfig *c, CUfunction function, void **arguments, void **extra) {
	for (unsigned i = 0; i < c->numAttrs; i++) {
		const CUlaunchAttribute &a = c->attrs[i];
		const auto &cluster = a.value.clusterDim;
		if (a.id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION && cluster.x * cluster.y * cluster.z != 1)
			return CUDA_ERROR_NOT_SUPPORTED;
	}
	return cuLaunchKernel(function, c->gridDimX, c->gridDimY, c->gridDimZ, c->blockDimX, c->blockDimY, c->blockDimZ,
		c->sharedMemBytes, c->hStream, arguments, extra);
}
