package cpu

import (
	"fmt"
	"os"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/acceltest"
)

// everySet runs a test for each kernel set of this processor, or for the one that CAREBOT_CPU names.
func everySet(t *testing.T, f func(*testing.T, *kernelSet)) {
	sets := supportedSets()
	if name := os.Getenv("CAREBOT_CPU"); name != "" {
		forced, err := chooseSet(name)
		if err != nil {
			t.Fatal(err)
		}
		sets = []*kernelSet{forced}
	}
	for _, set := range sets {
		t.Run(set.name, func(t *testing.T) { f(t, set) })
	}
}

func TestDeviceConforms(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		acceltest.Run(t, func() accelerators.Device { return newDevice(3, set) })
	})
}

func TestBitsDoNotDependOnThreads(t *testing.T) {
	counts := []int{2, 3, 5}
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
