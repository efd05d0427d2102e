/* Reads the golden frames, compares what they hold, and writes them again byte for byte. The argument is their folder.
 */
#include <carebot.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The host, as far as these tests need one: it answers a model request with the frame that is set. */
static cb_text host_answer;

static int32_t answered(void *out, size_t room) {
	if (host_answer.n <= room) memcpy(out, host_answer.at, host_answer.n);
	return (int32_t)host_answer.n;
}

void cb__host_log(int32_t level, const void *text, size_t n) {
	fprintf(stderr, "log %d: %.*s\n", (int)level, (int)n, (const char *)text);
}

static cb_text host_request; /* the latest */

static int32_t ask(const void *request, size_t n, void *out, size_t room) {
	host_request = cb_view((const char *)request, n);
	return answered(out, room);
}

int32_t cb__host_loglik(int32_t model, const void *request, size_t n, void *out, size_t room) {
	return model == 0 ? ask(request, n, out, room) : -1;
}
int32_t cb__host_score(int32_t model, const void *request, size_t n, void *out, size_t room) {
	return model == 0 ? ask(request, n, out, room) : -1;
}
int32_t cb__host_embed(int32_t model, const void *request, size_t n, void *out, size_t room) {
	return model == 0 ? ask(request, n, out, room) : -1;
}

static int failures;
static const char *folder;

#define CHECK(condition)                                                    \
	do {                                                                    \
		if (!(condition)) {                                                 \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			failures++;                                                     \
		}                                                                   \
	} while (0)

#define IS(text, literal) CHECK(cb_equal(text, CB_TEXT(literal)))

/* A golden frame, at a multiple of 8, in memory that stays. */
static cb_text golden(const char *name) {
	char path[1024];
	snprintf(path, sizeof path, "%s/%s.hex", folder, name);
	FILE *f = fopen(path, "r");
	if (f == NULL) {
		perror(path);
		exit(2);
	}
	char *frame = (char *)malloc(1 << 16);
	size_t n = 0;
	unsigned byte;
	while (fscanf(f, "%2x", &byte) == 1) frame[n++] = (char)byte;
	fclose(f);
	return cb_view(frame, n);
}

static void same_frame(const char *name, cb_text written) {
	cb_text want = golden(name);
	size_t i = 0;
	while (i < want.n && i < written.n && want.at[i] == written.at[i]) i++;
	if (i == want.n && i == written.n) return;
	fprintf(stderr, "%s: differs at byte %zu (%zu bytes, want %zu)\n", name, i, written.n, want.n);
	failures++;
}

/* Copies a column of the frame into one that is being written. */
static void copy_column(cb__writer *w, const cb__column *c) {
	if (c->type == CB__BYTES) {
		cb_text *texts = (cb_text *)calloc(c->rows + 1, sizeof *texts);
		for (uint32_t i = 0; i < c->rows; i++) {
			uint32_t from = cb__u32(c->offsets + 4 * i);
			texts[i] = cb_view(c->data + from, cb__u32(c->offsets + 4 * (i + 1)) - from);
		}
		cb__put_texts(w, c->id, c->rows, texts, sizeof *texts);
		free(texts);
	} else if (c->type == CB__LIST) {
		size_t at = cb__put_list(w, c->id, c->rows, c->children);
		for (uint32_t i = 0; i <= c->rows; i++) cb__put_u32(w, at + 4 * i, cb__u32(c->offsets + 4 * i));
	} else {
		memcpy(cb__put_fixed(w, c->id, c->type, c->rows), c->data, c->size);
	}
	if (c->valid != NULL) memcpy(cb__put_valid(w, c->rows), c->valid, (c->rows + 7) / 8);
}

/* Every frame is written again from its columns. */
static void rewrite(const char *name) {
	cb_text frame = golden(name);
	cb__frame f;
	cb__writer w;
	cb__start_call();
	CHECK(cb__parse(&f, frame.at, frame.n));
	cb__begin(&w, f.kind, f.rows, f.column_count, f.batch, 0);
	for (uint32_t i = 0; i < f.column_count; i++) copy_column(&w, &f.columns[i]);
	same_frame(name, cb__finish(&w));
}

static void read_turns(cb_turns turns, size_t n) {
	CHECK(turns.n == n);
	CHECK(turns.at[0].role == CB_USER);
	IS(turns.at[0].text, "头痛？");
	if (n < 2) return;
	CHECK(turns.at[1].role == CB_ASSISTANT);
	IS(turns.at[1].text, "Rest.");
}

/* The plugin has the answers of the golden frames to the records of the golden frames. */

static bool start(const cb_env *env) {
	IS(env->config, "{\"low\":0.5}");
	CHECK(env->seed == 7);
	const cb_model *lm = cb_find_model("lm");
	CHECK(lm != NULL && lm->max_tokens == 512 && lm->outputs == 1 && lm->hidden == 64);
	IS(lm->model, "boost");
	CHECK(cb_find_model("other") == NULL);
	IS(cb_error(), "model \"other\" is not granted");
	return true;
}

static bool score(const cb_document *docs, size_t n, cb_rating *out) {
	(void)out;
	CHECK(n == 2);
	IS(docs[0].id, "1");
	IS(docs[0].text, "héllo");
	IS(docs[0].language, "fr");
	IS(docs[0].source, "s");
	IS(docs[0].meta, "{}");
	IS(docs[1].id, "2");
	CHECK(docs[1].text.n == 0 && docs[1].meta.n == 0);
	return true;
}

static bool filter(const cb_dialogue *dialogues, size_t n, cb_verdict *out) {
	(void)out;
	CHECK(n == 2);
	read_turns(dialogues[0].turns, 2);
	IS(dialogues[0].language, "zh");
	IS(dialogues[1].id, "2");
	CHECK(dialogues[1].turns.n == 0);
	return true;
}

static bool reward(const cb_sample *samples, size_t n, cb_judgement *out) {
	CHECK(n == 1);
	read_turns(samples[0].history, 1);
	IS(samples[0].response, "Rest.");
	IS(samples[0].reference, "rest");
	out[0].reward = 1.5;
	cb_set(out[0].parts, 0, 1);
	return true;
}

CB_PLUGIN(.scores = 2, .open = start, .score = score, .filter = filter, .reward = reward)

static cb_text run(uint32_t kind, const char *name) {
	cb_text frame = golden(name);
	return cb_run(&cb__plugin, kind, frame.at, frame.n);
}

static void write_ratings(void) {
	cb_rating r[3];
	memset(r, 0, sizeof r);
	cb__give_scores(3, &r->scores, sizeof *r);
	cb_set(r[0].scores, 0, 0.5);
	r[0].detail = CB_TEXT("fine");
	r[1].status = CB_ABSTAIN;
	r[2].status = CB_FAULT;
	r[2].detail = CB_TEXT("broken");
	same_frame("ratings", cb__put_ratings(1, 3, r));
}

static void write_verdicts(void) {
	cb_verdict v[4];
	memset(v, 0, sizeof v);
	v[0].score = 0.25;
	v[1].score = -1;
	v[1].action = CB_DROP;
	cb_reason(&v[1], 1);
	cb_reason(&v[1], 0);
	cb_edit(&v[2], CB_REPLACE, 1, CB_TEXT("Sleep."));
	cb_edit(&v[2], CB_DELETE, 0, CB_TEXT(""));
	v[3].action = CB_LATER;
	same_frame("verdicts", cb__put_verdicts(2, 4, v));
}

static void ask_models(void) {
	const cb_model *lm = cb_find_model("lm");
	cb_turn both[2] = {{CB_USER, CB_TEXT("头痛？")}, {CB_ASSISTANT, CB_TEXT("Rest.")}};
	cb_loglik_request requests[2] = {
		{{both, 2}, {both, 1}, true, CB_TEXT("c")},
		{{both, 1}, {NULL, 0}, false, CB_TEXT("d")},
	};
	cb_turns prompt = {both, 2};
	cb_text texts[2] = {CB_TEXT("a"), CB_TEXT("文")};

	host_answer = golden("loglik-answer");
	CHECK(cb_loglik_of(lm, requests, 2) == NULL);
	IS(cb_error(), "1 answers of the model to 2 requests");
	same_frame("loglik", host_request);
	const cb_loglik *l = cb_loglik_of(lm, requests, 1);
	CHECK(l != NULL && l->log_prob == -1.5 && l->log_prob2 == -2.25 && l->tokens == 3);

	host_answer = golden("vectors");
	const cb_vector *v = cb_embeddings_of(lm, texts, 2);
	same_frame("embed", host_request);
	CHECK(v != NULL && v[0].n == 2 && v[0].at[0] == 1 && v[0].at[1] == 0.5 && v[1].n == 0);
	CHECK(cb_outputs_of(lm, &prompt, 1) == NULL);
	same_frame("texts", host_request);
}

/* A frame that is damaged anywhere is refused or read, and never read beyond its end. */
static void damage(const char *name, uint32_t kind) {
	cb_text frame = golden(name);
	for (size_t i = 0; i < frame.n; i++) {
		for (int bit = 0; bit < 8; bit++) {
			char *copy = (char *)malloc(frame.n); /* so that a checker of memory knows its end */
			cb__frame f;
			memcpy(copy, frame.at, frame.n);
			copy[i] = (char)(copy[i] ^ 1 << bit);
			cb__start_call();
			if (cb__parse(&f, copy, frame.n) && f.rows == cb__u32(frame.at + 8)) {
				if (kind == CB__DOCUMENTS) cb__get_documents(&f);
				if (kind == CB__DIALOGUES) cb__get_dialogues(&f);
				if (kind == CB__SAMPLES) cb__get_samples(&f);
			}
			free(copy);
		}
	}
	CHECK(cb_run(&cb__plugin, kind, frame.at, frame.n - 1).n == 0);
	IS(cb_error(), "not a frame of dp1");
}

static void numbers(void) {
	static const char *texts[] = {"0",
								  "-0",
								  "1",
								  "-1",
								  "0.5",
								  "400",
								  "1e22",
								  "1e23",
								  "9007199254740993",
								  "0.1",
								  "123456789012345678901234567890",
								  "2.2250738585072014e-308",
								  "2.2250738585072011e-308",
								  "5e-324",
								  "3e-324",
								  "2e-324",
								  "1.7976931348623157e308",
								  "4.35",
								  "8.589934592e9",
								  "1e-7",
								  "0.000001",
								  "6.02214076e+23",
								  "9007199254740992.999999999999999999999999999",
								  "0.30000000000000004",
								  "1E5",
								  "-2.5e-3",
								  "179769313486231570000000000000000000000000000000000000000000000000000000000e234"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		double v, want = strtod(texts[i], NULL);
		CHECK(cb_json_number(cb_string(texts[i]), &v));
		if (memcmp(&v, &want, sizeof v) != 0) {
			fprintf(stderr, "%s is read as %.17g, want %.17g\n", texts[i], v, want);
			failures++;
		}
	}
	uint64_t state = 1;
	for (int i = 0; i < 50000; i++) { /* doubles of all sizes, written in 17 digits */
		double v, want;
		char text[64];
		state = state * 6364136223846793005u + 1442695040888963407u;
		uint64_t bits = state ^ state >> 29;
		memcpy(&want, &bits, sizeof want);
		if (want != want || want - want != 0) continue;
		snprintf(text, sizeof text, i % 2 ? "%.17g" : "%.9e", want);
		want = strtod(text, NULL);
		if (!cb_json_number(cb_string(text), &v) || v != want) {
			fprintf(stderr, "%s is read as %.17g\n", text, v);
			failures++;
			return;
		}
	}
	double v = 7;
	CHECK(!cb_json_number(CB_TEXT("1e309"), &v) && !cb_json_number(CB_TEXT("01"), &v) &&
		  !cb_json_number(CB_TEXT("1."), &v));
	CHECK(!cb_json_number(CB_TEXT("\"1\""), &v) && !cb_json_number(CB_TEXT(""), &v) &&
		  !cb_json_number(CB_TEXT("1 2"), &v));
	CHECK(v == 7);
}

static void json(void) {
	cb_text object =
		CB_TEXT(" {\"a\": [1, {\"b\": \"x\\n\\u4e2d\\ud83e\\udec0\\ud800\"}, true], \"\\u0061b\": null, \"c\": {}} ");
	cb_text text = cb_view(NULL, 0);
	bool yes = false;
	IS(cb_member(object, "ab"), "null");
	IS(cb_member(object, "c"), "{}");
	CHECK(cb_member(object, "b").n == 0);
	CHECK(cb_json_text(cb_key(object, 1), &text) && cb_key(object, 9).n == 0);
	cb_text list = cb_member(object, "a");
	IS(cb_element(list, 0), "1");
	CHECK(cb_json_text(cb_member(cb_element(list, 1), "b"), &text));
	IS(text, "x\n中\xf0\x9f\xab\x80\xef\xbf\xbd");
	CHECK(cb_json_bool(cb_element(list, 2), &yes) && yes);
	CHECK(cb_element(list, 3).n == 0 && cb_element(object, 0).n == 0 && cb_member(list, "a").n == 0 && cb_key(list, 0).n == 0);
	static const char *wrong[] = {"{",         "{\"a\"}", "[1,]", "{\"a\":1,}", "\"a",   "\"\\x\"",
								  "\"\\u12\"", "tru",     "-",    "[1 2]",      "{1:2}", "\"\n\""};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		const char *p;
		if (cb__json(cb_string(wrong[i]), &p)) {
			fprintf(stderr, "%s is taken for JSON\n", wrong[i]);
			failures++;
		}
	}
	char deep[300];
	memset(deep, '[', 150);
	memset(deep + 150, ']', 150);
	const char *p;
	CHECK(!cb__json(cb_view(deep, 300), &p));
}

static void texts(void) {
	cb_text t = CB_TEXT("a中\xff\xf0\x9f\xab\x80");
	CHECK(cb_length(CB_TEXT("a中\xf0\x9f\xab\x80")) == 3);
	CHECK(cb_next(&t) == 'a' && cb_next(&t) == 0x4e2d && cb_next(&t) == 0xFFFD && cb_next(&t) == 0x1FAC0 && t.n == 0);
	IS(cb_trim(CB_TEXT(" \n a b\t"), CB_TEXT(" \n\t")), "a b");
	CHECK(cb_trim(CB_TEXT("  "), CB_TEXT(" ")).n == 0);
	CHECK(cb_find(CB_TEXT("abcabd"), CB_TEXT("abd")) == 3 && cb_find(CB_TEXT("ab"), CB_TEXT("b!")) == 2);
	CHECK(cb_find(CB_TEXT("ab"), CB_TEXT("")) == 0 && cb_starts(CB_TEXT("ab"), CB_TEXT("a")));
	IS(cb_format("%d|%z|%s|%t|%%", -5, (size_t)7, "s", CB_TEXT("t")), "-5|7|s|t|%");
	IS(cb_format("%g %g %g %g", -1.0, 0.5, 0.001, 1234567.0), "-1 0.5 0.001 1234570");
	IS(cb_format("%g %g %g %g", 0.0, 12.25, 1e300, 2.5e-8), "0 12.25 1e300 25e-9");
	IS(cb_format("%g %g", 0.1, 999999.96), "0.1 1000000");
}

/* Memory that is kept grows and stays; memory of a call comes back. */
static void memory(void) {
	int *kept = NULL;
	for (size_t n = 0; n < 100000; n += 1000) {
		kept = (int *)cb_keep_more(kept, n * sizeof *kept, (n + 1000) * sizeof *kept);
		for (size_t i = n; i < n + 1000; i++) {
			CHECK(kept[i] == 0);
			kept[i] = (int)i;
		}
	}
	for (size_t i = 0; i < 100000; i++) CHECK(kept[i] == (int)i);
	cb__start_call();
	for (int i = 0; i < 50; i++) memset(cb_alloc(99999), 1, 99999);
	cb__chunk *last = cb__state.call.now;
	for (int round = 0; round < 20; round++) {
		cb__start_call();
		for (int i = 0; i < 50; i++) CHECK(*(char *)cb_alloc(99999) == 0);
	}
	CHECK(cb__state.call.now == last);
	void *small = cb__input(1000), *large = cb__input(1 << 20);
	CHECK(small != large && cb__input(1 << 20) == large && (uintptr_t)large % 16 == 0);
}

int main(int argc, char **argv) {
	static const char *names[] = {"documents", "dialogues",     "samples", "ratings", "verdicts", "judgements",
								  "loglik",    "loglik-answer", "texts",   "embed",   "vectors",  "open"};
	if (argc != 2) return 2;
	folder = argv[1];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) rewrite(names[i]);
	cb_text opening = golden("open");
	CHECK(cb_open(&cb__plugin, opening.at, opening.n));
	CHECK(run(CB__DOCUMENTS, "documents").n > 0);
	CHECK(run(CB__DIALOGUES, "dialogues").n > 0);
	same_frame("judgements", run(CB__SAMPLES, "samples"));
	CHECK(run(9, "samples").n == 0);
	CHECK(cb_flush(&cb__plugin, CB__SAMPLES).n == 0);
	cb__start_call();
	write_ratings();
	write_verdicts();
	ask_models();
	damage("documents", CB__DOCUMENTS);
	damage("dialogues", CB__DIALOGUES);
	damage("samples", CB__SAMPLES);
	numbers();
	json();
	texts();
	memory();
	return failures > 0;
}
