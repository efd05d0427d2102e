package images

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const kernels = "../kernels"

func families(t *testing.T) []string {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join(kernels, "*.cu"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources of kernels: %v", err)
	}
	for i, file := range sources {
		sources[i] = strings.TrimSuffix(filepath.Base(file), ".cu")
	}
	return sources
}

func TestEveryFamilyHasItsImages(t *testing.T) {
	for _, family := range families(t) {
		for _, target := range Targets {
			image, err := Find(family, target.major, target.minor)
			if err != nil {
				t.Error(err)
				continue
			}
			if best, _ := For(target.major, target.minor); best.Virtual() != bytes.HasPrefix(image, []byte("//")) {
				t.Errorf("%s begins with %q", File(family, best), image[:4])
			}
		}
		ptx, err := Find(family, 12, 0)
		if err != nil || !bytes.Contains(ptx, []byte(".target sm_80")) || ptx[len(ptx)-1] != 0 {
			t.Errorf("the PTX of %s is not for compute_80 or does not end: %v", family, err)
		}
	}
}

func TestFindNamesAMissingFamily(t *testing.T) {
	if _, err := Find("absent", 9, 0); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Error(err)
	}
}

// Images of older sources would run with arguments that are no longer theirs.
func TestImagesAreOfTheseSources(t *testing.T) {
	made, err := os.ReadFile(SumFile)
	if err != nil {
		t.Fatal(err)
	}
	now, err := Sum(kernels)
	if err != nil {
		t.Fatal(err)
	}
	if now != string(made) {
		t.Errorf("the sources of the kernels have changed: run make kernels\nnow\n%sthe images are of\n%s", now, made)
	}
}

// A spilled register costs the slowest memory; the table says which kernels have none to spare.
func TestHotKernelsDoNotSpill(t *testing.T) {
	table, err := os.ReadFile("../../../docs/gpu-kernels.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		if !strings.HasPrefix(line, "| **") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| \n"), "|")
		for _, cell := range cells[1:] {
			if numbers := strings.Split(cell, "/"); len(numbers) != 4 || strings.TrimSpace(numbers[1]) != "0" {
				t.Errorf("%s spills: %s", strings.TrimSpace(cells[0]), cell)
			}
		}
	}
}
