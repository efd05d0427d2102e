// Describes a product to a library, which needs no GPU for that, and says what the library then holds of it.
#include "../cublaslt.c"

#include <stdio.h>

typedef int (*reader)(void *from, int attribute, void *value, size_t size, size_t *written);

enum { LAYOUT_TYPE = 0, LAYOUT_ORDER = 1, LAYOUT_ROWS = 2, LAYOUT_COLUMNS = 3, LAYOUT_STRIDE = 4, LAYOUT_BATCH = 5 };
enum { DESC_COMPUTE = 0, DESC_SCALE = 1, DESC_POINTERS = 2 };

static void say(reader read, const char *what, void *from, int attribute) {
	unsigned long long value = 0;
	size_t written = 0;
	int status = read(from, attribute, &value, sizeof value, &written);
	if (status) status = read(from, attribute, &value, sizeof(int), &written);
	printf("%s %d: %llu\n", what, attribute, status ? ~0ull : value);
}

int main(int count, char **arguments) {
	lt_library lt;
	if (count < 2 || !(lt.library = dlopen(arguments[1], RTLD_NOW)) || bind(&lt)) return 2;
	reader of_desc = (reader)dlsym(lt.library, "cublasLtMatmulDescGetAttribute");
	reader of_layout = (reader)dlsym(lt.library, "cublasLtMatrixLayoutGetAttribute");
	reader of_preference = (reader)dlsym(lt.library, "cublasLtMatmulPreferenceGetAttribute");
	if (!of_desc || !of_layout || !of_preference) return 3; // not the vendor's
	lt_product p = {{0, TYPE_BF16, 24, 40, 56, 16}, {0, TYPE_BF16, 24, 72, 32, 8}, {0, TYPE_F32, 40, 72, 44, 4}, 0,
		OPERATION_T, OPERATION_N, 1, 0};
	descriptions of;
	void *preference;
	int status = describe(&lt, &of, &p);
	if (!status) status = prefer(&lt, &preference, &p, 32 << 20);
	if (status) return status;
	printf("version %zu\n", lt_version(&lt));
	for (int i = DESC_COMPUTE; i <= DESC_TRANSB; i++) say(of_desc, "desc", of.desc, i);
	for (int i = LAYOUT_TYPE; i <= LAYOUT_BATCH; i++) say(of_layout, "a", of.a, i);
	say(of_layout, "c", of.c, LAYOUT_TYPE);
	say(of_layout, "c", of.c, LAYOUT_STRIDE);
	say(of_preference, "preference", preference, PREFER_WORKSPACE_BYTES);
	say(of_preference, "preference", preference, PREFER_REDUCTION_MASK);
	for (int i = PREFER_ALIGNMENT_A; i <= PREFER_ALIGNMENT_D; i++) say(of_preference, "preference", preference, i);
	lt.preference_destroy(preference);
	forget(&lt, &of);
	return 0;
}
