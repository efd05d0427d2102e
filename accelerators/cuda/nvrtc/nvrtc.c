//go:build cuda

#include "nvrtc.h"

#include <dlfcn.h>

const char *nvrtc_open(nvrtc_functions *f, const char *file) {
	f->library = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
	return f->library ? NULL : dlerror();
}

const char *nvrtc_bind(nvrtc_functions *f) {
	const struct {
		const char *name;
		void *function;
	} all[] = {
		{"nvrtcGetErrorString", &f->error},
		{"nvrtcVersion", &f->version},
		{"nvrtcCreateProgram", &f->create},
		{"nvrtcDestroyProgram", &f->destroy},
		{"nvrtcCompileProgram", &f->compile},
		{"nvrtcGetProgramLogSize", &f->size[NVRTC_LOG]},
		{"nvrtcGetProgramLog", &f->read[NVRTC_LOG]},
		{"nvrtcGetPTXSize", &f->size[NVRTC_PTX]},
		{"nvrtcGetPTX", &f->read[NVRTC_PTX]},
		{"nvrtcGetCUBINSize", &f->size[NVRTC_CUBIN]},
		{"nvrtcGetCUBIN", &f->read[NVRTC_CUBIN]},
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		void *found = dlsym(f->library, all[i].name);
		if (!found) return all[i].name;
		*(void **)all[i].function = found;
	}
	return NULL;
}

const char *nvrtc_error(nvrtc_functions *f, int code) { return f->error(code); }

int nvrtc_version(nvrtc_functions *f, int *major, int *minor) { return f->version(major, minor); }

int nvrtc_create(nvrtc_functions *f, nvrtc_program *program, const char *source, const char *name) {
	return f->create(program, source, name, 0, NULL, NULL);
}

int nvrtc_destroy(nvrtc_functions *f, nvrtc_program *program) { return f->destroy(program); }

int nvrtc_compile(nvrtc_functions *f, nvrtc_program program, int count, char **options) {
	return f->compile(program, count, (const char *const *)options);
}

int nvrtc_size(nvrtc_functions *f, nvrtc_program program, nvrtc_output what, size_t *size) {
	return f->size[what](program, size);
}

int nvrtc_read(nvrtc_functions *f, nvrtc_program program, nvrtc_output what, char *to) {
	return f->read[what](program, to);
}
