// What is used of cublasLt, by its API reference: the same in the versions 11, 12 and 13.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {                                      // cublasStatus
	STATUS_SUCCESS = 0,
	STATUS_NOT_INITIALIZED = 1,
	STATUS_INVALID_VALUE = 7,
	STATUS_EXECUTION_FAILED = 13,
	STATUS_NOT_SUPPORTED = 15,
};
enum { TYPE_F32 = 0, TYPE_BF16 = 14 };      // cudaDataType
enum { COMPUTE_F32 = 68 };                  // cublasComputeType, which never takes TF32
enum { OPERATION_N = 0, OPERATION_T = 1 };  // cublasOperation
enum { DESC_TRANSA = 3, DESC_TRANSB = 4 };  // cublasLtMatmulDescAttributes
enum {                                      // cublasLtMatmulPreferenceAttributes
	PREFER_WORKSPACE_BYTES = 1,
	PREFER_REDUCTION_MASK = 3,
	PREFER_ALIGNMENT_A = 5,
	PREFER_ALIGNMENT_B = 6,
	PREFER_ALIGNMENT_C = 7,
	PREFER_ALIGNMENT_D = 8,
};
enum { REDUCTION_COMPUTE_TYPE = 2 };        // cublasLtReductionScheme: parts in f32 in the workspace, added up after

// An algorithm is the library's own: it may be stored, for the same version.
typedef struct {
	uint64_t words[8];
} lt_algorithm;

typedef struct {
	lt_algorithm algorithm;
	size_t workspace;
	int status;
	float waves;
	int reserved[4];
} lt_suggestion;

typedef struct {
	void *library, *handle;
	int (*create)(void **handle);
	int (*destroy)(void *handle);
	size_t (*version)(void);
	int (*desc_create)(void **desc, int compute, int scale);
	int (*desc_set)(void *desc, int attribute, const void *value, size_t size);
	int (*desc_destroy)(void *desc);
	int (*layout_create)(void **layout, int type, uint64_t rows, uint64_t columns, int64_t stride);
	int (*layout_destroy)(void *layout);
	int (*preference_create)(void **preference);
	int (*preference_set)(void *preference, int attribute, const void *value, size_t size);
	int (*preference_destroy)(void *preference);
	int (*suggest)(void *handle, void *desc, void *a, void *b, void *c, void *d, void *preference, int most,
		lt_suggestion *suggestions, int *count);
	int (*check)(void *handle, void *desc, void *a, void *b, void *c, void *d, const lt_algorithm *algorithm,
		lt_suggestion *result);
	int (*multiply)(void *handle, void *desc, const void *alpha, const void *a, void *layout_a, const void *b,
		void *layout_b, const void *beta, const void *c, void *layout_c, void *d, void *layout_d,
		const lt_algorithm *algorithm, void *workspace, size_t bytes, void *stream);
} lt_library;

// A matrix in memory, by columns as cublasLt has it.
typedef struct {
	uint64_t at;
	int type;
	uint64_t rows, columns;
	int64_t stride;
	uint32_t alignment;
} lt_matrix;

// A product is D = alpha*op(A) op(B) + beta*C, where D has C's layout.
typedef struct {
	lt_matrix a, b, c;
	uint64_t d;
	int operation_a, operation_b;
	float alpha, beta;
} lt_product;

// lt_open opens a library and makes a handle in the thread's context. It returns NULL, or what failed, with the status
// of the library where it is that.
const char *lt_open(lt_library *lt, const char *file, int *status);
int lt_close(lt_library *lt);
size_t lt_version(const lt_library *lt);

enum { MOST_SUGGESTIONS = 8 };

// lt_suggest writes up to MOST_SUGGESTIONS algorithms, the best first as the library guesses, and how many there are.
int lt_suggest(const lt_library *lt, const lt_product *p, size_t workspace, lt_algorithm *algorithms, int *count);
// lt_check is whether an algorithm computes a product and how much workspace it needs.
int lt_check(const lt_library *lt, const lt_product *p, const lt_algorithm *algorithm, size_t *workspace);
int lt_multiply(const lt_library *lt, const lt_product *p, const lt_algorithm *algorithm, uint64_t workspace,
	size_t bytes, void *stream);
