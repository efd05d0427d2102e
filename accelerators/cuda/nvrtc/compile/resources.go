//go:build cuda

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/carebot-llm/carebot/accelerators/cuda/images"
)

// resources are what a kernel takes, by target.
type resources struct {
	kernel string
	of     map[string]taken
}

// taken are registers of a thread, bytes that it spills (stores and loads together), bytes of its local memory (what it
// spills, and arrays that are not in registers), and bytes of shared memory of a block that the source fixes.
type taken struct{ registers, spilled, local, shared int }

var (
	entryLine = regexp.MustCompile(`Compiling entry function '(\w+)'`)
	localLine = regexp.MustCompile(`(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads`)
	usedLine  = regexp.MustCompile(`Used (\d+) registers`)
	smemLine  = regexp.MustCompile(`(\d+) bytes smem`)
)

// A report is what the log says of one kernel.
type report struct {
	kernel string
	taken  taken
}

// parse reads the assembler's reports in a log; rest is what else the log says.
func parse(log string) (reports []report, rest string) {
	var other strings.Builder
	local, spilled := 0, 0
	for line := range strings.Lines(log) {
		switch {
		case entryLine.MatchString(line):
			reports = append(reports, report{kernel: entryLine.FindStringSubmatch(line)[1]})
		case localLine.MatchString(line):
			local = number(localLine, line, 1)
			spilled = number(localLine, line, 2) + number(localLine, line, 3)
		case usedLine.MatchString(line) && len(reports) > 0:
			reports[len(reports)-1].taken = taken{number(usedLine, line, 1), spilled, local, number(smemLine, line, 1)}
		case !strings.HasPrefix(line, "ptxas info") && strings.TrimSpace(line) != "":
			other.WriteString(line)
		}
	}
	return reports, other.String()
}

// number is what a group of a pattern found in a line; 0 where it found nothing.
func number(pattern *regexp.Regexp, line string, group int) int {
	found := pattern.FindStringSubmatch(line)
	if found == nil {
		return 0
	}
	n, _ := strconv.Atoi(found[group])
	return n
}

func (f *family) add(t images.Target, reports []report) {
	for _, r := range reports {
		i := slices.IndexFunc(f.resources, func(of resources) bool { return of.kernel == r.kernel })
		if i < 0 {
			i = len(f.resources)
			f.resources = append(f.resources, resources{r.kernel, map[string]taken{}})
		}
		f.resources[i].of[t.Name] = r.taken
	}
}

func (t taken) String() string {
	return fmt.Sprintf("%d / %d / %d / %d", t.registers, t.spilled, t.local, t.shared)
}
