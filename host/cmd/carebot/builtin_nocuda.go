//go:build !cuda

package main

import (
	"fmt"
	"io"
)

// printCUDA says how to get a binary that contains the CUDA device.
func printCUDA(out io.Writer) {
	fmt.Fprintf(out, "%-10s %s\n", "driver", "this binary has no CUDA: make build-gpu makes bin/carebot-gpu, which has")
}
