package plugin

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// pauses is how long the collector has waited for all goroutines to stop, as a histogram of its cycles.
func pauses() *metrics.Float64Histogram {
	sample := []metrics.Sample{{Name: "/sched/pauses/stopping/gc:seconds"}}
	metrics.Read(sample)
	return sample[0].Value.Float64Histogram()
}

// typical returns the upper end of the bucket that holds the median of what came between two histograms.
func typical(before, after *metrics.Float64Histogram) time.Duration {
	total := uint64(0)
	for i, n := range after.Counts {
		total += n - before.Counts[i]
	}
	seen := uint64(0)
	for i, n := range after.Counts {
		if seen += n - before.Counts[i]; 2*seen >= total {
			return time.Duration(after.Buckets[i+1] * float64(time.Second))
		}
	}
	return 0
}

// A module's code cannot be interrupted: an endless loop would hold up the collector, and with it the host, for ever,
// and filling all of a memory at once for long.
func TestModulesDoNotHoldUpTheCollector(t *testing.T) {
	const pages = 1000
	grown := code(number(pages), memoryGrow, drop)
	filling := loop(number(0), number(0), number(pages<<16), memoryFill, number(1), branchIf(0))
	for name, deed := range map[string][]byte{"loop": endless, "filling": code(grown, filling)} {
		t.Run(name, func(t *testing.T) { heldUp(t, misbehaving(t, deed).file(t)) })
	}
}

// heldUp measures a few times: on a machine that does other things as well, the collector waits for its turn.
func heldUp(t *testing.T, module string) {
	const tries = 5
	for range tries {
		if waits(t, module) <= 2*time.Millisecond {
			return
		}
	}
	t.Errorf("that is too long, %d times", tries)
}

// waits is how long the collector typically waits while the module runs.
func waits(t *testing.T, module string) time.Duration {
	s := strict(module)
	s.Plugin.Limits.Deadline = recipe.Duration(time.Second)
	p := opened(t, s)
	done := make(chan error)
	go func() {
		_, err := p.Score(t.Context(), documents("x"))
		done <- err
	}()
	time.Sleep(100 * time.Millisecond) // slices have found their length
	before, cycles := pauses(), 0
	for ended := false; !ended; cycles++ {
		runtime.GC()
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			ended = true
		default:
		}
	}
	got := typical(before, pauses())
	t.Logf("the collector waits %v for a module, in each of %d cycles", got, cycles)
	return got
}
