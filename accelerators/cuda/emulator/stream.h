// Streams do their work as late as they may: when the host waits for it. What reads a result too early then finds it
// missing, and what changes a source too early changes what is copied.
#pragma once
#include <functional>

namespace emulator {

typedef void *Handle;
typedef std::function<int()> Work; // returns a CUresult

// submit adds work to a stream, or to the graph that the stream records.
int submit(Handle stream, Work work);
// finish does all that was submitted to all streams.
int finish();
// failed is the error of work that was done, after which nothing works; 0 while there is none.
int failed();
// recording reports whether a stream records a graph, while which the host must neither wait nor allocate.
bool recording();
// planted is the error that CAREBOT_EMULATOR_FAIL wants of a function: it is NAME:CODE, or NAME:CODE:N for the Nth call
// only, counted from when it was set.
int planted(const char *function);

} // namespace emulator
