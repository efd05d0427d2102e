package plugin

import (
	"fmt"
	"runtime"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/carebot-llm/carebot/host/internal/wasm"
)

// A fuelError says that a call used up its fuel. It says the same on every machine.
type fuelError struct{ limit int64 }

func (e fuelError) Error() string {
	return fmt.Sprintf("used more than its fuel of %d instructions", e.limit)
}

// A depthError says that calls were nested too deep.
type depthError struct{}

func (depthError) Error() string { return "calls are nested too deep" }

const (
	// baseFuel is what a call may use whatever the size of its request, in instructions.
	baseFuel = 100_000_000
	// startFuel is what starting an instance and opening it may use.
	startFuel = 20 * baseFuel
	// maxDepth is how deep a module's calls may be nested. Functions with many locals count for more than one. The
	// engine itself ends what still takes more than 50 MB of its stack.
	maxDepth = 10_000
)

// Slices of fuel are cut so that one takes about sliceTime: a module's code cannot be interrupted within a slice, and
// the collector waits for it.
const (
	sliceTime = time.Millisecond
	minSlice  = 50_000
	maxSlice  = 2_000_000
)

// A tank holds the fuel of the calls of one instance. Instrumented code takes it from the gauge and calls yield when
// that is empty. The fuel that a call uses does not depend on the slices.
type tank struct {
	gauge, depth api.MutableGlobal

	limit int64     // of the call
	left  int64     // of the call, not yet in the gauge
	slice int64     // that is handed out
	since time.Time // when the last slice was handed out
}

func newTank(m api.Module) (*tank, error) {
	t := &tank{slice: maxSlice / 8}
	var gauge, depth bool
	t.gauge, gauge = m.ExportedGlobal(wasm.FuelGlobal).(api.MutableGlobal)
	t.depth, depth = m.ExportedGlobal(wasm.DepthGlobal).(api.MutableGlobal)
	if !gauge || !depth {
		return nil, fmt.Errorf("the module has not been instrumented")
	}
	return t, nil
}

// fill gives the fuel of a call.
func (t *tank) fill(fuel int64) {
	t.limit, t.left, t.since = fuel, fuel, time.Now()
	t.depth.Set(maxDepth)
	t.gauge.Set(0)
	t.refill(0)
}

// refill hands out a slice when the gauge, which shows what is missing as a negative number, is empty. It tells whether
// there was enough.
func (t *tank) refill(missing int64) bool {
	n := min(t.left, t.slice+missing)
	t.left -= n
	t.gauge.Set(uint64(n - missing))
	return n >= missing
}

// used returns the fuel that the call has used so far.
func (t *tank) used() int64 { return t.limit - t.left - int64(t.gauge.Get()) }

// tooDeep tells whether the last trap was that of calls nested too deep.
func (t *tank) tooDeep() bool { return int32(t.depth.Get()) < 0 }

// adapt makes the next slice take about sliceTime.
func (t *tank) adapt() {
	switch took := time.Since(t.since); {
	case took > sliceTime:
		t.slice = max(t.slice/2, minSlice)
	case took < sliceTime/2:
		t.slice = min(t.slice+t.slice/4, maxSlice)
	}
}

// yield is called by a module whose gauge is empty. It ends the call, by a panic with the reason, when its context or
// its fuel has ended; else it lets the scheduler and the collector have their turn.
func (inst *moduleInstance) yield() {
	t := inst.tank
	t.adapt()
	if err := inst.overdue(); err != nil {
		panic(err)
	}
	if !t.refill(max(-int64(t.gauge.Get()), 0)) {
		panic(fuelError{t.limit})
	}
	runtime.Gosched()
	t.since = time.Now()
}

// instruments is what the host adds to the imports of every module.
var instruments = []hostFunc{
	{wasm.YieldName, nil, nil, func(inst *moduleInstance, _ []uint64) uint64 { inst.yield(); return 0 }},
}
