//go:build cuda

package cublaslt

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// headers names the folders that the vendor's cublasLt.h and what it includes are in, of one version.
const headers = "CUBLAS_HEADERS"

// vendors are the vendor's names of our constants.
var vendors = map[string]string{
	"STATUS_SUCCESS":          "CUBLAS_STATUS_SUCCESS",
	"STATUS_NOT_INITIALIZED":  "CUBLAS_STATUS_NOT_INITIALIZED",
	"STATUS_INVALID_VALUE":    "CUBLAS_STATUS_INVALID_VALUE",
	"STATUS_EXECUTION_FAILED": "CUBLAS_STATUS_EXECUTION_FAILED",
	"STATUS_NOT_SUPPORTED":    "CUBLAS_STATUS_NOT_SUPPORTED",
	"TYPE_F32":                "CUDA_R_32F",
	"TYPE_BF16":               "CUDA_R_16BF",
	"COMPUTE_F32":             "CUBLAS_COMPUTE_32F",
	"OPERATION_N":             "CUBLAS_OP_N",
	"OPERATION_T":             "CUBLAS_OP_T",
	"DESC_TRANSA":             "CUBLASLT_MATMUL_DESC_TRANSA",
	"DESC_TRANSB":             "CUBLASLT_MATMUL_DESC_TRANSB",
	"PREFER_WORKSPACE_BYTES":  "CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES",
	"PREFER_REDUCTION_MASK":   "CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK",
	"PREFER_ALIGNMENT_A":      "CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES",
	"PREFER_ALIGNMENT_B":      "CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES",
	"PREFER_ALIGNMENT_C":      "CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES",
	"PREFER_ALIGNMENT_D":      "CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES",
	"REDUCTION_COMPUTE_TYPE":  "CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE",
	"MOST_SUGGESTIONS":        "8", // our own
}

// standIns are for headers that the vendor's packages lack, or that only its compilers take.
var standIns = map[string]string{
	"crt/host_defines.h": "#define CUDARTAPI\n#define __host__\n#define __device__\n#define __device_builtin__\n" +
		"#define __cudart_builtin__\n#define __align__(n)\n#define __builtin_align__(n)\n" +
		"#define __forceinline__ inline\n",
	"cuda_fp16.h": "struct __half {};\n",
	"cuda_bf16.h": "struct __nv_bfloat16 {};\n",
}

// alike is whether two functions take and return the same, as far as a call can tell.
const alike = `
#include <type_traits>
#include "cublaslt.h"

template <class A, class B>
constexpr bool same = sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B> &&
	std::is_floating_point_v<A> == std::is_floating_point_v<B>;

template <class R, class... P, class S, class... Q>
constexpr bool alike(R (*)(P...), S (*)(Q...)) {
	if constexpr (sizeof...(P) != sizeof...(Q)) return false;
	else return same<R, S> && (same<P, Q> && ...);
}

constexpr lt_library ours = {};
static_assert(sizeof(lt_algorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(lt_suggestion) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(lt_suggestion, algorithm) == offsetof(cublasLtMatmulHeuristicResult_t, algo));
static_assert(offsetof(lt_suggestion, workspace) == offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(lt_suggestion, status) == offsetof(cublasLtMatmulHeuristicResult_t, state));
static_assert(offsetof(lt_suggestion, waves) == offsetof(cublasLtMatmulHeuristicResult_t, wavesCount));
`

func TestHeaderAgreesWithTheVendors(t *testing.T) {
	folders := filepath.SplitList(os.Getenv(headers))
	if len(folders) == 0 {
		t.Skipf("SKIPPED: cublaslt.h is compared with nothing, since %s names no folders of the vendor's headers "+
			"(the packages nvidia-cublas and nvidia-cuda-runtime have them)", headers)
	}
	compiler := []string{"-x", "c++", "-std=c++17", "-w", "-fsyntax-only", "-I" + standInFolder(t), "-I."}
	for _, folder := range folders {
		compiler = append(compiler, "-I"+folder)
	}
	command := exec.Command("g++", append(compiler, "-")...)
	command.Stdin = strings.NewReader("#include <cublasLt.h>\n" + alike + constants(t) + functions(t))
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func standInFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range standIns {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// constants compares every constant of our header, and the numbers of the texts for errors.
func constants(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	found := regexp.MustCompile(`\b([A-Z][A-Z0-9_]+) = \d+`).FindAllStringSubmatch(source(t, "cublaslt.h"), -1)
	for _, m := range found {
		fmt.Fprintf(&out, "static_assert((int)%s == (int)%s);\n", m[1], vendors[m[1]])
	}
	for status, name := range map[int]string{3: "ALLOC_FAILED", 8: "ARCH_MISMATCH", 11: "MAPPING_ERROR",
		14: "INTERNAL_ERROR"} {
		fmt.Fprintf(&out, "static_assert(%d == (int)CUBLAS_STATUS_%s);\n", status, name)
	}
	if len(found) != len(vendors) {
		t.Errorf("%d constants were found, want %d", len(found), len(vendors))
	}
	return out.String()
}

// functions compares every function that bind looks up.
func functions(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	found := regexp.MustCompile(`\{"(\w+)", &lt->(\w+)\}`).FindAllStringSubmatch(source(t, "cublaslt.c"), -1)
	for _, m := range found {
		fmt.Fprintf(&out, "static_assert(alike(ours.%s, decltype(&%s)()), \"%s\");\n", m[2], m[1], m[1])
	}
	if len(found) != 14 {
		t.Errorf("%d functions were found, want 14", len(found))
	}
	return out.String()
}

func source(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
