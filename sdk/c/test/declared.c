/* A file of a plugin that has more than one. */
#define CB_DECLARATIONS
#include <carebot.h>

bool rate(const cb_document *docs, size_t n, cb_rating *out);

bool rate(const cb_document *docs, size_t n, cb_rating *out) {
	for (size_t i = 0; i < n; i++) cb_set(out[i].scores, 0, (double)cb_length(docs[i].text));
	return true;
}
