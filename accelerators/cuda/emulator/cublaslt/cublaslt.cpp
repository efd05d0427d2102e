// A cublasLt for tests without a GPU: device memory is the host's, products are sums in the plainest way, on the
// emulator's stream. It has several algorithms, which differ in the order of their sums, and fails in the ways that
// CAREBOT_FAKE_CUBLASLT names: "create" and "multiply" fail so, "suggest" knows no way. As with the vendor's, operands
// of an algorithm must be on the boundaries that it was suggested for, and a handle is of the thread's context.
#include "../../cublaslt/cublaslt.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <dlfcn.h>
#include <vector>

struct Desc {
	int compute, scale, trans_a, trans_b;
};

struct Layout {
	int type;
	uint64_t rows, columns;
	int64_t stride;
};

struct Preference {
	uint64_t workspace;
	uint32_t reductions, alignment[4];
};

// An algorithm's first word is MARK + its number; the second is how many parts K is cut into; then come the boundaries
// of A, B, C and D.
enum { MARK = 0x6c74, ALGORITHMS = 3 };

static const char *wish() {
	const char *name = getenv("CAREBOT_FAKE_CUBLASLT");
	return name ? name : "";
}

static bool fails(const char *where) { return !strcmp(wish(), where); }

static float read(const void *x, int type, uint64_t i) {
	if (type == TYPE_F32) return ((const float *)x)[i];
	uint32_t bits = (uint32_t)((const uint16_t *)x)[i] << 16;
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static void write(void *x, int type, uint64_t i, float value) {
	if (type == TYPE_F32) {
		((float *)x)[i] = value;
		return;
	}
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	((uint16_t *)x)[i] = std::isnan(value) ? 0x7fff : (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// A Call is a product on its way; all matrices are by columns.
struct Call {
	Desc desc;
	Layout a, b, c;
	const void *at_a, *at_b, *at_c;
	void *at_d;
	float alpha, beta;
	uint64_t parts;
};

// widened is op(X) as floats, row by row.
static std::vector<float> widened(const void *x, const Layout &of, bool trans) {
	uint64_t rows = trans ? of.columns : of.rows, columns = trans ? of.rows : of.columns;
	std::vector<float> all(rows * columns);
	for (uint64_t i = 0; i < rows; i++)
		for (uint64_t j = 0; j < columns; j++)
			all[i * columns + j] = read(x, of.type, trans ? j + i * of.stride : i + j * of.stride);
	return all;
}

// add_part adds to a row of sums every parts-th of K, from the first on.
static void add_part(float *sums, const float *a, const std::vector<float> &b, uint64_t k, uint64_t from,
	uint64_t parts) {
	uint64_t columns = b.size() / k;
	std::vector<float> part(columns);
	for (uint64_t i = from; i < k; i += parts)
		for (uint64_t j = 0; j < columns; j++) part[j] += a[i] * b[i * columns + j];
	for (uint64_t j = 0; j < columns; j++) sums[j] += part[j];
}

static void run(void *call) {
	const Call &p = *(const Call *)call;
	std::vector<float> a = widened(p.at_a, p.a, p.desc.trans_a), b = widened(p.at_b, p.b, p.desc.trans_b);
	uint64_t k = a.size() / p.c.rows;
	for (uint64_t row = 0; row < p.c.rows; row++) {
		std::vector<float> sums(p.c.columns);
		for (uint64_t from = 0; from < p.parts; from++) add_part(sums.data(), &a[row * k], b, k, from, p.parts);
		for (uint64_t column = 0; column < p.c.columns; column++) {
			uint64_t i = row + column * p.c.stride;
			float old = p.beta != 0 ? p.beta * read(p.at_c, p.c.type, i) : 0;
			write(p.at_d, p.c.type, i, p.alpha * sums[column] + old);
		}
	}
}

// in_driver is a function of the emulator's driver, if that is there.
template <class F>
static F in_driver(const char *name) {
	const char *file = getenv("CAREBOT_LIBCUDA");
	void *driver = file ? dlopen(file, RTLD_NOW | RTLD_NOLOAD) : nullptr;
	return driver ? (F)dlsym(driver, name) : nullptr;
}

static bool in_context() {
	auto current = in_driver<int (*)(void **)>("cuCtxGetCurrent");
	void *context = nullptr;
	return current && !current(&context) && context;
}

typedef int (*LaunchHostFunc)(void *stream, void (*function)(void *), void *data);

// enqueue runs a call on the emulator's stream. A graph may run it again, so calls are kept.
static int enqueue(const Call &call, void *stream) {
	static std::deque<Call> calls;
	calls.push_back(call);
	auto launch = in_driver<LaunchHostFunc>("cuLaunchHostFunc");
	if (!launch) return STATUS_NOT_INITIALIZED;
	return launch(stream, run, &calls.back()) ? STATUS_INVALID_VALUE : STATUS_SUCCESS;
}

static bool fits(const Desc *desc, const Layout *a, const Layout *b, const Layout *c) {
	uint64_t rows = desc->trans_a ? a->columns : a->rows, deep = desc->trans_a ? a->rows : a->columns;
	uint64_t deep_b = desc->trans_b ? b->columns : b->rows, columns = desc->trans_b ? b->rows : b->columns;
	for (const Layout *x : {a, b, c})
		if (!x->rows || !x->columns || x->stride < (int64_t)x->rows) return false;
	return desc->compute == COMPUTE_F32 && desc->scale == TYPE_F32 && a->type == b->type && rows == c->rows &&
	       deep == deep_b && columns == c->columns && (a->type == TYPE_BF16 || c->type == TYPE_F32);
}

static bool on_boundary(const void *x, const Layout *of, uint64_t bytes) {
	return (uint64_t)x % bytes == 0 && of->stride * (of->type == TYPE_F32 ? 4 : 2) % bytes == 0;
}

extern "C" {

int cublasLtCreate(void **handle) {
	if (fails("create") || !in_context()) return STATUS_NOT_INITIALIZED;
	*handle = malloc(1);
	return STATUS_SUCCESS;
}

int cublasLtDestroy(void *handle) {
	free(handle);
	return STATUS_SUCCESS;
}

size_t cublasLtGetVersion() { return 130000; }

int cublasLtMatmulDescCreate(void **desc, int compute, int scale) {
	*desc = new Desc{compute, scale, OPERATION_N, OPERATION_N};
	return STATUS_SUCCESS;
}

int cublasLtMatmulDescDestroy(void *desc) {
	delete (Desc *)desc;
	return STATUS_SUCCESS;
}

int cublasLtMatmulDescSetAttribute(void *desc, int attribute, const void *value, size_t size) {
	Desc *of = (Desc *)desc;
	if (size != sizeof(int) || (attribute != DESC_TRANSA && attribute != DESC_TRANSB)) return STATUS_INVALID_VALUE;
	(attribute == DESC_TRANSA ? of->trans_a : of->trans_b) = *(const int *)value;
	return STATUS_SUCCESS;
}

int cublasLtMatrixLayoutCreate(void **layout, int type, uint64_t rows, uint64_t columns, int64_t stride) {
	if (type != TYPE_F32 && type != TYPE_BF16) return STATUS_INVALID_VALUE;
	*layout = new Layout{type, rows, columns, stride};
	return STATUS_SUCCESS;
}

int cublasLtMatrixLayoutDestroy(void *layout) {
	delete (Layout *)layout;
	return STATUS_SUCCESS;
}

int cublasLtMatmulPreferenceCreate(void **preference) {
	*preference = new Preference{0, 7, {256, 256, 256, 256}};
	return STATUS_SUCCESS;
}

int cublasLtMatmulPreferenceDestroy(void *preference) {
	delete (Preference *)preference;
	return STATUS_SUCCESS;
}

int cublasLtMatmulPreferenceSetAttribute(void *preference, int attribute, const void *value, size_t size) {
	Preference *p = (Preference *)preference;
	void *to = attribute == PREFER_WORKSPACE_BYTES ? (void *)&p->workspace
	         : attribute == PREFER_REDUCTION_MASK  ? (void *)&p->reductions
	         : attribute >= PREFER_ALIGNMENT_A && attribute <= PREFER_ALIGNMENT_D
	             ? (void *)&p->alignment[attribute - PREFER_ALIGNMENT_A] : nullptr;
	size_t want = attribute == PREFER_WORKSPACE_BYTES ? sizeof(uint64_t) : sizeof(uint32_t);
	if (!to || size != want) return STATUS_INVALID_VALUE;
	memcpy(to, value, size);
	return STATUS_SUCCESS;
}

// Only algorithms that cut K into parts in the way that is allowed are suggested; alignments must be what they can be.
int cublasLtMatmulAlgoGetHeuristic(void *, void *desc, void *a, void *b, void *c, void *d, void *preference, int most,
	lt_suggestion *suggestions, int *count) {
	const Preference *p = (const Preference *)preference;
	*count = 0;
	if (d != c || !fits((Desc *)desc, (Layout *)a, (Layout *)b, (Layout *)c)) return STATUS_INVALID_VALUE;
	if (!in_context()) return STATUS_NOT_INITIALIZED;
	if (fails("suggest") || p->alignment[0] < 2 || p->alignment[2] != p->alignment[3]) return STATUS_NOT_SUPPORTED;
	for (uint64_t i = 0; i < ALGORITHMS && (int)i < most; i++) {
		lt_suggestion s = {};
		s.algorithm.words[0] = MARK + i;
		s.algorithm.words[1] = 1 + i;
		for (int x = 0; x < 4; x++) s.algorithm.words[2 + x] = p->alignment[x];
		s.workspace = i << 20;
		bool possible = p->reductions == REDUCTION_COMPUTE_TYPE && s.workspace <= p->workspace;
		s.status = possible ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
		suggestions[(*count)++] = s;
	}
	return STATUS_SUCCESS;
}

int cublasLtMatmulAlgoCheck(void *, void *desc, void *a, void *b, void *c, void *d, const lt_algorithm *algorithm,
	lt_suggestion *result) {
	uint64_t number = algorithm->words[0] - MARK;
	if (d != c || number >= ALGORITHMS) return STATUS_INVALID_VALUE;
	if (!fits((Desc *)desc, (Layout *)a, (Layout *)b, (Layout *)c)) return STATUS_INVALID_VALUE;
	*result = {};
	result->algorithm = *algorithm;
	result->workspace = number << 20;
	return STATUS_SUCCESS;
}

int cublasLtMatmul(void *handle, void *desc, const void *alpha, const void *a, void *layout_a, const void *b,
	void *layout_b, const void *beta, const void *c, void *layout_c, void *d, void *layout_d,
	const lt_algorithm *algorithm, void *workspace, size_t bytes, void *stream) {
	lt_suggestion needed;
	int status = cublasLtMatmulAlgoCheck(handle, desc, layout_a, layout_b, layout_c, layout_d, algorithm, &needed);
	if (status) return status;
	if (fails("multiply") || needed.workspace > bytes || (uint64_t)workspace % 256) return STATUS_INVALID_VALUE;
	const uint64_t *boundary = algorithm->words + 2;
	if (!on_boundary(a, (Layout *)layout_a, boundary[0]) || !on_boundary(b, (Layout *)layout_b, boundary[1]) ||
	    !on_boundary(c, (Layout *)layout_c, boundary[2]) || !on_boundary(d, (Layout *)layout_d, boundary[3]))
		return STATUS_EXECUTION_FAILED;
	return enqueue({*(Desc *)desc, *(Layout *)layout_a, *(Layout *)layout_b, *(Layout *)layout_c, a, b, c, d,
		*(const float *)alpha, *(const float *)beta, algorithm->words[1]}, stream);
}

} // extern "C"
