/* my-scorer rates documents by their letters and their length. */
#include <carebot.h>

enum { LETTERS, LENGTH }; /* the scores, in the order of manifest.json */

static bool is_letter(uint32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80; }

static void rate(cb_text text, cb_rating *out) {
	if (text.n == 0) {
		out->status = CB_ABSTAIN;
		out->detail = CB_TEXT("no text");
		return;
	}
	double letters = 0, length = 0;
	for (; text.n > 0; length++) letters += is_letter(cb_next(&text));
	cb_set(out->scores, LETTERS, letters / length);
	cb_set(out->scores, LENGTH, length);
}

static bool score(const cb_document *docs, size_t n, cb_rating *out) {
	for (size_t i = 0; i < n; i++) rate(docs[i].text, &out[i]);
	return true;
}

CB_PLUGIN(.scores = 2, .score = score)
