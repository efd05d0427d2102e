package cpu

import (
	"fmt"
	"os"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/acceltest"
)

// testedSets are the kernel sets of this processor, slowest first, or the one that CAREBOT_CPU names.
func testedSets(t testing.TB) []*kernelSet {
	name := os.Getenv("CAREBOT_CPU")
	if name == "" {
		return supportedSets()
	}
	forced, err := chooseSet(name)
	if err != nil {
		t.Fatal(err)
	}
	return []*kernelSet{forced}
}

// bestSet is the fastest of the tested sets.
func bestSet(t testing.TB) *kernelSet {
	sets := testedSets(t)
	return sets[len(sets)-1]
}

// everySet runs a test for each tested set.
func everySet(t *testing.T, f func(*testing.T, *kernelSet)) {
	for _, set := range testedSets(t) {
		t.Run(set.name, func(t *testing.T) { f(t, set) })
	}
}

func TestDeviceConforms(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		acceltest.Run(t, func() accelerators.Device { return newDevice(3, set) })
	})
}

func TestBitsDoNotDependOnThreads(t *testing.T) {
	counts := []int{2, 5}
	if testing.Short() {
		counts = []int{3}
	}
	everySet(t, func(t *testing.T, set *kernelSet) {
		want := fingerprint(t, 1, set)
		for _, threads := range counts {
			t.Run(fmt.Sprint(threads), func(t *testing.T) { acceltest.Same(t, want, fingerprint(t, threads, set)) })
		}
	})
}

func fingerprint(t *testing.T, threads int, set *kernelSet) []acceltest.Print {
	d := newDevice(threads, set)
	defer d.Close()
	return acceltest.Fingerprint(t, d)
}

// The names of the cases are what make test-isa goes through.
func TestEverySetCanBeForced(t *testing.T) {
	for _, set := range supportedSets() {
		t.Run(set.name, func(t *testing.T) {
			t.Setenv("CAREBOT_CPU", set.name)
			d, err := open(0)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if got := d.(*Device).set; got != set {
				t.Errorf("opened with the kernels %s", got.name)
			}
		})
	}
}
