package main

import (
	"bufio"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/cpu"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// features lists the instruction sets of the processor that the kernels could use.
func features() []string {
	switch runtime.GOARCH {
	case "amd64":
		return flags(reflect.ValueOf(cpu.X86))
	case "arm64":
		return flags(reflect.ValueOf(cpu.ARM64))
	}
	return []string{runtime.GOARCH}
}

// flags names the fields HasX that are true.
func flags(v reflect.Value) []string {
	var names []string
	for i := range v.NumField() {
		name, ok := strings.CutPrefix(v.Type().Field(i).Name, "Has")
		if ok && v.Field(i).Kind() == reflect.Bool && v.Field(i).Bool() {
			names = append(names, strings.ToLower(name))
		}
	}
	return names
}

// memory is what /proc and the control group say; other systems are not asked.
func memory() string {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	var parts []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err == nil && (name == "MemTotal" || name == "MemAvailable") {
			size := recipe.Bytes(kib >> 10 << 20)
			parts = append(parts, size.String()+" "+strings.ToLower(strings.TrimPrefix(name, "Mem")))
		}
	}
	if limit, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		parts = append(parts, "control group "+strings.TrimSpace(string(limit)))
	}
	return strings.Join(parts, ", ")
}
