package images

import (
	"fmt"
	"slices"
)

// A Target is what kernels are compiled for. The image of a real architecture (sm_90a) is a cubin, that of a virtual
// one (compute_80) is PTX, which the driver compiles for the GPU when it is loaded.
type Target struct {
	Name         string
	major, minor int
	runs         scope
}

// A scope is which GPUs run the image of a target.
type scope int

const (
	exactly scope = iota // those of its compute capability
	family               // those of its major number, from its minor number on
	onwards              // every one from its compute capability on
)

// Targets are those that every kernel is compiled for, of those that a GPU runs the best first.
var Targets = []Target{
	{"sm_100", 10, 0, family},
	{"sm_90a", 9, 0, exactly},
	{"sm_89", 8, 9, family},
	{"sm_80", 8, 0, family},
	{"compute_80", 8, 0, onwards},
}

// embedded are the compute capabilities of GPUs in embedded systems, which run no cubin of another architecture.
var embedded = [][2]int{{8, 7}, {10, 1}}

// For is the best target for a GPU's compute capability.
func For(major, minor int) (Target, error) {
	i := slices.IndexFunc(Targets, func(t Target) bool { return t.runsOn(major, minor) })
	if i < 0 {
		return Target{}, fmt.Errorf("a GPU of compute capability %d.%d is too old, needed is 8.0 or newer (A100, "+
			"RTX 30 and what came after); train on the CPU with device: cpu", major, minor)
	}
	return Targets[i], nil
}

// Virtual says that the target's image is PTX.
func (t Target) Virtual() bool { return t.runs == onwards }

func (t Target) runsOn(major, minor int) bool {
	switch t.runs {
	case exactly:
		return major == t.major && minor == t.minor
	case family:
		return major == t.major && minor >= t.minor && !slices.Contains(embedded, [2]int{major, minor})
	default:
		return major > t.major || major == t.major && minor >= t.minor
	}
}
