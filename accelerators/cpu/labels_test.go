package cpu

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
)

// meeting is a task whose blocks end when all have begun and one of them has looked at the goroutines.
type meeting struct {
	waiting atomic.Int32
	looked  atomic.Bool
	profile bytes.Buffer
}

func (m *meeting) block(_, i int) {
	if m.waiting.Add(1); i == 0 {
		for m.waiting.Load() < 3 {
			runtime.Gosched()
		}
		pprof.Lookup("goroutine").WriteTo(&m.profile, 1)
		m.looked.Store(true)
	}
	for !m.looked.Load() {
		runtime.Gosched()
	}
}

// labelled is how many goroutines of a profile have the label op.
func labelled(profile, op string) (count int) {
	_, stacks, _ := strings.Cut(profile, "\n")
	for _, stack := range strings.Split(stacks, "\n\n") {
		var n int
		if fmt.Sscanf(stack, "%d @", &n); strings.Contains(stack, `"op":"`+op+`"`) {
			count += n
		}
	}
	return count
}

func TestGoroutinesCarryTheOperationsNameWhileItRuns(t *testing.T) {
	d := newDevice(3, &genericSet)
	defer d.Close()
	for _, op := range []string{"SwiGLU", "Axpy"} {
		var m meeting
		d.call(op)
		d.pool.run(3, &m)
		if n := labelled(m.profile.String(), op); n != 3 {
			t.Errorf("during %s %d of 3 goroutines have its label:\n%s", op, n, m.profile.String())
		}
		eventually(t, "no goroutine has the label", func() bool {
			var after bytes.Buffer
			pprof.Lookup("goroutine").WriteTo(&after, 1)
			return labelled(after.String(), op) == 0
		})
	}
}
