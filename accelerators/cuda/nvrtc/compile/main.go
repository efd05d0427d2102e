//go:build cuda

// Compile makes the images of all kernels with NVIDIA's run-time compiler, and the table of what they take of a GPU.
// make kernels runs it.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/carebot-llm/carebot/accelerators/cuda/images"
	"github.com/carebot-llm/carebot/accelerators/cuda/nvrtc"
)

func main() {
	compiler := flag.String("nvrtc", "", "folder of libnvrtc and its builtins")
	sources := flag.String("kernels", "accelerators/cuda/kernels", "folder of the kernels' sources")
	out := flag.String("images", "accelerators/cuda/images", "folder of the images")
	table := flag.String("table", "docs/gpu-kernels.md", "file of the table of resources")
	flag.Parse()
	if err := run(*compiler, *sources, *out, *table); err != nil {
		fmt.Fprintln(os.Stderr, "compile the kernels:", err)
		os.Exit(1)
	}
}

func run(folder, sources, out, table string) error {
	compiler, err := nvrtc.Open(folder)
	if err != nil {
		return err
	}
	version, err := compiler.Version()
	if err != nil {
		return err
	}
	families, err := readFamilies(sources)
	if err != nil {
		return err
	}
	for _, f := range families {
		if err := f.compile(compiler); err != nil {
			return err
		}
	}
	if err := writeImages(out, families); err != nil {
		return err
	}
	sum, err := images.Sum(sources)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, images.SumFile), []byte(sum), 0o644); err != nil {
		return err
	}
	return os.WriteFile(table, []byte(tabulate(version, families)), 0o644)
}
