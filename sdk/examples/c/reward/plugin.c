/* my-reward judges answers by whether they contain the reference and are not too long. */
#include <carebot.h>

enum { LENGTH }; /* the parts, in the order of manifest.json */

static double limit; /* characters that cost nothing */

static bool start(const cb_env *env) {
	if (!cb_json_number(cb_member(env->config, "limit"), &limit)) return cb_fail(CB_TEXT("limit is not a number"));
	if (limit < 0) return cb_fail(cb_format("limit is %g, below 0", limit));
	return true;
}

static void judge(const cb_sample *s, cb_judgement *out) {
	if (s->reference.n == 0) {
		out->status = CB_ABSTAIN;
		out->detail = CB_TEXT("no reference");
		return;
	}
	double over = (double)cb_length(s->response) - limit;
	double length = over > 0 ? -0.001 * over : 0;
	bool found = cb_find(s->response, s->reference) < s->response.n;
	out->reward = (found ? 1 : 0) + length;
	cb_set(out->parts, LENGTH, length);
}

static bool reward(const cb_sample *samples, size_t n, cb_judgement *out) {
	for (size_t i = 0; i < n; i++) judge(&samples[i], &out[i]);
	return true;
}

CB_PLUGIN(.scores = 1, .open = start, .reward = reward)
