// Package c_test compiles the header in all the ways that it promises, and runs its tests over the golden frames.
package c_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/sdk/sdktest/toolchain"
)

const frames = "../sdktest/testdata/frames"

// compile runs a compiler, or skips when there is none; CI has all.
func compile(t *testing.T, args ...string) {
	t.Helper()
	_, err := exec.LookPath(args[0])
	toolchain.Need(t, err)
	cmd := exec.Command(args[0], args[1:]...)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

// strict are the options that come before all others.
const strict = " -Wall -Wextra -pedantic -Werror -I . "

func TestHeaderReadsAndWritesTheGoldenFrames(t *testing.T) {
	toolchain.See(t, ".")
	for name, compiler := range map[string]string{
		"C":       "gcc" + strict + "-std=c11 -O2",
		"C++":     "g++" + strict + "-x c++ -std=c++20 -O2 -Wno-missing-field-initializers",
		"checked": "gcc" + strict + "-std=c11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover",
	} {
		t.Run(name, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "golden")
			compile(t, slices.Concat(strings.Fields(compiler), []string{"-o", program, "test/golden.c"})...)
			cmd := exec.Command(program, frames)
			cmd.Env = append(os.Environ(), "ASAN_OPTIONS=detect_leaks=0") // memory is never given back
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestModulesNeedNoCLibrary(t *testing.T) {
	toolchain.See(t, ".")
	const freestanding = "clang-19" + strict + "--target=wasm32-unknown-unknown -nostdlib -mbulk-memory -O2 " +
		"-Wl,--no-entry"
	for name, options := range map[string]string{
		"C":          "-std=c11 conformance/plugin.c",
		"C++":        "-std=c++20 -Wno-missing-designated-field-initializers -x c++ conformance/plugin.c",
		"not inline": "-std=c11 -O0 conformance/plugin.c",
		"stateful":   "-std=c11 conformance/median/plugin.c",
		"two files":  "-std=c11 test/declared.c test/defined.c",
	} {
		t.Run(name, func(t *testing.T) {
			module := filepath.Join(t.TempDir(), "plugin.wasm")
			compile(t, slices.Concat(strings.Fields(freestanding+" "+options), []string{"-o", module})...)
		})
	}
}
