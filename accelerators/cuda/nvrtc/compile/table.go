//go:build cuda

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/accelerators/cuda/images"
)

const introduction = `# What the kernels take of a GPU

For each kernel and architecture: registers of a thread / bytes that a thread spills, stores and loads / bytes of a
thread's local memory / bytes of shared memory of a block, without what a launch adds. Hot kernels (**bold**) must not
spill; a test reads this file. Written by ` + "`make kernels`" + ` with NVRTC %s.
`

// tabulate is the text of docs/gpu-kernels.md.
func tabulate(version string, families []*family) string {
	var out strings.Builder
	fmt.Fprintf(&out, introduction, version)
	for _, f := range families {
		fmt.Fprintf(&out, "\n## %s\n\n| kernel |", f.name)
		rule := "\n|---|"
		for _, t := range realTargets() {
			fmt.Fprintf(&out, " %s |", t.Name)
			rule += "---|"
		}
		out.WriteString(rule + "\n")
		for _, r := range sorted(f.resources) {
			out.WriteString(f.row(r))
		}
	}
	return out.String()
}

func (f *family) row(r resources) string {
	name := r.kernel
	if f.isHot(name) {
		name = "**" + name + "**"
	}
	row := "| " + name + " |"
	for _, t := range realTargets() {
		row += fmt.Sprintf(" %v |", r.of[t.Name])
	}
	return row + "\n"
}

// realTargets are the targets whose registers are known, the oldest first.
func realTargets() []images.Target {
	all := slices.DeleteFunc(slices.Clone(images.Targets), images.Target.Virtual)
	slices.Reverse(all)
	return all
}

func sorted(all []resources) []resources {
	return slices.SortedFunc(slices.Values(all), func(a, b resources) int { return cmp.Compare(a.kernel, b.kernel) })
}
