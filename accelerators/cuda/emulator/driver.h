// A CUDA driver for tests without a GPU, opened in the place of libcuda.so.1. Device memory is the host's, kernels run
// in the emulator. Functions that are not here are missing, as in an old driver.
//
// Environment, read when it matters:
//
//   CUDA_VISIBLE_DEVICES               empty: there is no device
//   CAREBOT_EMULATOR_SCHEDULE          forward, reverse or shuffled: the order of threads and blocks (machine.cpp)
//   CAREBOT_EMULATOR_LAZY              streams do their work late (streams.cpp)
//   CAREBOT_EMULATOR_MEMORY            bytes of device memory, 4 GiB without it
//   CAREBOT_EMULATOR_USED              bytes of it that other processes hold
//   CAREBOT_EMULATOR_VERSION           of the driver, 12090 without it; before 12000 images are refused
//   CAREBOT_EMULATOR_CAPABILITY        the compute capability; 0.0 without it, for which no images are needed
//   CAREBOT_EMULATOR_FAIL              launch:N: from the N-th launch on since this was set nothing works;
//                                      NAME:CODE: a function that asks planted fails so
//   CAREBOT_EMULATOR_LEAKS             set: what is left when the context ends goes to standard error
#pragma once
#include "../include/cuda.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#pragma GCC visibility push(hidden)

namespace driver {

// A Service is what the calls of the driver have in common: they run one at a time, and once the device is lost all of
// them answer why, until the context is gone.
struct Service {
	std::recursive_mutex lock;
	CUresult lost = CUDA_SUCCESS;
};
extern Service service;
extern thread_local bool has_context;

// anywhere serves a call that needs no context, in_context one that does.
template <class F>
CUresult anywhere(F call) {
	std::lock_guard<std::recursive_mutex> guard(service.lock);
	return call();
}

template <class F>
CUresult in_context(F call) {
	return anywhere([&]() -> CUresult {
		if (!has_context) return CUDA_ERROR_INVALID_CONTEXT;
		if (service.lost) return service.lost;
		return call();
	});
}

// number reads an environment variable.
unsigned long long number(const char *variable, unsigned long long otherwise);
// planted is the error that CAREBOT_EMULATOR_FAIL wants of a function.
CUresult planted(const char *function);
int capability(); // 10*major + minor
unsigned most_shared(); // bytes that a block may have at most

// Work is what a stream does at some time: a copy, a launch, a mark for an event.
typedef std::function<CUresult()> Work;

// enqueue gives work to a stream, or to the graph that captures it.
CUresult enqueue(CUstream stream, Work work);
// now is for calls that do their work before they return: on the stream of stream 0.
CUresult now(Work work);
// drain does all the work of a stream, and what that waits for.
CUresult drain(CUstream stream);
CUresult drain_all();
// forbids tells whether a capture's mode keeps this thread from calls that might disturb it.
bool forbids(CUgraph graph);
// forbidden_in_capture tells whether a capture forbids this thread a call; the call has then spoilt the capture.
bool forbidden_in_capture();

bool is_stream(CUstream stream); // stream 0 is one
void join_graph(CUstream stream, CUgraph graph);
void leave_graph(CUgraph graph);
CUgraph captured_by(CUstream stream);
void record(CUgraph graph, Work work);
void spoil(CUgraph graph);

bool is_pinned(const void *memory);

// What is left of a kind of things, for the report of leaks; and their end with the context.
size_t streams_left(), events_left(), graphs_left(), pinned_left();
void forget_streams();
void forget_graphs();
void forget_modules();

} // namespace driver

#pragma GCC visibility pop
