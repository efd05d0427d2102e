//go:build cuda

package driver

/*
#include <cuda.h>
*/
import "C"

import (
	"errors"

	"gorgonia.org/cu"
)

// A Graph is work that was recorded once and is launched as one.
type Graph struct{ exec C.CUgraphExec }

// Record makes a graph of what issue enqueues on a stream, which does none of it. Not all of a driver's work can be
// recorded; the stream is as before when there is an error.
func Record(s cu.Stream, issue func() error) (*Graph, error) {
	if err := check(C.cuStreamBeginCapture(stream(s), C.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)); err != nil {
		return nil, err
	}
	issued := issue()
	var recorded C.CUgraph
	err := errors.Join(issued, check(C.cuStreamEndCapture(stream(s), &recorded)))
	if recorded != nil {
		defer C.cuGraphDestroy(recorded)
	}
	if err != nil {
		return nil, err
	}
	g := new(Graph)
	if err := check(C.cuGraphInstantiateWithFlags(&g.exec, recorded, 0)); err != nil {
		return nil, err
	}
	return g, nil
}

// Launch enqueues the graph's work on a stream.
func (g *Graph) Launch(s cu.Stream) error { return check(C.cuGraphLaunch(g.exec, stream(s))) }

// Destroy gives the graph back; what of it runs, ends.
func (g *Graph) Destroy() error { return check(C.cuGraphExecDestroy(g.exec)) }
