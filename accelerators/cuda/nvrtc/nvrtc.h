// The compiler's functions, found in a library that is opened at run time.
#include <stddef.h>

typedef struct nvrtc_program_st *nvrtc_program;

// What a program has made.
typedef enum { NVRTC_LOG, NVRTC_PTX, NVRTC_CUBIN, NVRTC_OUTPUTS } nvrtc_output;

typedef struct {
	void *library; // the last that was opened
	const char *(*error)(int code);
	int (*version)(int *major, int *minor);
	int (*create)(nvrtc_program *program, const char *source, const char *name, int headers, const char *const *texts,
		const char *const *names);
	int (*destroy)(nvrtc_program *program);
	int (*compile)(nvrtc_program program, int count, const char *const *options);
	int (*size[NVRTC_OUTPUTS])(nvrtc_program program, size_t *size);
	int (*read[NVRTC_OUTPUTS])(nvrtc_program program, char *to);
} nvrtc_functions;

// nvrtc_open opens a library; it answers NULL or what is wrong.
const char *nvrtc_open(nvrtc_functions *f, const char *file);
// nvrtc_bind finds the functions in the last library opened; it answers NULL or the name of one that is missing.
const char *nvrtc_bind(nvrtc_functions *f);

const char *nvrtc_error(nvrtc_functions *f, int code);
int nvrtc_version(nvrtc_functions *f, int *major, int *minor);
int nvrtc_create(nvrtc_functions *f, nvrtc_program *program, const char *source, const char *name);
int nvrtc_destroy(nvrtc_functions *f, nvrtc_program *program);
int nvrtc_compile(nvrtc_functions *f, nvrtc_program program, int count, char **options);
int nvrtc_size(nvrtc_functions *f, nvrtc_program program, nvrtc_output what, size_t *size);
int nvrtc_read(nvrtc_functions *f, nvrtc_program program, nvrtc_output what, char *to);
