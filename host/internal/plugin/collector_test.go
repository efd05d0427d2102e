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

// A module's code cannot be interrupted: an endless loop would hold up the collector, and with it the host, for ever.
func TestModulesDoNotHoldUpTheCollector(t *testing.T) {
	s := strict(misbehaving(t, endless).file(t))
	s.Plugin.Limits.Deadline = recipe.Duration(time.Second)
	p := opened(t, s)
	done := make(chan error)
	go func() {
		_, err := p.Score(t.Context(), documents("x"))
		done <- err
	}()
	time.Sleep(50 * time.Millisecond) // slices have found their length
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
	if cycles < 20 {
		t.Errorf("%d cycles of the collector in a second", cycles)
	}
	if got := typical(before, pauses()); got > 2*time.Millisecond {
		t.Errorf("the collector waits %v for a module", got)
	}
	t.Logf("%d cycles, %v", cycles, typical(before, pauses()))
}
