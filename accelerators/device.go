// Package accelerators is the contract between the tensor engine and the hardware. A Device is memory and a list of kernels;
// everything above works on flat buffers with explicit shapes. Package acceltest is the suite that every device must pass.
package accelerators

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Device is one processor that can train. It is used by one goroutine at a time.
type Device interface {
	Memory
	Kernels
	// Name is the device as a recipe writes it ("cpu", "cuda:0"); Describe adds model, threads and instruction set for the log.
	Name() string
	Describe() string
	// Peak is what the device can do, measured when first asked for.
	Peak() Peak
	// HoldsBF16 reports whether buffers may be BF16, as Kernels says which.
	HoldsBF16() bool
	Close() error
}

// Peak is the most that a device reaches: floating-point operations per second in products of f32 and of bf16 matrices (the
// latter equal to the former where bf16 has no instructions of its own), and bytes per second to and from its memory.
type Peak struct{ F32, BF16, Bandwidth float64 }

// An Opener opens device number index of its kind, or says why that is not possible.
type Opener func(index int) (Device, error)

type kind struct {
	preference int
	open       Opener
}

var kinds = map[string]kind{}

// Register adds a kind of device. It is called from init functions; among several kinds "auto" tries the highest preference first.
func Register(name string, preference int, open Opener) {
	if _, taken := kinds[name]; taken {
		panic(fmt.Sprintf("accelerators: device kind %q is registered twice", name))
	}
	kinds[name] = kind{preference, open}
}

// Open opens a device by name: "auto", "cpu", "cuda", "cuda:1". A named device that will not open is an error; auto takes the
// first that opens and returns in why what it passed over.
func Open(name string) (dev Device, why string, err error) {
	if name != "auto" {
		dev, err = openNamed(name)
		return dev, "", err
	}
	var passed []string
	for _, n := range byPreference() {
		if dev, err = kinds[n].open(0); err == nil {
			return dev, strings.Join(passed, "; "), nil
		}
		passed = append(passed, fmt.Sprintf("%s: %v", n, err))
	}
	return nil, "", fmt.Errorf("no device opens: %s", strings.Join(passed, "; "))
}

func openNamed(name string) (Device, error) {
	base, number, numbered := strings.Cut(name, ":")
	k, ok := kinds[base]
	if !ok {
		return nil, fmt.Errorf("device %q is not in this binary (it has %s)", name, strings.Join(byPreference(), ", "))
	}
	index := 0
	if numbered {
		if _, err := fmt.Sscanf(number, "%d", &index); err != nil || index < 0 {
			return nil, fmt.Errorf("device %q: want KIND or KIND:NUMBER", name)
		}
	}
	dev, err := k.open(index)
	if err != nil {
		return nil, fmt.Errorf("open device %q: %w", name, err)
	}
	return dev, nil
}

func byPreference() []string {
	return slices.SortedFunc(maps.Keys(kinds), func(a, b string) int {
		return cmp.Or(kinds[b].preference-kinds[a].preference, cmp.Compare(a, b))
	})
}
