//go:build cuda

// Package emulatortest builds the emulator with kernels and programs of its own (testdata) and sees whether it does
// what a GPU does, and finds what a GPU leaves undefined.
package emulatortest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The flags are those of the Makefile. Kernels are built for the emulator as it is, and for the one that looks for
// races.
const (
	flags  = "-x c++ -std=c++17 -O2 -fno-strict-aliasing -g -fPIC -Wall -Wno-unknown-pragmas -ffp-contract=off"
	checks = flags + " -fsanitize=alignment,bounds,shift,integer-divide-by-zero -fno-sanitize-recover=all"
	races  = flags + " -fsanitize=thread"
	plainC = "-x c -O2 -g -fPIC -Wall"
)

// A compiler makes programs for one architecture in a folder, where a runner, if need be, runs them.
type compiler struct {
	cxx    string
	runner []string
	dir    string
}

var native = &compiler{cxx: "g++"}

var scratch string // is removed after the tests

func TestMain(m *testing.M) {
	if kernel := os.Getenv(kernelToLaunch); kernel != "" {
		fmt.Println(launched(kernel))
		return
	}
	var err error
	if scratch, err = os.MkdirTemp("", "emulator"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// built has the programs of this machine, which are built once for all tests.
func built(t *testing.T) *compiler {
	t.Helper()
	if _, err := exec.LookPath(native.cxx); err != nil {
		t.Skip("NOTHING OF THE EMULATOR IS TESTED: there is no g++")
	}
	if native.dir == "" {
		native.dir = scratch
		native.programs(t)
	}
	return native
}

// programs builds the test programs with both kinds of kernels; and the library, with a program that opens it through
// the trampolines of package driver.
func (c *compiler) programs(t *testing.T) {
	t.Helper()
	machine := c.machine(t)
	for suffix, flagsOfKernels := range map[string]string{"": checks, "-races": races} {
		kernels := c.object(t, "testdata/kernels.cu", suffix, flagsOfKernels)
		for _, program := range []string{"rotate", "collectives", "driver"} {
			main := c.object(t, "testdata/"+program+".cpp", "", flags)
			c.link(t, program+suffix, slices.Concat(machine, []string{main, kernels}))
		}
		c.link(t, "libcuda"+suffix+".so", slices.Concat(machine, []string{kernels, "-shared"}))
	}
	main := c.object(t, "testdata/rotate.cpp", "", flags)
	c.link(t, "rotate-trampolines", []string{main, c.object(t, "../../driver/trampolines.c", "", plainC)})
}

// machine compiles the emulator.
func (c *compiler) machine(t *testing.T) []string {
	t.Helper()
	sources, err := filepath.Glob("../*.cpp")
	if err != nil || len(sources) == 0 {
		t.Fatal("no sources", err)
	}
	objects := make([]string, len(sources))
	var all sync.WaitGroup
	for i, source := range sources {
		all.Go(func() { objects[i] = c.object(t, source, "", flags) })
	}
	all.Wait()
	return objects
}

// object compiles a source.
func (c *compiler) object(t *testing.T, source, suffix, flags string) string {
	t.Helper()
	out := filepath.Join(c.dir, strings.NewReplacer("/", "-", "..", "emulator").Replace(source)+suffix+".o")
	c.do(t, slices.Concat(strings.Fields(flags), []string{"-c", "-o", out, source}))
	return out
}

func (c *compiler) link(t *testing.T, name string, objects []string) {
	t.Helper()
	c.do(t, slices.Concat([]string{"-o", filepath.Join(c.dir, name)}, objects, []string{"-ldl"}))
}

func (c *compiler) do(t *testing.T, arguments []string) {
	t.Helper()
	if text, err := exec.Command(c.cxx, arguments...).CombinedOutput(); err != nil || len(text) > 0 {
		t.Errorf("%s %s: %v\n%s", c.cxx, strings.Join(arguments, " "), err, text)
	}
}

// run is what a program says and whether it succeeds. What is set in the environment is VARIABLE=VALUE, or nothing.
func (c *compiler) run(set, program string, arguments ...string) (string, error) {
	line := slices.Concat(c.runner, []string{filepath.Join(c.dir, program)}, arguments)
	command := exec.Command(line[0], line[1:]...)
	command.Env = append(os.Environ(), strings.Fields(set)...)
	text, err := command.CombinedOutput()
	return string(text), err
}
