//go:build cuda

package cuda

import (
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// twice doubles x so many times within a unit.
func twice(d *Device, x accelerators.Buffer, times int) {
	d.Together(func() {
		for range times {
			d.Scale(x, 2)
		}
	})
}

// graphs is how many of the units that have come are graphs.
func graphs(d *Device) (n int) {
	for _, k := range d.units {
		if k.graph != nil {
			n++
		}
	}
	return n
}

func wantFirst(t *testing.T, d *Device, x accelerators.Buffer, want float32) {
	t.Helper()
	got := make([]float32, x.Len)
	if err := d.DownloadF32(got, x); err != nil || got[0] != want {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

func TestAUnitThatComesAgainIsAGraph(t *testing.T) { lazily(t, aUnitThatComesAgainIsAGraph) }

func aUnitThatComesAgainIsAGraph(t *testing.T) {
	d := opened(t).(*Device)
	x, y := allocated(t, d, 3), allocated(t, d, 3)
	for round := range 5 {
		for _, b := range []accelerators.Buffer{x, y} {
			d.UploadF32(b, []float32{1, 1, 1})
			twice(d, b, graphSteps)
			wantFirst(t, d, b, 1<<graphSteps)
		}
		if want := 2 * min(round, 1); graphs(d) != want {
			t.Errorf("after round %d there are %d graphs, want %d", round, graphs(d), want)
		}
	}
	twice(d, x, graphSteps+1) // is another unit
	wantFirst(t, d, x, 1<<(2*graphSteps+1))
	d.Together(func() { // as is one in other shapes
		for range graphSteps {
			d.launch("vector", "scale_f32", shape{1, 1, 1, 256, 16}, uint64(x.Mem.(*memory).at), 3, f32(2))
		}
	})
	if graphs(d) != 2 || len(d.units) != 4 {
		t.Errorf("%d graphs of %d units", graphs(d), len(d.units))
	}
	closed(t, d)
}

func TestAKernelOfAUnitThatFailsIsNamed(t *testing.T) {
	emulated(t)
	t.Setenv("CAREBOT_EMULATOR_FAIL", "launch:2")
	t.Setenv("CAREBOT_EMULATOR_LAZY", "0") // else it fails when it is waited for, as with a GPU
	d := opened(t).(*Device)
	twice(d, allocated(t, d, 1), graphSteps)
	if err := d.Sync(); err == nil || !strings.Contains(err.Error(), "device lost: scale_f32: ") {
		t.Errorf("Sync says %v", err)
	}
	_ = d.Close()
}

func TestATransferWithinAUnitTakesPlaceThere(t *testing.T) {
	lazily(t, aTransferWithinAUnitTakesPlaceThere)
}

func aTransferWithinAUnitTakesPlaceThere(t *testing.T) {
	d := opened(t).(*Device)
	x := allocated(t, d, 1)
	for range 3 {
		d.Together(func() {
			d.UploadF32(x, []float32{1})
			for range graphSteps {
				d.Scale(x, 2)
			}
			wantFirst(t, d, x, 1<<graphSteps)
			d.Scale(x, 7) // before the upload
			d.UploadF32(x, []float32{3})
			d.Together(func() { d.Scale(x, 2) })
			fetched := make([]float32, 1)
			wait := d.FetchF32(fetched, x)
			d.Scale(x, 5)
			if err := wait(); err != nil || fetched[0] != 6 {
				t.Error(fetched, err)
			}
		})
		wantFirst(t, d, x, 30)
	}
	if graphs(d) != 1 {
		t.Errorf("%d graphs", graphs(d))
	}
	d.Together(func() {
		d.Scale(x, 1)
		if err := d.Sync(); err != nil || len(d.unit.steps) > 0 {
			t.Errorf("Sync leaves %d steps, %v", len(d.unit.steps), err)
		}
	})
	closed(t, d)
}

func TestWorkThatIsNoKernelIsPartOfAUnit(t *testing.T) {
	d := opened(t).(*Device)
	x := allocated(t, d, 1)
	issued := 0
	for round := range 4 {
		d.Together(func() {
			for range graphSteps - 1 {
				d.Scale(x, 1)
			}
			d.enqueue("count", func() error { issued++; return nil }, uint64(min(round, 2)))
		})
	}
	if issued != 4 { // plainly with keys 0, 1 and 2, then for the record
		t.Errorf("issued %d times", issued)
	}
	closed(t, d)
}

func TestWithoutGraphsUnitsAreLaunchedPlainly(t *testing.T) {
	emulated(t)
	for _, fail := range []string{"cuStreamBeginCapture:801", "cuGraphInstantiate:801", "cuGraphLaunch:2"} {
		t.Setenv("CAREBOT_EMULATOR_FAIL", fail)
		d := opened(t).(*Device)
		x := allocated(t, d, 1)
		d.UploadF32(x, []float32{1})
		for range 3 {
			twice(d, x, graphSteps)
		}
		wantFirst(t, d, x, 1<<(3*graphSteps))
		if graphs(d) != 0 {
			t.Errorf("%s: there are graphs", fail)
		}
		closed(t, d)
	}
}

func TestFewUnitsAreKept(t *testing.T) {
	d := opened(t).(*Device)
	x := allocated(t, d, 2*mostGraphs)
	for i := range 2 * mostGraphs {
		for range 2 {
			twice(d, x.Slice(0, i+1), graphSteps)
			twice(d, x.Slice(0, 1), graphSteps) // is used all the time, and stays
		}
	}
	if last := d.units[len(d.units)-1]; len(d.units) != mostGraphs || last.graph == nil {
		t.Errorf("%d units are kept, the latest as graph %v", len(d.units), last.graph)
	}
	closed(t, d)
}

func TestAUnitThatPanicsLeavesTheDeviceUsable(t *testing.T) {
	d := opened(t).(*Device)
	x := allocated(t, d, 1)
	d.UploadF32(x, []float32{1})
	func() {
		defer func() { _ = recover() }()
		d.Together(func() {
			d.Scale(x, 2)
			panic("on purpose")
		})
	}()
	d.Scale(x, 2)
	wantFirst(t, d, x, 4)
	closed(t, d)
}

// What is enqueued again and again makes no garbage.
func TestLaunchesAllocateNothing(t *testing.T) {
	d := opened(t).(*Device)
	x := allocated(t, d, 1)
	unit := func() {
		for range graphSteps {
			d.Scale(x, 1)
		}
	}
	for name, work := range map[string]func(){
		"a launch": func() { d.Scale(x, 1) }, "a graph": func() { d.Together(unit) },
	} {
		work()
		work()
		if n := testing.AllocsPerRun(10, work); n > 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	closed(t, d)
}
