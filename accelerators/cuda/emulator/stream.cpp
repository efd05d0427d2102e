#include "stream.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace emulator {

enum { SUCCESS = 0, INVALID_HANDLE = 400, NOT_READY = 600, CAPTURE_UNSUPPORTED = 900, CAPTURE_UNMATCHED = 903 };

struct Graph {
	std::vector<Work> works;
};

struct Stream {
	std::deque<Work> waiting;
	size_t submitted = 0, done = 0;
	std::unique_ptr<Graph> recorded; // while it records
};

// A Mark is a place in a stream.
struct Mark {
	Stream *stream;
	size_t at;
	double milliseconds;
};

struct Event {
	std::shared_ptr<Mark> mark; // none before it is recorded
};

static std::recursive_mutex lock;
typedef std::lock_guard<std::recursive_mutex> Guard;
static std::set<Stream *> streams;
static int failure;

static void advance(Stream *stream, size_t until) {
	while (stream->done < until && !failure && streams.count(stream)) {
		Work work = std::move(stream->waiting.front());
		stream->waiting.pop_front();
		stream->done++;
		int code = work();
		if (code && !failure) failure = code;
	}
}

int submit(Handle handle, Work work) {
	Guard guard(lock);
	if (failure) return failure;
	Stream *stream = (Stream *)handle;
	if (!streams.count(stream)) return INVALID_HANDLE;
	if (stream->recorded) {
		stream->recorded->works.push_back(std::move(work));
		return SUCCESS;
	}
	stream->waiting.push_back(std::move(work));
	stream->submitted++;
	return SUCCESS;
}

int finish() {
	Guard guard(lock);
	if (recording()) return CAPTURE_UNSUPPORTED;
	for (Stream *stream : streams) advance(stream, stream->submitted);
	return failure;
}

int failed() {
	Guard guard(lock);
	return failure;
}

bool recording() {
	Guard guard(lock);
	for (Stream *stream : streams)
		if (stream->recorded) return true;
	return false;
}

int planted(const char *function) {
	static std::string last;
	static int calls;
	Guard guard(lock);
	const char *wish = getenv("CAREBOT_EMULATOR_FAIL");
	char name[64];
	int code, number = 0;
	if (!wish || sscanf(wish, "%63[^:]:%d:%d", name, &code, &number) < 2 || std::string(name) != function) return SUCCESS;
	if (last != wish) {
		last = wish;
		calls = 0;
	}
	calls++;
	return number == 0 || number == calls ? code : SUCCESS;
}

static double now() {
	auto time = std::chrono::steady_clock::now().time_since_epoch();
	return std::chrono::duration<double, std::milli>(time).count();
}

extern "C" {

int cuStreamCreate(Handle *handle, unsigned) {
	Guard guard(lock);
	Stream *stream = new Stream;
	streams.insert(stream);
	*handle = stream;
	return SUCCESS;
}

int cuStreamSynchronize(Handle handle) {
	Guard guard(lock);
	Stream *stream = (Stream *)handle;
	if (!streams.count(stream)) return INVALID_HANDLE;
	if (recording()) return CAPTURE_UNSUPPORTED;
	if (int code = planted("cuStreamSynchronize")) failure = code;
	advance(stream, stream->submitted);
	return failure;
}

int cuStreamDestroy_v2(Handle handle) {
	Guard guard(lock);
	int code = cuStreamSynchronize(handle);
	if (streams.erase((Stream *)handle)) delete (Stream *)handle;
	return code;
}

int cuEventCreate(Handle *event, unsigned) {
	*event = new Event;
	return SUCCESS;
}

int cuEventDestroy_v2(Handle event) {
	delete (Event *)event;
	return SUCCESS;
}

int cuEventRecord(Handle event, Handle stream) {
	Guard guard(lock);
	auto mark = std::make_shared<Mark>();
	int code = submit(stream, [mark] {
		mark->milliseconds = now();
		return SUCCESS;
	});
	mark->stream = (Stream *)stream;
	if (!code) mark->at = mark->stream->submitted;
	((Event *)event)->mark = mark;
	return code;
}

int cuEventSynchronize(Handle event) {
	Guard guard(lock);
	if (recording()) return CAPTURE_UNSUPPORTED;
	auto mark = ((Event *)event)->mark;
	if (mark) advance(mark->stream, mark->at);
	return failure;
}

int cuEventQuery(Handle event) {
	Guard guard(lock);
	auto mark = ((Event *)event)->mark;
	if (failure) return failure;
	return mark && streams.count(mark->stream) && mark->stream->done < mark->at ? NOT_READY : SUCCESS;
}

int cuStreamWaitEvent(Handle stream, Handle event, unsigned) {
	Guard guard(lock);
	auto mark = ((Event *)event)->mark;
	return submit(stream, [mark] {
		if (mark) advance(mark->stream, mark->at);
		return SUCCESS;
	});
}

int cuEventElapsedTime(float *milliseconds, Handle from, Handle to) {
	Guard guard(lock);
	auto begin = ((Event *)from)->mark, end = ((Event *)to)->mark;
	if (!begin || !end) return INVALID_HANDLE;
	*milliseconds = (float)(end->milliseconds - begin->milliseconds);
	return SUCCESS;
}

int cuStreamBeginCapture_v2(Handle stream, int) {
	Guard guard(lock);
	if (int code = planted("cuStreamBeginCapture")) return code;
	if (!streams.count((Stream *)stream)) return INVALID_HANDLE;
	((Stream *)stream)->recorded = std::make_unique<Graph>();
	return SUCCESS;
}

int cuStreamEndCapture(Handle stream, Handle *graph) {
	Guard guard(lock);
	*graph = ((Stream *)stream)->recorded.release();
	return *graph ? SUCCESS : CAPTURE_UNMATCHED;
}

int cuGraphDestroy(Handle graph) {
	delete (Graph *)graph;
	return SUCCESS;
}

int cuGraphInstantiateWithFlags(Handle *exec, Handle graph, unsigned long long) {
	if (int code = planted("cuGraphInstantiate")) return code;
	*exec = new Graph(*(Graph *)graph);
	return SUCCESS;
}

int cuGraphExecDestroy(Handle exec) { return cuGraphDestroy(exec); }

int cuGraphLaunch(Handle exec, Handle stream) {
	Guard guard(lock);
	int code = planted("cuGraphLaunch");
	for (const Work &work : ((Graph *)exec)->works)
		if (!code) code = submit(stream, work);
	return code;
}

} // extern "C"

} // namespace emulator
