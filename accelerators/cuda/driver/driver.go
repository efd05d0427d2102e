//go:build cuda

// Package driver is the CUDA driver: gorgonia.org/cu, unmodified, on trampolines that open libcuda when the program
// starts, so that the binary needs no CUDA to be built and runs on machines without it; and the calls that gorgonia
// lacks, on its handles.
package driver

/*
#cgo CFLAGS: -I${SRCDIR}/../include
#cgo LDFLAGS: -L${SRCDIR}/lib -ldl
#include <cuda.h>
#include "trampolines.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"os"

	"gorgonia.org/cu"
)

// Oldest is the oldest driver that will do, as Version counts.
const Oldest = 12000

// Library is the file that the driver was opened from; empty where there is none.
func Library() string { return C.GoString(C.driver_library()) }

// Version is the newest CUDA that the driver supports, as 1000*major + 10*minor.
func Version() int { return cu.Version() }

// VersionText is Version as people write it.
func VersionText() string {
	v := Version()
	return fmt.Sprintf("%d.%d", v/1000, v%1000/10)
}

// Missing are the functions that CareBot calls and the driver lacks; calling one fails.
func Missing() []string {
	names := make([]string, C.driver_missing())
	for i := range names {
		names[i] = C.GoString(C.driver_missing_name(C.int(i)))
	}
	return names
}

// Devices is how many devices there are, at least one, or why there are none and what to do about it.
func Devices() (int, error) {
	if Library() == "" {
		return 0, fmt.Errorf("no NVIDIA driver is found (%s): install one; in a container, start it with its GPUs",
			C.GoString(C.driver_refusal()))
	}
	if v := Version(); v > 0 && v < Oldest {
		return 0, fmt.Errorf("the NVIDIA driver %s is for CUDA %s, which is too old: install one for CUDA 12 or later "+
			"(version 525 or later)", Library(), VersionText())
	}
	if code := Error(C.driver_started()); code == NoDevice {
		return 0, hidden()
	} else if code != 0 {
		return 0, fmt.Errorf("the NVIDIA driver %s does not start: %w", Library(), code)
	}
	n, err := cu.NumDevices()
	if err != nil {
		return 0, fmt.Errorf("count devices: %w", Of(err))
	}
	if n == 0 {
		return 0, hidden()
	}
	return n, nil
}

// hidden is why a driver that works has no device.
func hidden() error {
	if visible, set := os.LookupEnv("CUDA_VISIBLE_DEVICES"); set {
		return fmt.Errorf("the NVIDIA driver finds no GPU behind CUDA_VISIBLE_DEVICES=%q: unset it, or name one that "+
			"nvidia-smi shows", visible)
	}
	return errors.New("the NVIDIA driver finds no GPU: nvidia-smi shows what it sees; in a container, start it with " +
		"its GPUs")
}
