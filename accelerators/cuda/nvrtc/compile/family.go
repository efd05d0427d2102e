//go:build cuda

package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/carebot-llm/carebot/accelerators/cuda/images"
)

// A family is one source of kernels and what became of it.
type family struct {
	name, folder string
	source       string
	hot          []string // patterns of the kernels that must not spill
	images       map[images.Target][]byte
	resources    []resources
}

// hotMark begins the lines of a source that name its hot kernels, by patterns in which * stands for any letters.
const hotMark = "// hot:"

func readFamilies(folder string) ([]*family, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.cu"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s holds no *.cu", folder)
	}
	if err != nil {
		return nil, err
	}
	all := make([]*family, len(files))
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(file), ".cu")
		all[i] = &family{name, folder, string(text), hotPatterns(string(text)), map[images.Target][]byte{}, nil}
	}
	return all, nil
}

func hotPatterns(source string) []string {
	var all []string
	for line := range strings.Lines(source) {
		if names, marked := strings.CutPrefix(line, hotMark); marked {
			all = append(all, strings.Fields(names)...)
		}
	}
	return all
}

func (f *family) isHot(kernel string) bool {
	return slices.ContainsFunc(f.hot, func(pattern string) bool { return matches(pattern, kernel) })
}

func matches(pattern, kernel string) bool {
	matched, err := path.Match(pattern, kernel)
	return err == nil && matched
}

// compile makes the family's image for every target. What the compiler warns of goes to the standard error.
func (f *family) compile(c *cache) error {
	for _, t := range images.Targets {
		start := time.Now()
		image, log, err := c.compile(f.name+".cu", f.source, f.options(t))
		used, rest := parse(log)
		fmt.Fprint(os.Stderr, rest)
		if err != nil {
			return fmt.Errorf("for %s: %w", t.Name, err)
		}
		f.images[t] = image
		f.add(t, used)
		took := time.Since(start).Round(10 * time.Millisecond)
		fmt.Printf("%-32s %8d bytes  %v\n", f.name+" "+t.Name, len(image), took)
	}
	return f.checkHot()
}

// checkHot finds marks that name no kernel.
func (f *family) checkHot() error {
	for _, pattern := range f.hot {
		names := func(r resources) bool { return matches(pattern, r.kernel) }
		if !slices.ContainsFunc(f.resources, names) {
			return fmt.Errorf("%s.cu marks %q as hot, which is no kernel of it", f.name, pattern)
		}
	}
	return nil
}

func (f *family) options(t images.Target) []string {
	all := []string{"--gpu-architecture=" + t.Name, "--std=c++17", "--include-path=" + f.folder}
	if !t.Virtual() {
		all = append(all, "--ptxas-options=-v")
	}
	return all
}

// writeImages replaces all images of a folder.
func writeImages(folder string, families []*family) error {
	best := zstd.WithEncoderLevel(zstd.SpeedBestCompression)
	encoder, err := zstd.NewWriter(nil, best, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(folder, "*.zst"))
	if err != nil {
		return err
	}
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	total := 0
	for _, f := range families {
		for t, image := range f.images {
			packed := encoder.EncodeAll(image, nil)
			total += len(packed)
			if err := os.WriteFile(filepath.Join(folder, images.File(f.name, t)), packed, 0o644); err != nil {
				return err
			}
		}
	}
	fmt.Printf("%d bytes of images, packed\n", total)
	return nil
}
