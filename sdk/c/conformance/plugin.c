/* The plugin that every language has for the conformance tests: all three kinds, configuration, edits, models. */
#include <carebot.h>

enum { RUNES, SPACES, RATED, EXACT };
enum { SHORT, INCOHERENT };

static double low = 0.5;
static cb_text greeting;
static const cb_model *lm, *rater;

static bool start(const cb_env *env) {
	if (!cb_json_number(cb_member(env->config, "low"), &low))
		return cb_fail(CB_TEXT("configuration: low is no number"));
	if (!cb_json_text(cb_member(env->config, "greeting"), &greeting))
		return cb_fail(CB_TEXT("configuration: greeting is no string"));
	greeting = cb_keep_text(greeting);
	if (low < 0) return cb_fail(cb_format("low is %g, below 0", low));
	return (lm = cb_find_model("lm")) != NULL && (rater = cb_find_model("rater")) != NULL;
}

static double count(cb_text text, char c) {
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) n += text.at[i] == c;
	return (double)n;
}

/* Measures texts and has them rated. A text without a letter is not rated; one in no language is not judged at all. */
static bool score(const cb_document *docs, size_t n, cb_rating *out) {
	cb_turn *turns = (cb_turn *)cb_alloc(n * sizeof *turns);
	cb_turns *texts = (cb_turns *)cb_alloc(n * sizeof *texts);
	for (size_t i = 0; i < n; i++) {
		turns[i].text = docs[i].text;
		texts[i].at = &turns[i];
		texts[i].n = 1;
	}
	const cb_vector *rated = cb_outputs_of(rater, texts, n);
	if (rated == NULL) return false;
	for (size_t i = 0; i < n; i++) {
		if (cb_equal(docs[i].language, CB_TEXT("und"))) {
			out[i].status = CB_ABSTAIN;
			out[i].detail = CB_TEXT("no language");
			continue;
		}
		double runes = (double)cb_length(docs[i].text);
		cb_set(out[i].scores, RUNES, runes);
		cb_set(out[i].scores, SPACES, count(docs[i].text, ' ') / (runes > 1 ? runes : 1));
		cb_set(out[i].scores, EXACT, 0);
		if (docs[i].text.n > 0) cb_set(out[i].scores, RATED, rated[i].at[0]);
		out[i].detail = docs[i].meta;
	}
	return true;
}

static void judge(const cb_dialogue *d, const cb_loglik *l, cb_verdict *v) {
	v->score = l->log_prob2 / l->log_prob;
	v->detail = cb_format("%d tokens", (int)l->tokens);
	if (v->score < low) {
		v->action = CB_DROP;
		cb_reason(v, INCOHERENT);
		return;
	}
	for (size_t i = 0; i < d->turns.n; i++) {
		const cb_turn *t = &d->turns.at[i];
		if (t->role == CB_ASSISTANT && cb_starts(t->text, greeting))
			cb_edit(v, CB_REPLACE, i, cb_after(t->text, greeting.n));
	}
}

/* Compares the likelihood of the last turn with and without what came before it. */
static bool filter(const cb_dialogue *dialogues, size_t n, cb_verdict *out) {
	cb_loglik_request *requests = (cb_loglik_request *)cb_alloc(n * sizeof *requests);
	size_t asked = 0, answered = 0;
	for (size_t i = 0; i < n; i++) {
		cb_turns turns = dialogues[i].turns;
		if (turns.n < 2) continue;
		cb_loglik_request *r = &requests[asked++];
		r->context.at = turns.at;
		r->context.n = turns.n - 1;
		r->context2.at = turns.at + turns.n - 2;
		r->context2.n = 1;
		r->two = true;
		r->continuation = turns.at[turns.n - 1].text;
	}
	const cb_loglik *likelihoods = cb_loglik_of(lm, requests, asked);
	if (likelihoods == NULL) return false;
	for (size_t i = 0; i < n; i++) {
		if (dialogues[i].turns.n >= 2) {
			judge(&dialogues[i], &likelihoods[answered++], &out[i]);
			continue;
		}
		out[i].action = CB_DROP;
		cb_reason(&out[i], SHORT);
	}
	cb_log(CB_INFO, cb_format("%z of %z dialogues compared", asked, n));
	return true;
}

/* Prefers the reference and what lies near it. */
static bool reward(const cb_sample *samples, size_t n, cb_judgement *out) {
	cb_text *texts = (cb_text *)cb_alloc(2 * n * sizeof *texts);
	for (size_t i = 0; i < n; i++) {
		texts[2 * i] = samples[i].response;
		texts[2 * i + 1] = samples[i].reference;
	}
	const cb_vector *vectors = cb_embeddings_of(lm, texts, 2 * n);
	if (vectors == NULL) return false;
	for (size_t i = 0; i < n; i++) {
		double near = 0, exact = cb_equal(samples[i].response, samples[i].reference) ? 1 : 0;
		for (size_t k = 0; k < vectors[2 * i].n; k++) near += vectors[2 * i].at[k] * vectors[2 * i + 1].at[k];
		out[i].reward = exact + near;
		cb_set(out[i].parts, EXACT, exact);
		cb_set(out[i].parts, RUNES, near);
	}
	return true;
}

CB_PLUGIN(.scores = 4, .open = start, .score = score, .filter = filter, .reward = reward)
