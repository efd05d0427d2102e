// Package include_test compares cuda.h with the vendor's headers: constants, sizes, offsets, symbols and signatures.
package include_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// headers names the folders that hold the vendor's cuda.h, one or several of them.
const headers = "CUDA_HEADERS"

// older are the functions to which CUDA 13 gave new forms. Ours keeps the older one, which drivers of 13 export too.
var older = map[string]string{
	"cuCtxCreate":            "cuCtxCreate_v4",
	"cuDeviceGetUuid":        "cuDeviceGetUuid_v2",
	"cuEventElapsedTime":     "cuEventElapsedTime_v2",
	"cuGraphAddDependencies": "cuGraphAddDependencies_v2",
	"cuGraphGetEdges":        "cuGraphGetEdges_v2",
	"cuMemAdvise":            "cuMemAdvise_v2",
	"cuMemPrefetchAsync":     "cuMemPrefetchAsync_v2",
}

var (
	constant    = regexp.MustCompile(`(?m)^\t(CU\w+) = (\w+),?$`)
	flag        = regexp.MustCompile(`(?m)^#define (CU_\w+) (0x\w+)$`)
	named       = regexp.MustCompile(`(?m)^#define (cu\w+) (cu\w+)$`)
	declaration = regexp.MustCompile(`(?m)^CUresult CUDAAPI (\w+)\(([^;]*)\);`)
	structure   = regexp.MustCompile(`(?ms)^typedef (?:struct|union) \w+ \{\n(.*?)^\} (\w+);`)
	scalar      = regexp.MustCompile(`(?m)^(?:\} (\w+);|typedef [^{\n]*?\b(CU\w+|cuuint\w+)(?:\)\(.*\))?;)$`)
	field       = regexp.MustCompile(`(\w+)(?:\[[^]]*\])?[,;]`)
	nested      = regexp.MustCompile(`(?s)struct \{.*?\}`)
)

// A vendor is a folder with the vendor's cuda.h.
type vendor struct {
	folder string
	v13    bool
}

func TestHeaderAgreesWithTheVendors(t *testing.T) {
	folders := filepath.SplitList(os.Getenv(headers))
	if len(folders) == 0 {
		t.Skipf("SKIPPED: cuda.h is compared with nothing, since %s names no folder of the vendor's headers "+
			"(make check-cuda-header fetches them)", headers)
	}
	text, err := os.ReadFile("cuda.h")
	if err != nil {
		t.Fatal(err)
	}
	ours := string(text)
	layouts := measure(t, ours)
	for _, folder := range folders {
		t.Run(filepath.Base(filepath.Dir(folder)), func(t *testing.T) {
			v := vendor{folder, majorOf(t, folder) >= 13}
			v.accepts(t, "constants", constants(ours))
			v.accepts(t, "sizes and offsets", layouts)
			v.accepts(t, "signatures", signatures(ours))
			v.binds(t, ours)
		})
	}
}

func majorOf(t *testing.T, folder string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "cuda.h"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`#define CUDA_VERSION (\d+)`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s/cuda.h has no CUDA_VERSION", folder)
	}
	version := 0
	fmt.Sscan(string(found[1]), &version)
	t.Logf("CUDA %d.%d in %s", version/1000, version%1000/10, folder)
	return version / 1000
}

func constants(ours string) string {
	var out strings.Builder
	for _, m := range append(constant.FindAllStringSubmatch(ours, -1), flag.FindAllStringSubmatch(ours, -1)...) {
		fmt.Fprintf(&out, "_Static_assert((long long)%s == %s, \"%s\");\n", m[1], m[2], m[1])
	}
	return out.String()
}

// measure compiles and runs a program that states the size of every type of ours and the offset of every field.
func measure(t *testing.T, ours string) string {
	var out strings.Builder
	out.WriteString("#include <stddef.h>\n#include <stdio.h>\n#include <cuda.h>\nint main(void) {\n")
	state := func(what string) {
		fmt.Fprintf(&out, "printf(\"_Static_assert(%s == %%zu, \\\"%s\\\");\\n\", (size_t)(%s));\n", what, what, what)
	}
	for _, m := range scalar.FindAllStringSubmatch(ours, -1) {
		state("sizeof(" + m[1] + m[2] + ")")
	}
	for _, m := range structure.FindAllStringSubmatch(ours, -1) {
		for _, f := range field.FindAllStringSubmatch(nested.ReplaceAllString(m[1], "struct"), -1) {
			state("offsetof(" + m[2] + ", " + f[1] + ")")
		}
	}
	out.WriteString("}\n")
	program := filepath.Join(t.TempDir(), "measure")
	compile(t, out.String(), ".", "-o", program)
	stated, err := exec.Command(program).Output()
	if err != nil {
		t.Fatal(err)
	}
	return "#include <stddef.h>\n" + string(stated)
}

// signatures declares every function of ours again, by its symbol, which the compiler allows only with the same types.
func signatures(ours string) string {
	symbols := symbolsOf(ours)
	var out strings.Builder
	for _, m := range declaration.FindAllStringSubmatch(ours, -1) {
		fmt.Fprintf(&out, "_Static_assert(sizeof(&%s) > 0, \"\");\n", symbols[m[1]])
		fmt.Fprintf(&out, "CUresult CUDAAPI %s(%s);\n", symbols[m[1]], m[2])
	}
	return out.String()
}

// symbolsOf is the symbol of the driver that each function's name stands for.
func symbolsOf(ours string) map[string]string {
	symbols := map[string]string{}
	for _, m := range declaration.FindAllStringSubmatch(ours, -1) {
		symbols[m[1]] = m[1]
	}
	for _, m := range named.FindAllStringSubmatch(ours, -1) {
		symbols[m[1]] = m[2]
	}
	return symbols
}

// accepts compiles statements behind the vendor's header, with the older forms of its functions declared.
func (v vendor) accepts(t *testing.T, what, statements string) {
	t.Helper()
	if n := strings.Count(statements, "\n"); n < 100 {
		t.Errorf("only %d statements about %s were found", n, what)
	}
	source := "#define __CUDA_API_VERSION_INTERNAL 1\n#include <cuda.h>\n" + statements
	compile(t, source, v.folder, "-fsyntax-only")
}

// binds compares the symbols that the names stand for when a program includes the header plainly.
func (v vendor) binds(t *testing.T, ours string) {
	t.Helper()
	symbols := symbolsOf(ours)
	var source strings.Builder
	source.WriteString("#include <cuda.h>\n")
	for name := range symbols {
		fmt.Fprintf(&source, "@\"%s\" %s\n", name, name)
	}
	for _, m := range regexp.MustCompile(`(?m)^@"(\w+)" (\w+)$`).
		FindAllStringSubmatch(compile(t, source.String(), v.folder, "-E"), -1) {
		name, symbol := m[1], m[2]
		want := symbols[name]
		if newer, changed := older[name]; changed && v.v13 {
			want = newer
		}
		if symbol != want {
			t.Errorf("%s stands for %s, ours for %s", name, symbol, want)
		}
		delete(symbols, name)
	}
	if len(symbols) > 0 {
		t.Errorf("no symbols were found of %v", symbols)
	}
}

func compile(t *testing.T, source, include string, arguments ...string) string {
	t.Helper()
	command := exec.Command("gcc", append([]string{"-std=gnu11", "-w", "-xc", "-", "-I" + include}, arguments...)...)
	command.Stdin = strings.NewReader(source)
	var problems strings.Builder
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Errorf("%v: %s", err, problems.String())
	}
	return string(out)
}
