//go:build cuda

package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/accelerators/cuda/images"
)

const log = `ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'add' for 'sm_80'
ptxas info    : Function properties for add
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 12 registers, used 0 barriers, 376 bytes cmem[0]
norm.cu(3): warning #177-D: variable "x" was declared but never referenced
ptxas info    : Compiling entry function 'norm' for 'sm_80'
ptxas info    : Function properties for norm
    48 bytes stack frame, 20 bytes spill stores, 24 bytes spill loads
ptxas info    : Used 255 registers, used 1 barriers, 128 bytes smem, 376 bytes cmem[0]
`

func TestParse(t *testing.T) {
	reports, rest := parse(log)
	want := []report{{"add", taken{12, 0, 0, 0}}, {"norm", taken{255, 44, 48, 128}}}
	if diff := cmp.Diff(want, reports, cmp.AllowUnexported(report{}, taken{})); diff != "" {
		t.Error(diff)
	}
	if want := "norm.cu(3): warning #177-D: variable \"x\" was declared but never referenced\n"; rest != want {
		t.Errorf("besides there is %q", rest)
	}
}

func TestMarksOfHotKernels(t *testing.T) {
	f := family{name: "norm", hot: hotPatterns("// hot: norm_* add\n// norm is hot: no\n")}
	f.add(images.Targets[0], []report{{kernel: "norm_f32"}, {kernel: "add"}, {kernel: "add_bias"}})
	if !f.isHot("norm_f32") || !f.isHot("add") || f.isHot("add_bias") {
		t.Errorf("marked are %v", f.hot)
	}
	if err := f.checkHot(); err != nil {
		t.Error(err)
	}
	f.hot = append(f.hot, "scale")
	if err := f.checkHot(); err == nil {
		t.Error("a mark of no kernel is not found")
	}
}
