package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// pluginPackage holds the benchmarks of plugins.
const pluginPackage = "./host/internal/plugin"

// pluginRuns are the benchmarks of plugins, and the iterations of a run.
var pluginRuns = []struct {
	name       string
	iterations int
}{
	{"Heuristic", 150}, {"NullBatch", 2000}, {"Callback", 300}, {"Restore", 300}, {"WarmStart", 10}, {"ProcessBatch", 500},
	{"WaitingCallers", 5},
}

// A goal is a row of the plugins' table: a metric of the benchmarks whose names start so, of which the worst counts.
type goal struct {
	what      string
	benchmark string
	metric    string
	show      func(float64) string
	bound     float64 // anywhere when the metric is only shown
	floor     bool    // bound is the least, not the most
}

// anywhere is the bound of a metric that is only shown.
const anywhere = -1

var pluginGoals = []goal{
	{"heuristic filter, module of C, of native Go's time", "Heuristic/c/", "host/native", number, 2.4, false},
	{"heuristic filter, module of Rust", "Heuristic/rust/", "host/native", number, 2.4, false},
	{"heuristic filter, module of AssemblyScript", "Heuristic/ts/", "host/native", number, 2.4, false},
	{"heuristic filter, module of Go", "Heuristic/go/", "host/native", number, 14, false},
	{"what fuel adds, module of C", "Heuristic/c/", "fuel/plain", surcharge, 1.10, false},
	{"what fuel adds, module of Rust", "Heuristic/rust/", "fuel/plain", surcharge, 1.10, false},
	{"what fuel adds, module of AssemblyScript", "Heuristic/ts/", "fuel/plain", surcharge, 1.10, false},
	{"what fuel adds, module of Go", "Heuristic/go/", "fuel/plain", surcharge, 1.25, false},
	{"null batch, for a document of 1 KB", "NullBatch/1KB", "module-ns/doc", nanoseconds, 40, false},
	{"memcpy of the same", "NullBatch/1KB", "memcpy-ns/doc", nanoseconds, anywhere, false},
	{"null batch, for a document of 8 KB", "NullBatch/8KB", "module-ns/doc", nanoseconds, 300, false},
	{"memcpy of the same", "NullBatch/8KB", "memcpy-ns/doc", nanoseconds, anywhere, false},
	{"allocations in a null batch", "NullBatch/", "allocs/batch", number, 0, false},
	{"call of the host by a module", "Callback/", "host-ns/call", nanoseconds, 120, false},
	{"a module back to its snapshot", "Restore/", "restore-ns", nanoseconds, 150e3, false},
	{"warm start, small module", "WarmStart/bare", "open-ns/start", nanoseconds, 2e6, false},
	{"warm start, module of Go", "WarmStart/Go", "open-ns/start", nanoseconds, 60e6, false},
	{"process, for a document of 1 KB in 256", "ProcessBatch/keeps/messages/1KB", "ns/doc", nanoseconds, 3e3, false},
	{"process, for a document of 8 KB in 256", "ProcessBatch/keeps/messages/8KB", "ns/doc", nanoseconds, 20e3, false},
	{"shared memory, texts borrowed, for a document of 1 KB in 256",
		"ProcessBatch/borrows/shared/1KB", "ns/doc", nanoseconds, 1.2e3, false},
	{"the same, texts copied", "ProcessBatch/keeps/shared/1KB", "ns/doc", nanoseconds, anywhere, false},
	{"the same, a process that reads nothing", "ProcessBatch/null/shared/1KB", "ns/doc", nanoseconds, anywhere, false},
	{"shared memory, texts borrowed, for a document of 8 KB in 256",
		"ProcessBatch/borrows/shared/8KB", "ns/doc", nanoseconds, 1.6e3, false},
	{"the same, texts copied", "ProcessBatch/keeps/shared/8KB", "ns/doc", nanoseconds, anywhere, false},
	{"the same, a process that reads nothing", "ProcessBatch/null/shared/8KB", "ns/doc", nanoseconds, anywhere, false},
	{"threads of the host while 256 modules wait for a model", "WaitingCallers", "threads", number, 16, false},
	{"texts in a batch of that model", "WaitingCallers", "texts/batch", number, 100, true},
}

// plugins runs the benchmarks of plugins and the rules' contest with DataTrove.
func plugins(b *bench) (report, error) {
	when := time.Now().Format(time.DateOnly)
	measured := benchmarks{}
	for _, r := range pluginRuns {
		if err := b.runBenchmark(measured, pluginPackage, r.name, r.iterations, b.rounds); err != nil {
			return report{}, err
		}
	}
	t := table{{"what", "at least", "measured", "met", "date"}}
	for _, g := range pluginGoals {
		cells, err := g.cells(measured)
		if err != nil {
			return report{}, err
		}
		t.row(append(cells, when)...)
	}
	cells, err := b.rulesCells()
	if err != nil {
		return report{}, err
	}
	t.row(append(cells, when)...)
	body := fmt.Sprintf("Median of %d runs; in a run the best sample, for processes and models the mean. Where there are several "+
		"cases, the worst. Times of modules are processor time.\n\n%s", b.rounds, t)
	return report{body: body}, nil
}

// cells are the goal's row, without the date.
func (g goal) cells(measured benchmarks) ([]string, error) {
	medians := measured.medians(g.benchmark, g.metric)
	if len(medians) == 0 {
		return nil, fmt.Errorf("no benchmark %s* reports %s", g.benchmark, g.metric)
	}
	names := slices.SortedFunc(maps.Keys(medians), func(a, b string) int { return cmp.Compare(medians[a], medians[b]) })
	worst := names[len(names)-1]
	if g.floor {
		worst = names[0]
	}
	value := g.show(medians[worst])
	if len(names) > 1 {
		value += " (" + strings.TrimPrefix(worst, g.benchmark) + ")"
	}
	switch {
	case g.bound == anywhere:
		return []string{g.what, "shown", value, ""}, nil
	case g.floor:
		return []string{g.what, "at least " + g.show(g.bound), value, met[medians[worst] >= g.bound]}, nil
	}
	return []string{g.what, "at most " + g.show(g.bound), value, met[medians[worst] <= g.bound]}, nil
}

// surcharge writes a ratio as what is above one.
func surcharge(ratio float64) string { return fmt.Sprintf("%.1f %%", 100*(ratio-1)) }

func nanoseconds(x float64) string {
	switch {
	case x >= 1e6:
		return number(x/1e6) + " ms"
	case x >= 1e3:
		return number(x/1e3) + " us"
	}
	return number(x) + " ns"
}
