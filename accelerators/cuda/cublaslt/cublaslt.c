//go:build cuda

#include "cublaslt.h"

#include <dlfcn.h>

static const char *bind(lt_library *lt) {
	const struct {
		const char *name;
		void *function;
	} all[] = {
		{"cublasLtCreate", &lt->create},
		{"cublasLtDestroy", &lt->destroy},
		{"cublasLtGetVersion", &lt->version},
		{"cublasLtMatmulDescCreate", &lt->desc_create},
		{"cublasLtMatmulDescSetAttribute", &lt->desc_set},
		{"cublasLtMatmulDescDestroy", &lt->desc_destroy},
		{"cublasLtMatrixLayoutCreate", &lt->layout_create},
		{"cublasLtMatrixLayoutDestroy", &lt->layout_destroy},
		{"cublasLtMatmulPreferenceCreate", &lt->preference_create},
		{"cublasLtMatmulPreferenceSetAttribute", &lt->preference_set},
		{"cublasLtMatmulPreferenceDestroy", &lt->preference_destroy},
		{"cublasLtMatmulAlgoGetHeuristic", &lt->suggest},
		{"cublasLtMatmulAlgoCheck", &lt->check},
		{"cublasLtMatmul", &lt->multiply},
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		void *found = dlsym(lt->library, all[i].name);
		if (!found) return all[i].name;
		*(void **)all[i].function = found;
	}
	return NULL;
}

const char *lt_open(lt_library *lt, const char *file, int *status) {
	*status = STATUS_SUCCESS;
	lt->library = dlopen(file, RTLD_NOW);
	if (!lt->library) return dlerror();
	const char *missing = bind(lt);
	if (missing) dlclose(lt->library);
	else if ((*status = lt->create(&lt->handle))) missing = "cublasLtCreate";
	return missing;
}

// The library stays loaded once it was asked for a handle, with success or not: threads of its own and of the driver's
// may still be in it.
int lt_close(lt_library *lt) { return lt->destroy(lt->handle); }

size_t lt_version(const lt_library *lt) { return lt->version(); }

// Descriptions are the library's view of a product. C and D share a layout.
typedef struct {
	void *desc, *a, *b, *c;
} descriptions;

static int describe_matrix(const lt_library *lt, void **layout, const lt_matrix *m) {
	return lt->layout_create(layout, m->type, m->rows, m->columns, m->stride);
}

static int describe(const lt_library *lt, descriptions *of, const lt_product *p) {
	*of = (descriptions){NULL, NULL, NULL, NULL};
	int status = lt->desc_create(&of->desc, COMPUTE_F32, TYPE_F32);
	if (!status) status = lt->desc_set(of->desc, DESC_TRANSA, &p->operation_a, sizeof p->operation_a);
	if (!status) status = lt->desc_set(of->desc, DESC_TRANSB, &p->operation_b, sizeof p->operation_b);
	if (!status) status = describe_matrix(lt, &of->a, &p->a);
	if (!status) status = describe_matrix(lt, &of->b, &p->b);
	if (!status) status = describe_matrix(lt, &of->c, &p->c);
	return status;
}

static void forget(const lt_library *lt, descriptions *of) {
	if (of->c) lt->layout_destroy(of->c);
	if (of->b) lt->layout_destroy(of->b);
	if (of->a) lt->layout_destroy(of->a);
	if (of->desc) lt->desc_destroy(of->desc);
}

// prefer asks for algorithms of which the same bits come every time: that do not cut K, or add its parts up in f32 in
// a step of its own. (That which adds them up in the output, the default allows too.)
static int prefer(const lt_library *lt, void **preference, const lt_product *p, size_t workspace) {
	uint64_t bytes = workspace;
	uint32_t reductions = REDUCTION_COMPUTE_TYPE;
	*preference = NULL;
	int status = lt->preference_create(preference);
	if (!status) status = lt->preference_set(*preference, PREFER_WORKSPACE_BYTES, &bytes, sizeof bytes);
	if (!status) status = lt->preference_set(*preference, PREFER_REDUCTION_MASK, &reductions, sizeof reductions);
	if (!status) status = lt->preference_set(*preference, PREFER_ALIGNMENT_A, &p->a.alignment, sizeof p->a.alignment);
	if (!status) status = lt->preference_set(*preference, PREFER_ALIGNMENT_B, &p->b.alignment, sizeof p->b.alignment);
	if (!status) status = lt->preference_set(*preference, PREFER_ALIGNMENT_C, &p->c.alignment, sizeof p->c.alignment);
	if (!status) status = lt->preference_set(*preference, PREFER_ALIGNMENT_D, &p->c.alignment, sizeof p->c.alignment);
	return status;
}

int lt_suggest(const lt_library *lt, const lt_product *p, size_t workspace, lt_algorithm *algorithms, int *count) {
	lt_suggestion suggestions[MOST_SUGGESTIONS];
	descriptions of;
	void *preference = NULL;
	int found = 0;
	*count = 0;
	int status = describe(lt, &of, p);
	if (!status) status = prefer(lt, &preference, p, workspace);
	if (!status)
		status = lt->suggest(lt->handle, of.desc, of.a, of.b, of.c, of.c, preference, MOST_SUGGESTIONS, suggestions,
			&found);
	for (int i = 0; !status && i < found; i++)
		if (!suggestions[i].status && suggestions[i].workspace <= workspace)
			algorithms[(*count)++] = suggestions[i].algorithm;
	if (preference) lt->preference_destroy(preference);
	forget(lt, &of);
	return status;
}

int lt_check(const lt_library *lt, const lt_product *p, const lt_algorithm *algorithm, size_t *workspace) {
	lt_suggestion result;
	descriptions of;
	int status = describe(lt, &of, p);
	if (!status) status = lt->check(lt->handle, of.desc, of.a, of.b, of.c, of.c, algorithm, &result);
	if (!status) *workspace = result.workspace;
	forget(lt, &of);
	return status;
}

int lt_multiply(const lt_library *lt, const lt_product *p, const lt_algorithm *algorithm, uint64_t workspace,
	size_t bytes, void *stream) {
	descriptions of;
	int status = describe(lt, &of, p);
	if (!status)
		status = lt->multiply(lt->handle, of.desc, &p->alpha, (void *)p->a.at, of.a, (void *)p->b.at, of.b, &p->beta,
			(void *)p->c.at, of.c, (void *)p->d, of.c, algorithm, (void *)workspace, bytes, stream);
	forget(lt, &of);
	return status;
}
