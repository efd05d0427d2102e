package main

import "testing"

// TestGPUSections run on the processor: tiny, and without a page.
func TestGPUSections(t *testing.T) {
	b := &bench{device: "cpu", tiny: true, rounds: 2, page: "none"}
	if err := b.run(""); err != nil {
		t.Fatal(err)
	}
}
