//go:build ignore

/* quality-rules measures documents by the published heuristics for web text; README.md says which. reference/ is the
 * same in plain Go, to which the tests hold this module bit for bit. */
#include <carebot.h>

#include "dictionary.h"
#include "rule.h"
#include "threshold.h"

static bool start(const cb_env *env) {
	spread_classes();
	learn_phrases();
	return configure(env->config);
}

/* The threshold that a value misses, added to those before. */
static cb_text missing(cb_text before, rule_name rule, cb_text why) {
	return cb_format("%t%s%s %t", before, before.n > 0 ? "; " : "", rules[rule].name, why);
}

static void rate(const cb_document *d, cb_rating *out) {
	double values[RULES];
	const measures *m = measure(d->text, d->language);
	measured(m, values);
	for (rule_name r = 0; r < RULES; r++) {
		cb_set(out->scores, r, values[r]);
		cb_text why = misses(bounds[m->lang][r], values[r]);
		if (why.n > 0) out->detail = missing(out->detail, r, why);
	}
	cb_set(out->scores, PASS, out->detail.n == 0);
}

static bool score(const cb_document *docs, size_t n, cb_rating *out) {
	for (size_t i = 0; i < n; i++) rate(&docs[i], &out[i]);
	return true;
}

CB_PLUGIN(.scores = RULES + 1, .open = start, .score = score)
