//go:build cuda

// The driver's functions, defined here as jumps through slots that are filled when the program starts: from the driver
// that dlopen finds, so that a binary links and starts on machines without one. A function that the driver lacks
// answers CUDA_ERROR_NOT_SUPPORTED; all of them answer CUDA_ERROR_NO_DEVICE where there is no driver.
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "symbols.h"
#include "trampolines.h"

enum { NO_DEVICE = 100, NOT_SUPPORTED = 801 };

#define SLOT(name) __attribute__((visibility("hidden"))) void *slot_##name;
SYMBOLS(SLOT)

#if defined(__x86_64__)
#define JUMP(name)                                                 \
	__asm__(".text\n.globl " #name "\n.type " #name ",@function\n" \
	        #name ":\n\tjmp *slot_" #name "(%rip)\n.size " #name ",.-" #name "\n");
#elif defined(__aarch64__)
#define JUMP(name)                                                                        \
	__asm__(".text\n.globl " #name "\n.type " #name ",%function\n"                        \
	        #name ":\n\tadrp x16, slot_" #name "\n\tldr x16, [x16, #:lo12:slot_" #name "]\n" \
	        "\tbr x16\n.size " #name ",.-" #name "\n");
#endif
SYMBOLS(JUMP)

static const struct { const char *name; void **slot; } functions[] = {
#define ENTRY(name) {#name, &slot_##name},
	SYMBOLS(ENTRY)
};

#define COUNT(name) +1
enum { FUNCTIONS = 0 SYMBOLS(COUNT), CALLS = 0 CALLED(COUNT) };

static int (*driver_init)(unsigned);
static int (*driver_count)(int *);
static const char *opened; // the driver's library
static char refusal[256];  // why the first place that was looked at has none
static const char *missing[CALLS];
static int missed;
static int started = NO_DEVICE; // what the driver's own cuInit answered

static int no_device(void) { return NO_DEVICE; }
static int not_supported(void) { return NOT_SUPPORTED; }

static void fill(void *library) {
	for (int i = 0; i < FUNCTIONS; i++) {
		void *function = library ? dlsym(library, functions[i].name) : (void *)no_device;
		if (!function) {
			if (i < CALLS) missing[missed++] = functions[i].name;
			function = (void *)not_supported;
		}
		*functions[i].slot = function;
	}
}

static void *try_open(const char *name) {
	void *library = dlopen(name, RTLD_NOW);
	if (library)
		opened = name;
	else if (!*refusal)
		snprintf(refusal, sizeof refusal, "%s", dlerror());
	return library;
}

// A set CAREBOT_LIBCUDA is the only place that is looked at; empty, it means no driver.
static void *open_driver(void) {
	static const char *places[] = {
		"libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1",
	};
	const char *named = getenv("CAREBOT_LIBCUDA");
	if (named && !*named) snprintf(refusal, sizeof refusal, "CAREBOT_LIBCUDA is empty");
	if (named) return *named ? try_open(named) : NULL;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		void *library = try_open(places[i]);
		if (library) return library;
	}
	return NULL;
}

__attribute__((constructor)) static void load(void) {
	void *library = open_driver();
	fill(library);
	if (!library) return;
	driver_init = (int (*)(unsigned))dlsym(library, "cuInit");
	driver_count = (int (*)(int *))dlsym(library, "cuDeviceGetCount");
}

// close_off lets all functions answer NO_DEVICE but those that a driver answers without having started.
static void close_off(void) {
	void *version = slot_cuDriverGetVersion, *name = slot_cuGetErrorName, *text = slot_cuGetErrorString;
	missed = 0;
	fill(NULL);
	slot_cuDriverGetVersion = version;
	slot_cuGetErrorName = name;
	slot_cuGetErrorString = text;
}

// cuInit never fails, since gorgonia.org/cu calls it before main and ends the process when it does.
int cuInit(unsigned flags) {
	if (driver_init) started = driver_init(flags);
	if (started && opened) close_off();
	return 0;
}

int cuDeviceGetCount(int *count) {
	*count = 0;
	return started || !driver_count ? 0 : driver_count(count);
}

const char *driver_library(void) { return opened; }
const char *driver_refusal(void) { return refusal; }
int driver_started(void) { return started; }
int driver_missing(void) { return missed; }
const char *driver_missing_name(int i) { return missing[i]; }
