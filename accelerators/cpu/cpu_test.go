package cpu

import (
	"fmt"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/acceltest"
)

// everySet runs a test for each kernel set of this processor.
func everySet(t *testing.T, f func(*testing.T, *kernelSet)) {
	for _, set := range supportedSets() {
		t.Run(set.name, func(t *testing.T) { f(t, set) })
	}
}

func TestDeviceConforms(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		acceltest.Run(t, func() accelerators.Device { return newDevice(3, set) })
	})
}

func TestBitsDoNotDependOnThreads(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		want := fingerprint(t, 1, set)
		for _, threads := range []int{2, 3, 5} {
			t.Run(fmt.Sprint(threads), func(t *testing.T) { acceltest.Same(t, want, fingerprint(t, threads, set)) })
		}
	})
}

func fingerprint(t *testing.T, threads int, set *kernelSet) []acceltest.Print {
	d := newDevice(threads, set)
	defer d.Close()
	return acceltest.Fingerprint(t, d)
}
