package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBenchmarksAreRead(t *testing.T) {
	m := benchmarks{}
	err := m.read([]byte("goos: linux\n" +
		"BenchmarkNull/1KB-2  100  0 ns/op  25.5 module-ns/doc  1.2 module/memcpy\n--- BENCH: BenchmarkNull\n    x.go:1: slow\n" +
		"BenchmarkNull/1KB-2  100  0 ns/op  27.5 module-ns/doc\nBenchmarkNull/en-8KB-2  3  175 module-ns/doc\nPASS\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"Null/1KB": 26.5, "Null/en-8KB": 175}
	if diff := cmp.Diff(want, m.medians("Null/", "module-ns/doc")); diff != "" {
		t.Error(diff)
	}
	if err := m.read([]byte("BenchmarkX-2  100  fast ns/op\n")); err == nil {
		t.Error("a word is read as a value")
	}
}
