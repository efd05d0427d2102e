package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// benchmarks are the metrics of Go benchmarks: by name, without the prefix and the number of processors, and by unit.
// Each run of a benchmark adds a value.
type benchmarks map[string]map[string][]float64

// runBenchmark runs a benchmark of a package so many times, in a process of its own, and adds what it reports.
func (b *bench) runBenchmark(into benchmarks, pkg, name string, iterations, count int) error {
	busy, start := busySeconds(), time.Now()
	test := exec.Command("go", "test", "-run", "^$", "-bench", "^Benchmark"+name+"$",
		"-benchtime", fmt.Sprintf("%dx", iterations), "-count", strconv.Itoa(count), pkg)
	var out bytes.Buffer
	test.Stdout, test.Stderr = &out, os.Stderr
	if err := test.Run(); err != nil {
		return fmt.Errorf("%v: %w\n%s", test, err, out.Bytes())
	}
	wall := time.Since(start).Seconds()
	own := test.ProcessState.UserTime() + test.ProcessState.SystemTime()
	x := sample{seconds: wall, others: others(busySeconds()-busy-own.Seconds(), wall)}
	b.tally.add(series{name: name, samples: []sample{x}})
	return into.read(out.Bytes())
}

// read adds what a test binary has printed. A line of a benchmark is its name, the number of iterations, and pairs of a
// value and its unit.
func (m benchmarks) read(out []byte) error {
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i]
		}
		if m[name] == nil {
			m[name] = map[string][]float64{}
		}
		for pair := range slices.Chunk(fields[2:], 2) {
			value, err := strconv.ParseFloat(pair[0], 64)
			if err != nil || len(pair) < 2 {
				return fmt.Errorf("benchmark %s: %q is no value and unit", name, strings.Join(pair, " "))
			}
			m[name][pair[1]] = append(m[name][pair[1]], value)
		}
	}
	return nil
}

// medians returns the median of a metric's runs for each benchmark whose name starts so.
func (m benchmarks) medians(prefix, unit string) map[string]float64 {
	medians := map[string]float64{}
	for name, units := range m {
		if values := slices.Sorted(slices.Values(units[unit])); strings.HasPrefix(name, prefix) && len(values) > 0 {
			medians[name] = (values[(len(values)-1)/2] + values[len(values)/2]) / 2
		}
	}
	return medians
}
