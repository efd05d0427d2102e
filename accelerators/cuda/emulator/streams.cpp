// Streams and events. Work waits in its stream's queue and is done when the queue is drained: at once, as a rule. With
// CAREBOT_EMULATOR_LAZY it stays there until somebody waits for it, so that a result that is used, or a buffer that is
// used again, too early shows:
//
//   1   a stream does only what is waited for, and others only what it waits for itself
//   2   as 1, but before a stream does anything the others do all that they can
#include "driver.h"

#include <chrono>
#include <cstdlib>
#include <deque>

namespace driver {
namespace {

// A Moment is one recording of an event.
struct Moment {
	CUstream stream;
	CUgraph graph; // that captured it, if one did
	bool reached = false;
	double at = 0; // milliseconds
};

// An Item of a queue is work, which may have to wait for a moment of another stream.
struct Item {
	Work work;
	std::shared_ptr<Moment> after;
};

} // namespace
} // namespace driver

using namespace driver;

struct CUstream_st {
	unsigned flags;
	std::deque<Item> queue;
	CUgraph graph = nullptr; // that captures it
};

struct CUevent_st {
	unsigned flags;
	std::shared_ptr<Moment> last; // recording
};

namespace driver {

static std::set<CUstream> streams;
static std::set<CUevent> events;

enum Laziness { AT_ONCE, LATE, LATE_AFTER_OTHERS };
enum { LONGEST_QUEUE = 4096 };

static Laziness laziness() { return (Laziness)number("CAREBOT_EMULATOR_LAZY", AT_ONCE); }

size_t streams_left() { return streams.size(); }
size_t events_left() { return events.size(); }

bool is_stream(CUstream stream) { return !stream || streams.count(stream); }

static CUresult do_work(const Work &work) {
	if (service.lost) return service.lost;
	CUresult code = work();
	if (code == CUDA_ERROR_ILLEGAL_ADDRESS || code == CUDA_ERROR_MISALIGNED_ADDRESS || code == CUDA_ERROR_LAUNCH_FAILED)
		service.lost = code;
	return code;
}

static void reach(Moment &moment);

static void do_first(CUstream stream) {
	Item item = std::move(stream->queue.front());
	stream->queue.pop_front();
	if (item.after) reach(*item.after);
	do_work(item.work);
}

static void reach(Moment &moment) {
	while (!moment.reached && !moment.stream->queue.empty()) do_first(moment.stream);
}

static void let_others_go_first(CUstream stream) {
	for (CUstream other : streams)
		while (other != stream && !other->queue.empty()) {
			const auto &after = other->queue.front().after;
			if (after && !after->reached) break;
			do_first(other);
		}
}

CUresult drain(CUstream stream) {
	if (laziness() == LATE_AFTER_OTHERS) let_others_go_first(stream);
	while (!stream->queue.empty()) do_first(stream);
	return service.lost;
}

CUresult drain_all() {
	for (CUstream stream : streams) drain(stream);
	return service.lost;
}

static CUresult add(CUstream stream, Item item) {
	stream->queue.push_back(std::move(item));
	if (laziness() == AT_ONCE || stream->queue.size() > LONGEST_QUEUE) return drain(stream);
	return CUDA_SUCCESS;
}

// now: stream 0 begins when the blocking streams are done, and they begin when it is.
CUresult now(Work work) {
	for (CUstream stream : streams)
		if (!(stream->flags & CU_STREAM_NON_BLOCKING)) drain(stream);
	return do_work(work);
}

CUresult enqueue(CUstream stream, Work work) {
	if (!is_stream(stream)) return CUDA_ERROR_INVALID_HANDLE;
	if (!stream) return forbidden_in_capture() ? CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED : now(work);
	if (stream->graph) {
		record(stream->graph, std::move(work));
		return CUDA_SUCCESS;
	}
	return add(stream, {std::move(work), nullptr});
}

CUgraph captured_by(CUstream stream) { return stream ? stream->graph : nullptr; }
void join_graph(CUstream stream, CUgraph graph) { stream->graph = graph; }

void leave_graph(CUgraph graph) {
	for (CUstream stream : streams)
		if (stream->graph == graph) stream->graph = nullptr;
}

bool forbidden_in_capture() {
	for (CUstream stream : streams)
		if (stream->graph && forbids(stream->graph)) {
			spoil(stream->graph);
			return true;
		}
	return false;
}

void forget_streams() {
	for (CUstream stream : streams) delete stream;
	for (CUevent event : events) delete event;
	streams.clear(), events.clear();
}

static double milliseconds() {
	auto now = std::chrono::steady_clock::now().time_since_epoch();
	return std::chrono::duration<double, std::milli>(now).count();
}

static CUresult record_event(CUevent event, CUstream stream) {
	auto moment = std::make_shared<Moment>();
	moment->stream = stream, moment->graph = captured_by(stream);
	event->last = moment;
	if (moment->graph) return CUDA_SUCCESS;
	return enqueue(stream, [moment] {
		moment->reached = true, moment->at = milliseconds();
		return CUDA_SUCCESS;
	});
}

// wait_for: a stream that waits for captured work is captured from then on.
static CUresult wait_for(CUstream stream, const std::shared_ptr<Moment> &moment) {
	CUgraph graph = captured_by(stream);
	if (moment->graph) {
		if (graph && graph != moment->graph) return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
		join_graph(stream, moment->graph);
		return CUDA_SUCCESS;
	}
	if (graph) {
		spoil(graph);
		return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
	}
	return add(stream, {[] { return CUDA_SUCCESS; }, moment});
}

static CUresult is_done(bool done) { return done ? service.lost : CUDA_ERROR_NOT_READY; }

} // namespace driver

CUresult cuStreamCreateWithPriority(CUstream *stream, unsigned flags, int) {
	return in_context([&] {
		*stream = new CUstream_st{flags};
		streams.insert(*stream);
		return CUDA_SUCCESS;
	});
}

CUresult cuStreamCreate(CUstream *stream, unsigned flags) { return cuStreamCreateWithPriority(stream, flags, 0); }

CUresult cuStreamDestroy(CUstream stream) {
	return anywhere([&] {
		if (!streams.count(stream)) return CUDA_ERROR_INVALID_HANDLE;
		drain(stream);
		streams.erase(stream);
		delete stream;
		return CUDA_SUCCESS;
	});
}

CUresult cuStreamGetFlags(CUstream stream, unsigned *flags) {
	return in_context([&] {
		if (!is_stream(stream)) return CUDA_ERROR_INVALID_HANDLE;
		*flags = stream ? stream->flags : 0;
		return CUDA_SUCCESS;
	});
}

CUresult cuStreamSynchronize(CUstream stream) {
	return in_context([&] {
		if (!is_stream(stream)) return CUDA_ERROR_INVALID_HANDLE;
		if (captured_by(stream)) {
			spoil(stream->graph);
			return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
		}
		return stream ? drain(stream) : now([] { return CUDA_SUCCESS; });
	});
}

// A query of a lazy stream finds it busy and then lets it go on.
CUresult cuStreamQuery(CUstream stream) {
	return in_context([&] {
		if (!is_stream(stream)) return CUDA_ERROR_INVALID_HANDLE;
		if (captured_by(stream)) {
			spoil(stream->graph);
			return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
		}
		bool done = !stream || stream->queue.empty();
		if (!done) drain(stream);
		return is_done(done);
	});
}

CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
	return in_context([&] {
		if (!is_stream(stream) || !events.count(event)) return CUDA_ERROR_INVALID_HANDLE;
		if (!event->last) return CUDA_SUCCESS;
		if (stream) return wait_for(stream, event->last);
		reach(*event->last);
		return service.lost;
	});
}

CUresult cuLaunchHostFunc(CUstream stream, CUhostFn function, void *data) {
	return in_context([&] {
		return enqueue(stream, [=] {
			function(data);
			return CUDA_SUCCESS;
		});
	});
}

CUresult cuEventCreate(CUevent *event, unsigned flags) {
	return in_context([&] {
		*event = new CUevent_st{flags, nullptr};
		events.insert(*event);
		return CUDA_SUCCESS;
	});
}

CUresult cuEventDestroy(CUevent event) {
	return anywhere([&] {
		if (!events.erase(event)) return CUDA_ERROR_INVALID_HANDLE;
		delete event;
		return CUDA_SUCCESS;
	});
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
	return in_context([&] {
		if (!events.count(event) || !is_stream(stream)) return CUDA_ERROR_INVALID_HANDLE;
		return record_event(event, stream);
	});
}

CUresult cuEventSynchronize(CUevent event) {
	return in_context([&] {
		if (!events.count(event)) return CUDA_ERROR_INVALID_HANDLE;
		if (!event->last) return CUDA_SUCCESS;
		if (event->last->graph) return CUDA_ERROR_CAPTURED_EVENT;
		reach(*event->last);
		return service.lost;
	});
}

CUresult cuEventQuery(CUevent event) {
	return in_context([&] {
		if (!events.count(event)) return CUDA_ERROR_INVALID_HANDLE;
		if (!event->last) return CUDA_SUCCESS;
		if (event->last->graph) return CUDA_ERROR_CAPTURED_EVENT;
		bool done = event->last->reached;
		reach(*event->last);
		return is_done(done);
	});
}

CUresult cuEventElapsedTime(float *elapsed, CUevent start, CUevent end) {
	return in_context([&] {
		if (!events.count(start) || !events.count(end)) return CUDA_ERROR_INVALID_HANDLE;
		if ((start->flags | end->flags) & CU_EVENT_DISABLE_TIMING || !start->last || !end->last)
			return CUDA_ERROR_INVALID_HANDLE;
		if (!start->last->reached || !end->last->reached) return CUDA_ERROR_NOT_READY;
		*elapsed = (float)(end->last->at - start->last->at);
		return CUDA_SUCCESS;
	});
}
