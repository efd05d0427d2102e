//go:build cuda

package main

import (
	"fmt"
	"io"

	"github.com/carebot-llm/carebot/accelerators/cuda"
)

// printCUDA says what the machine has for the CUDA device, which this binary contains.
func printCUDA(out io.Writer) {
	for _, f := range cuda.Facts() {
		fmt.Fprintf(out, "%-10s %s\n", f.Name, f.Text)
	}
}
