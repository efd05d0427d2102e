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
	var p paths
	flag.StringVar(&p.compiler, "nvrtc", ".cuda/nvidia/cuda_nvrtc/lib", "folder of libnvrtc and its builtins")
	flag.StringVar(&p.cache, "cache", ".cuda/cache", "folder of what was compiled before")
	flag.StringVar(&p.sources, "kernels", "accelerators/cuda/kernels", "folder of the kernels' sources")
	flag.StringVar(&p.images, "images", "accelerators/cuda/images", "folder of the images")
	flag.StringVar(&p.table, "table", "docs/gpu-kernels.md", "file of the table of resources")
	flag.Parse()
	if err := run(p); err != nil {
		fmt.Fprintln(os.Stderr, "compile the kernels:", err)
		os.Exit(1)
	}
}

// paths are what is read and what is written.
type paths struct{ compiler, cache, sources, images, table string }

func run(p paths) error {
	compiler, err := nvrtc.Open(p.compiler)
	if err != nil {
		return err
	}
	version, err := compiler.Version()
	if err != nil {
		return err
	}
	cache, err := newCache(compiler, p.cache, version, p.sources)
	if err != nil {
		return err
	}
	families, err := readFamilies(p.sources)
	if err != nil {
		return err
	}
	for _, f := range families {
		if err := f.compile(cache); err != nil {
			return err
		}
	}
	return write(p, version, families)
}

func write(p paths, version string, families []*family) error {
	sum, err := images.Sum(p.sources)
	if err != nil {
		return err
	}
	if err := writeImages(p.images, families); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(p.images, images.SumFile), []byte(sum), 0o644); err != nil {
		return err
	}
	return os.WriteFile(p.table, []byte(tabulate(version, families)), 0o644)
}
