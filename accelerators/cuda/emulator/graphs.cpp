// Graphs by capture: the work that streams are given in the meantime, in the order of the calls, to be done again.
#include "driver.h"

#include <thread>

using namespace driver;

struct CUgraph_st {
	CUstream origin;
	CUstreamCaptureMode mode;
	std::thread::id thread; // that began the capture
	std::vector<Work> works;
	bool captured = false; // the capture has ended
	bool spoilt = false;
};

struct CUgraphExec_st {
	std::vector<Work> works;
};

namespace driver {

static std::set<CUgraph> graphs;
static std::set<CUgraphExec> executables;

size_t graphs_left() { return graphs.size() + executables.size(); }

void forget_graphs() {
	for (CUgraph graph : graphs) delete graph;
	for (CUgraphExec executable : executables) delete executable;
	graphs.clear(), executables.clear();
}

void record(CUgraph graph, Work work) { graph->works.push_back(std::move(work)); }
void spoil(CUgraph graph) { graph->spoilt = true; }

bool forbids(CUgraph graph) {
	if (graph->mode == CU_STREAM_CAPTURE_MODE_RELAXED) return false;
	return graph->mode == CU_STREAM_CAPTURE_MODE_GLOBAL || graph->thread == std::this_thread::get_id();
}

static CUresult end_capture(CUstream stream, CUgraph *result) {
	CUgraph graph = captured_by(stream);
	*result = nullptr;
	if (!graph || graph->origin != stream) return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
	leave_graph(graph);
	if (graph->spoilt) {
		graphs.erase(graph);
		delete graph;
		return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
	}
	graph->captured = true;
	*result = graph;
	return CUDA_SUCCESS;
}

static CUresult do_all(const std::vector<Work> &works) {
	for (const Work &work : works)
		if (CUresult code = work()) return code;
	return CUDA_SUCCESS;
}

} // namespace driver

CUresult cuStreamBeginCapture(CUstream stream, CUstreamCaptureMode mode) {
	return in_context([&] {
		if (!is_stream(stream)) return CUDA_ERROR_INVALID_HANDLE;
		if (!stream) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
		if (captured_by(stream)) return CUDA_ERROR_ILLEGAL_STATE;
		if (CUresult code = planted("cuStreamBeginCapture")) return code;
		CUgraph graph = new CUgraph_st{stream, mode, std::this_thread::get_id(), {}};
		graphs.insert(graph);
		join_graph(stream, graph);
		return CUDA_SUCCESS;
	});
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph) {
	return in_context([&] { return is_stream(stream) ? end_capture(stream, graph) : CUDA_ERROR_INVALID_HANDLE; });
}

CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus *status) {
	return in_context([&] {
		if (!is_stream(stream)) return CUDA_ERROR_INVALID_HANDLE;
		CUgraph graph = captured_by(stream);
		*status = !graph ? CU_STREAM_CAPTURE_STATUS_NONE
			: graph->spoilt ? CU_STREAM_CAPTURE_STATUS_INVALIDATED : CU_STREAM_CAPTURE_STATUS_ACTIVE;
		return CUDA_SUCCESS;
	});
}

CUresult cuGraphGetNodes(CUgraph graph, CUgraphNode *nodes, size_t *count) {
	return in_context([&] {
		if (!graphs.count(graph)) return CUDA_ERROR_INVALID_HANDLE;
		if (nodes) return CUDA_ERROR_NOT_SUPPORTED;
		*count = graph->works.size();
		return CUDA_SUCCESS;
	});
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec *executable, CUgraph graph, unsigned long long) {
	return in_context([&] {
		if (!graphs.count(graph) || !graph->captured) return CUDA_ERROR_INVALID_HANDLE;
		if (CUresult code = planted("cuGraphInstantiate")) return code;
		*executable = new CUgraphExec_st{graph->works};
		executables.insert(*executable);
		return CUDA_SUCCESS;
	});
}

CUresult cuGraphLaunch(CUgraphExec executable, CUstream stream) {
	return in_context([&] {
		if (!executables.count(executable)) return CUDA_ERROR_INVALID_HANDLE;
		if (CUresult code = planted("cuGraphLaunch")) return code;
		return enqueue(stream, [works = executable->works] { return do_all(works); });
	});
}

CUresult cuGraphExecDestroy(CUgraphExec executable) {
	return anywhere([&] {
		if (!executables.erase(executable)) return CUDA_ERROR_INVALID_HANDLE;
		delete executable;
		return CUDA_SUCCESS;
	});
}

CUresult cuGraphDestroy(CUgraph graph) {
	return anywhere([&] {
		if (!graphs.count(graph) || !graph->captured) return CUDA_ERROR_INVALID_HANDLE;
		graphs.erase(graph);
		delete graph;
		return CUDA_SUCCESS;
	});
}
