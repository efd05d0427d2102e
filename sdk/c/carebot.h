/* carebot.h - plugins for CareBot in C, in one header.
 *
 * A plugin rates documents (score), filters dialogues (filter) or judges answers (reward). It is a WebAssembly module
 * that the host asks in batches, and consists of plain functions and one CB_PLUGIN that names them:
 *
 *     #include <carebot.h>
 *
 *     enum { LENGTH };  // places of the scores in manifest.json
 *
 *     static bool score(const cb_document *docs, size_t n, cb_rating *out) {
 *         for (size_t i = 0; i < n; i++) cb_set(out[i].scores, LENGTH, (double)docs[i].text.n);
 *         return true;
 *     }
 *
 *     CB_PLUGIN(.scores = 1, .score = score)
 *
 * Each function gets n records and n answers that say nothing yet (status CB_OK, action CB_KEEP, no scores), and fills
 * them in. It returns true, or cb_fail(why) when the whole batch failed: the host then asks again in halves until it
 * has found the record. A single record that it cannot judge gets status CB_ABSTAIN or CB_FAULT instead.
 *
 * Records and the views of text in them (cb_text: not terminated by zero, valid UTF-8) are those of the host's frame,
 * not copies. They live until the function returns, and so does what cb_alloc gives: there is nothing to free. What
 * must live as long as the plugin comes from cb_keep, or is a static variable; one instance is never asked by two
 * threads at once.
 *
 * The header needs C11 or C++20, clang, and no C library: both wasm32-wasi and wasm32-unknown-unknown (-nostdlib
 * -mbulk-memory) will do. Include it in one file with all that is below; other files of the same plugin define
 * CB_DECLARATIONS first. Names that start with cb__ are private. */
#ifndef CAREBOT_H
#define CAREBOT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the contract (dp1), the key abi of manifest.json. */
#define CB_ABI 1

/* Text */

/* A view of n bytes of text. */
typedef struct {
	const char *at;
	size_t n;
} cb_text;

/* A view of n bytes; of a string that ends with zero; of a literal, without measuring it. */
static inline cb_text cb_view(const char *at, size_t n) {
	cb_text t;
	t.at = at;
	t.n = n;
	return t;
}
cb_text cb_string(const char *terminated);
#define CB_TEXT(literal) cb_view("" literal, sizeof(literal) - 1)

bool cb_equal(cb_text a, cb_text b);
bool cb_starts(cb_text text, cb_text prefix);
/* What follows the first n bytes. */
cb_text cb_after(cb_text text, size_t n);
/* The text without the given bytes at its start and end: cb_trim(text, CB_TEXT(" \n")). */
cb_text cb_trim(cb_text text, cb_text bytes);
/* The place of the first occurrence, or text.n when there is none and part is not empty. */
size_t cb_find(cb_text text, cb_text part);
/* How many characters (code points) the text has. */
size_t cb_length(cb_text text);
uint32_t cb__next_wide(cb_text *text);
/* Takes the first character (code point) off a text that is not empty. Bytes that are not UTF-8 count as U+FFFD each.
 */
static inline uint32_t cb_next(cb_text *text) {
	unsigned char first = (unsigned char)text->at[0];
	if (first >= 0x80) return cb__next_wide(text);
	text->at++;
	text->n--;
	return first;
}

/* A text of the call, made from a format: %d int, %z size_t, %g double (six digits), %s string that ends with zero, %t
 * cb_text, %% percent sign. */
cb_text cb_format(const char *format, ...);

/* Memory */

/* Zeroed memory that lives until the call ends. Without memory left the call is trapped, and the host finds the record.
 */
void *cb_alloc(size_t size);
/* Zeroed memory that lives as long as the instance. */
void *cb_keep(size_t size);
/* A larger copy of memory from cb_keep or, in place where that is possible; what it gained is zero. */
void *cb_keep_more(void *kept, size_t size, size_t larger);

/* Records */

/* Who speaks; CB_RAW marks text that a chat template must not wrap. */
typedef enum { CB_RAW, CB_SYSTEM, CB_USER, CB_ASSISTANT, CB_TOOL } cb_role;

typedef struct {
	cb_role role;
	cb_text text;
} cb_turn;

/* A list of turns. */
typedef struct {
	const cb_turn *at;
	size_t n;
} cb_turns;

/* One text of a corpus. Columns that the manifest does not ask for are empty; meta is a JSON object or empty. */
typedef struct {
	cb_text id, text, language, source, meta;
} cb_document;

/* A conversation in the order it was held. */
typedef struct {
	cb_text id, language, source;
	cb_turns turns;
} cb_dialogue;

/* One answer to be judged. History ends with the turn that the response answers; reference is the known right answer,
 * or empty. */
typedef struct {
	cb_text id, response, reference;
	cb_turns history;
} cb_sample;

/* Answers */

/* What an answer is worth. An abstention or a fault is never a score; detail says why. */
typedef enum { CB_OK, CB_ABSTAIN, CB_FAULT } cb_status;

/* The value of one score or part; those that are not set are absent. */
typedef struct {
	double value;
	bool given;
} cb_score;

/* Sets a score by its place in the manifest. Numbers travel as float. */
void cb_set(cb_score *scores, size_t place, double value);

typedef struct {
	cb_status status;
	cb_text detail;
	cb_score *scores;
} cb_rating;

/* What a filter wants done. CB_LATER postpones the verdict to flush. */
typedef enum { CB_KEEP, CB_DROP, CB_EDIT, CB_LATER } cb_action;

/* A change to turn `turn`, counted from 0 in the dialogue as the edits before leave it. CB_INSERT puts a turn of the
 * role that keeps the alternation before it. */
typedef enum { CB_REPLACE, CB_DELETE, CB_INSERT } cb_edit_op;

typedef struct {
	uint32_t turn;
	cb_edit_op op;
	cb_text text;
} cb_turn_edit;

typedef struct {
	cb_status status;
	cb_action action;
	double score;
	cb_text detail;
	const uint16_t *reasons; /* places in the manifest; see cb_reason */
	size_t reason_count;
	const cb_turn_edit *edits; /* carried out when action is CB_EDIT; see cb_edit */
	size_t edit_count;
} cb_verdict;

/* Adds a reason by its place in the manifest. */
void cb_reason(cb_verdict *verdict, uint16_t place);
/* Adds an edit and makes CB_EDIT the action. */
void cb_edit(cb_verdict *verdict, cb_edit_op op, size_t turn, cb_text text);

typedef struct {
	cb_status status;
	double reward;
	cb_text detail;
	cb_score *parts; /* see cb_set */
} cb_judgement;

/* Says why the call failed; the text need not live. Always false, so that a function can return it. */
bool cb_fail(cb_text why);

/* Configuration and JSON */

/* What an instance is opened with. It lives as long as the instance. */
typedef struct {
	cb_text config; /* the recipe's `with` as a JSON object, checked against the manifest, defaults filled in */
	uint64_t seed;  /* of the run; equal in all instances */
} cb_env;

/* The value of a key of a JSON object, an element of a JSON array: JSON again, empty when there is none. */
cb_text cb_member(cb_text object, const char *key);
cb_text cb_element(cb_text array, size_t place);
/* The key at a place of a JSON object: a JSON string, empty when there is none. */
cb_text cb_key(cb_text object, size_t place);
/* Read a JSON value. They return false and leave *out alone when it is absent or of another type. The string is of the
 * call unless it is a view of the value: keep it with cb_keep_text. */
bool cb_json_number(cb_text value, double *out);
bool cb_json_bool(cb_text value, bool *out);
bool cb_json_text(cb_text value, cb_text *out);
/* A copy that lives as long as the instance. */
cb_text cb_keep_text(cb_text text);

/* Host */

typedef enum { CB_DEBUG = -4, CB_INFO = 0, CB_WARN = 4, CB_ERROR = 8 } cb_level;

/* Writes a line to the host's log. */
void cb_log(cb_level level, cb_text message);

/* One of the host's models. */
typedef struct {
	int32_t place;
	cb_text name;                         /* what the plugin calls it */
	cb_text model;                        /* its own name */
	uint32_t max_tokens, outputs, hidden; /* longest input; width of score's and of embed's answers */
} cb_model;

/* The model that the recipe binds to a name for which the manifest requests `model:NAME`. NULL after cb_fail. */
const cb_model *cb_find_model(const char *name);

typedef struct {
	cb_turns context;
	cb_turns context2; /* considered when two is true */
	bool two;
	cb_text continuation;
} cb_loglik_request;

/* Sums of the log-probabilities of the same tokens under both contexts (log_prob2 is 0 without a second). */
typedef struct {
	double log_prob, log_prob2;
	uint32_t tokens;
} cb_loglik;

typedef struct {
	const double *at;
	size_t n;
} cb_vector;

/* Ask a model with n requests at once and get n answers, which live until the call ends: the likelihood of
 * continuations; the raw outputs of the model's head; embeddings. Ask for a whole batch: the host joins the requests of
 * all instances. NULL after cb_fail. */
const cb_loglik *cb_loglik_of(const cb_model *model, const cb_loglik_request *requests, size_t n);
const cb_vector *cb_outputs_of(const cb_model *model, const cb_turns *texts, size_t n);
const cb_vector *cb_embeddings_of(const cb_model *model, const cb_text *texts, size_t n);

/* Plugin */

/* The functions of a plugin. It has those of the manifest's kinds; open and flush are optional. */
typedef struct {
	size_t scores; /* how many scores the manifest declares */
	/* Prepares an instance. cb_fail says what is wrong with the configuration. */
	bool (*open)(const cb_env *env);
	bool (*score)(const cb_document *docs, size_t n, cb_rating *out);
	bool (*filter)(const cb_dialogue *dialogues, size_t n, cb_verdict *out);
	/* Answers the n dialogues that filter has postponed since the last flush, in their order. The manifest of such a
	 * plugin says purity "stateful"; it runs as one instance, in the order of the data. */
	bool (*flush)(cb_verdict *out, size_t n);
	bool (*reward)(const cb_sample *samples, size_t n, cb_judgement *out);
} cb_plugin;

/* CB_PLUGIN(.scores = 2, .open = open, .score = score) makes the module's exports. It stands once in a plugin. */
#define CB_PLUGIN(...)                                                                                              \
	static const cb_plugin cb__plugin = {__VA_ARGS__};                                                              \
	CB__EXPORT(dp_abi_version, int32_t, (void)) { return CB_ABI << 16; }                                            \
	CB__EXPORT(dp_alloc, void *, (size_t size)) { return cb__input(size); }                                         \
	CB__EXPORT(dp_open, int32_t, (const void *frame, size_t n)) { return cb_open(&cb__plugin, frame, n) ? 0 : -1; } \
	CB__EXPORT(dp_run, uint64_t, (int32_t kind, const void *frame, size_t n)) {                                     \
		return cb__packed(cb_run(&cb__plugin, (uint32_t)kind, frame, n));                                           \
	}                                                                                                               \
	CB__EXPORT(dp_flush, uint64_t, (int32_t kind)) { return cb__packed(cb_flush(&cb__plugin, (uint32_t)kind)); }    \
	CB__EXPORT(dp_error, uint64_t, (void)) { return cb__packed(cb_error()); }

/* What the exports do, for those who write them in another language. A frame lies at a multiple of 8. cb_run and
 * cb_flush return the answer's frame, valid until the next call, or an empty view; cb_error then says why. */
bool cb_open(const cb_plugin *plugin, const void *frame, size_t n);
cb_text cb_run(const cb_plugin *plugin, uint32_t kind, const void *frame, size_t n);
cb_text cb_flush(const cb_plugin *plugin, uint32_t kind);
cb_text cb_error(void);

/* Private */

#ifdef __cplusplus
#define CB__C extern "C"
#else
#define CB__C
#endif
#ifdef __wasm__
#define CB__EXPORT(name, result, parameters)                          \
	CB__C __attribute__((export_name(#name))) result name parameters; \
	result name parameters
#define CB__IMPORT(name) __attribute__((import_module("dp1"), import_name(name)))
#else /* a plugin that is compiled to be tested */
#define CB__EXPORT(name, result, parameters) \
	CB__C result name parameters;            \
	result name parameters
#define CB__IMPORT(name)
#endif

CB__IMPORT("log") void cb__host_log(int32_t level, const void *text, size_t n);
CB__IMPORT("model_loglik")
int32_t cb__host_loglik(int32_t model, const void *request, size_t n, void *out, size_t room);
CB__IMPORT("model_score")
int32_t cb__host_score(int32_t model, const void *request, size_t n, void *out, size_t room);
CB__IMPORT("model_embed")
int32_t cb__host_embed(int32_t model, const void *request, size_t n, void *out, size_t room);

void *cb__input(size_t size);

static inline uint64_t cb__packed(cb_text t) { return t.n == 0 ? 0 : (uint64_t)(uintptr_t)t.at << 32 | t.n; }

#ifdef __cplusplus
}
#endif

#ifndef CB_DECLARATIONS

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __wasm__
enum { CB__PAGE = 64 << 10 };

/* New memory of whole pages, or NULL. It is never given back, as WebAssembly has no way to. */
static void *cb__pages(size_t pages) {
	size_t at = __builtin_wasm_memory_grow(0, pages);
	return at == (size_t)-1 ? NULL : (void *)(at * CB__PAGE);
}

#ifndef __wasi__
/* Compilers call these where there is no C library. */
__attribute__((weak)) void *memcpy(void *to, const void *from, size_t n) { return __builtin_memmove(to, from, n); }
__attribute__((weak)) void *memmove(void *to, const void *from, size_t n) { return __builtin_memmove(to, from, n); }
__attribute__((weak)) void *memset(void *to, int byte, size_t n) { return __builtin_memset(to, byte, n); }
__attribute__((weak, no_builtin)) int memcmp(const void *a, const void *b, size_t n) {
	const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;
	for (size_t i = 0; i < n; i++) {
		if (x[i] != y[i]) return x[i] - y[i];
	}
	return 0;
}
#endif
#else
#include <stdlib.h>
enum { CB__PAGE = 64 << 10 };
static void *cb__pages(size_t pages) { return malloc(pages * CB__PAGE); }
#endif

#define CB__COPY(to, from, n) __builtin_memcpy(to, from, n)

/* Memory: chunks in a list, of which those up to `now` are in use. */

typedef struct cb__chunk {
	struct cb__chunk *next;
	size_t room;
} cb__chunk;

enum { CB__HEAD = 16 }; /* what a chunk takes of its memory */

typedef struct {
	cb__chunk *first, *now;
	size_t used; /* of now */
} cb__arena;

static struct {
	cb__arena call, kept;
	cb__chunk *input; /* where the host writes frames */
	const cb_plugin *plugin;
	const cb_model *models;
	size_t model_count;
	size_t late; /* verdicts that are postponed */
	char error[1024];
	size_t error_size;
} cb__state;

static cb__chunk *cb__new_chunk(size_t room) {
	if (room > SIZE_MAX / 2) return NULL;
	size_t pages = (room + CB__HEAD + CB__PAGE - 1) / CB__PAGE;
	cb__chunk *c = (cb__chunk *)cb__pages(pages);
	if (c != NULL) {
		c->next = NULL;
		c->room = pages * CB__PAGE - CB__HEAD;
	}
	return c;
}

static char *cb__data(cb__chunk *c) { return (char *)c + CB__HEAD; }

/* Puts a chunk after the current one and makes it current when `use` is set. */
static void cb__add_chunk(cb__arena *a, cb__chunk *c, bool use) {
	if (a->now == NULL) {
		c->next = a->first;
		a->first = c;
	} else {
		c->next = a->now->next;
		a->now->next = c;
	}
	if (use || a->now == NULL) {
		a->now = c;
		a->used = 0;
	}
}

static size_t cb__rounded(size_t size) { return (size + 15) & ~(size_t)15; }

/* Memory with whatever is in it. */
static void *cb__take(cb__arena *a, size_t size) {
	size_t n = cb__rounded(size);
	while (a->now == NULL || a->now->room - a->used < n) {
		if (a->now != NULL && a->now->next != NULL && a->now->next->room >= n) {
			a->now = a->now->next;
			a->used = 0;
			continue;
		}
		size_t twice = a->now == NULL ? 0 : a->now->room < (1 << 20) ? 2 * a->now->room : a->now->room;
		cb__chunk *c = n < size ? NULL : cb__new_chunk(n > twice ? n : twice);
		if (c == NULL) c = n < size ? NULL : cb__new_chunk(n);
		if (c == NULL) {
			cb_log(CB_ERROR, CB_TEXT("out of memory"));
			__builtin_trap();
		}
		cb__add_chunk(a, c, true);
	}
	void *at = cb__data(a->now) + a->used;
	a->used += n;
	return at;
}

/* A larger copy, in place when it is the last that was taken. */
static void *cb__take_more(cb__arena *a, void *old, size_t size, size_t larger) {
	size_t was = cb__rounded(size), n = cb__rounded(larger);
	char *end = a->now == NULL ? NULL : cb__data(a->now) + a->used;
	if (old != NULL && (char *)old + was == end && n >= larger && a->now->room - a->used >= n - was) {
		a->used += n - was;
		return old;
	}
	void *copy = cb__take(a, larger);
	if (size > 0) CB__COPY(copy, old, size);
	return copy;
}

static void *cb__zeroed(cb__arena *a, size_t size) { return __builtin_memset(cb__take(a, size), 0, size); }

/* Zeroed memory of the call for n things. */
static void *cb__array(size_t n, size_t size) {
	if (n > (SIZE_MAX / 2) / size) __builtin_trap();
	return cb__zeroed(&cb__state.call, n * size);
}

void *cb_alloc(size_t size) { return cb__zeroed(&cb__state.call, size); }

void *cb_keep(size_t size) { return cb__zeroed(&cb__state.kept, size); }

void *cb_keep_more(void *kept, size_t size, size_t larger) {
	void *copy = cb__take_more(&cb__state.kept, kept, size, larger);
	__builtin_memset((char *)copy + size, 0, larger - size);
	return copy;
}

/* The place for a frame of the host of that size, or NULL. The place before becomes memory of the calls. */
void *cb__input(size_t size) {
	if (cb__state.input == NULL || size > cb__state.input->room) {
		cb__chunk *c = cb__new_chunk(size);
		if (c == NULL) return NULL;
		if (cb__state.input != NULL) cb__add_chunk(&cb__state.call, cb__state.input, false);
		cb__state.input = c;
	}
	return cb__data(cb__state.input);
}

/* Gives all memory of the call before back to this one. */
static void cb__start_call(void) {
	cb__state.call.now = cb__state.call.first;
	cb__state.call.used = 0;
	cb__state.error_size = 0;
}

/* Text. */

static bool cb__same(const char *a, const char *b, size_t n) { return n == 0 || __builtin_memcmp(a, b, n) == 0; }

cb_text cb_string(const char *terminated) {
	size_t n = 0;
	while (terminated[n] != 0) n++;
	return cb_view(terminated, n);
}

bool cb_equal(cb_text a, cb_text b) { return a.n == b.n && cb__same(a.at, b.at, a.n); }

bool cb_starts(cb_text text, cb_text prefix) { return prefix.n <= text.n && cb__same(text.at, prefix.at, prefix.n); }

cb_text cb_after(cb_text text, size_t n) { return n < text.n ? cb_view(text.at + n, text.n - n) : cb_view(text.at, 0); }

static bool cb__holds(cb_text bytes, char c) {
	for (size_t i = 0; i < bytes.n; i++) {
		if (bytes.at[i] == c) return true;
	}
	return false;
}

cb_text cb_trim(cb_text text, cb_text bytes) {
	while (text.n > 0 && cb__holds(bytes, text.at[0])) text = cb_after(text, 1);
	while (text.n > 0 && cb__holds(bytes, text.at[text.n - 1])) text.n--;
	return text;
}

size_t cb_find(cb_text text, cb_text part) {
	for (size_t i = 0; i + part.n <= text.n; i++) {
		if (part.n == 0 || (text.at[i] == part.at[0] && cb__same(text.at + i, part.at, part.n))) return i;
	}
	return text.n;
}

size_t cb_length(cb_text text) {
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) n += ((unsigned char)text.at[i] & 0xC0) != 0x80;
	return n;
}

/* How many bytes a character beyond ASCII has that starts with this byte, 0 when none does. */
static size_t cb__width(unsigned char first) {
	return first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

/* The usual character of three bytes, as Chinese ones are, or 0. */
static uint32_t cb__three(const unsigned char *p, size_t n) {
	if (n < 3 || p[0] < 0xE1 || p[0] > 0xEC || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80) return 0;
	return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
}

uint32_t cb__next_wide(cb_text *text) {
	const unsigned char *p = (const unsigned char *)text->at;
	uint32_t three = cb__three(p, text->n);
	if (three > 0) {
		*text = cb_view(text->at + 3, text->n - 3);
		return three;
	}
	size_t width = cb__width(p[0]);
	uint32_t c = p[0] & (0xFFu >> (width + 1));
	bool good = width > 0 && width <= text->n;
	for (size_t i = 1; good && i < width; i++) {
		good = (p[i] & 0xC0) == 0x80;
		c = c << 6 | (p[i] & 0x3F);
	}
	good = good && !(width == 3 && (c < 0x800 || (c >= 0xD800 && c < 0xE000))) &&
		   !(width == 4 && (c < 0x10000 || c > 0x10FFFF));
	*text = cb_after(*text, good ? width : 1);
	return good ? c : 0xFFFD;
}

/* Bytes that grow. */
typedef struct {
	char *at;
	size_t n, room;
} cb__bytes;

/* Room for n more bytes at the end. */
static char *cb__more(cb__bytes *b, size_t n) {
	if (b->room - b->n < n) {
		size_t room = b->n + n > 2 * b->room ? b->n + n : 2 * b->room;
		b->at = (char *)cb__take_more(&cb__state.call, b->at, b->n, room);
		b->room = room;
	}
	b->n += n;
	return b->at + b->n - n;
}

static void cb__append(cb__bytes *b, cb_text t) {
	if (t.n > 0) CB__COPY(cb__more(b, t.n), t.at, t.n);
}

static void cb__append_number(cb__bytes *b, uint64_t v) {
	char digits[20];
	size_t n = sizeof digits;
	do digits[--n] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	cb__append(b, cb_view(digits + n, sizeof digits - n));
}

/* Scales v by powers of ten until it has six digits before the point; *exponent is what it lost. */
static double cb__scaled(double v, int *exponent) {
	int e = 0;
	while (v >= 1e6) v /= 10, e++;
	while (v < 1e5) v *= 10, e--;
	*exponent = e;
	return v;
}

/* Appends a number of six digits, without zeros at its end: digits * 10^exponent. */
static void cb__append_digits(cb__bytes *b, uint64_t digits, int exponent) {
	while (digits % 10 == 0) digits /= 10, exponent++;
	int size = 0, point;
	for (uint64_t d = digits; d > 0; d /= 10) size++;
	point = size + exponent; /* digits before the point */
	if (point < -3 || point > 15) {
		cb__append_number(b, digits);
		cb__append(b, exponent < 0 ? CB_TEXT("e-") : CB_TEXT("e"));
		cb__append_number(b, (uint64_t)(exponent < 0 ? -exponent : exponent));
		return;
	}
	size_t start = b->n;
	for (int i = point; i < 1; i++) cb__append(b, CB_TEXT("0"));
	cb__append_number(b, digits);
	for (int i = 0; i < exponent; i++) cb__append(b, CB_TEXT("0"));
	if (exponent < 0) {
		size_t whole = start + (size_t)(point < 1 ? 1 : point);
		cb__more(b, 1);
		__builtin_memmove(b->at + whole + 1, b->at + whole, b->n - 1 - whole);
		b->at[whole] = '.';
	}
}

static void cb__append_double(cb__bytes *b, double v) {
	if (v != v) {
		cb__append(b, CB_TEXT("NaN"));
		return;
	}
	if (v < 0) {
		cb__append(b, CB_TEXT("-"));
		v = -v;
	}
	if (v == 0 || v > 1.7976931348623157e308) {
		cb__append(b, v == 0 ? CB_TEXT("0") : CB_TEXT("Inf"));
		return;
	}
	int exponent;
	uint64_t digits = (uint64_t)(cb__scaled(v, &exponent) + 0.5);
	cb__append_digits(b, digits, exponent);
}

static void cb__append_int(cb__bytes *b, int v) {
	if (v < 0) cb__append(b, CB_TEXT("-"));
	cb__append_number(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

cb_text cb_format(const char *format, ...) {
	cb__bytes b = {NULL, 0, 0};
	va_list arguments;
	va_start(arguments, format);
	for (const char *p = format; *p != 0; p++) {
		if (*p != '%' || p[1] == 0) {
			*cb__more(&b, 1) = *p;
			continue;
		}
		switch (*++p) {
		case 'd': cb__append_int(&b, va_arg(arguments, int)); break;
		case 'z': cb__append_number(&b, va_arg(arguments, size_t)); break;
		case 'g': cb__append_double(&b, va_arg(arguments, double)); break;
		case 's': cb__append(&b, cb_string(va_arg(arguments, const char *))); break;
		case 't': cb__append(&b, va_arg(arguments, cb_text)); break;
		default: *cb__more(&b, 1) = *p;
		}
	}
	va_end(arguments);
	return cb_view(b.at, b.n);
}

cb_text cb_keep_text(cb_text text) {
	char *copy = (char *)cb_keep(text.n);
	if (text.n > 0) CB__COPY(copy, text.at, text.n);
	return cb_view(copy, text.n);
}

bool cb_fail(cb_text why) {
	size_t n = why.n < sizeof cb__state.error ? why.n : sizeof cb__state.error;
	if (n > 0) CB__COPY(cb__state.error, why.at, n);
	cb__state.error_size = n;
	return false;
}

cb_text cb_error(void) { return cb_view(cb__state.error, cb__state.error_size); }

void cb_log(cb_level level, cb_text message) { cb__host_log((int32_t)level, message.at, message.n); }

/* JSON. cb__skip is the whole grammar; the rest finds its way with it. */

enum { CB__DEPTH = 64 }; /* how deep JSON may be nested */

static const char *cb__space(const char *p, const char *end) {
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) p++;
	return p;
}

static bool cb__digit(const char *p, const char *end) { return p < end && *p >= '0' && *p <= '9'; }

static const char *cb__digits(const char *p, const char *end) {
	if (!cb__digit(p, end)) return NULL;
	while (cb__digit(p, end)) p++;
	return p;
}

static const char *cb__skip_number(const char *p, const char *end) {
	if (p < end && *p == '-') p++;
	const char *whole = p;
	if ((p = cb__digits(p, end)) == NULL || (*whole == '0' && p > whole + 1)) return NULL;
	if (p < end && *p == '.' && (p = cb__digits(p + 1, end)) == NULL) return NULL;
	if (p == end || (*p != 'e' && *p != 'E')) return p;
	p++;
	if (p < end && (*p == '+' || *p == '-')) p++;
	return cb__digits(p, end);
}

static int cb__hex(char c) {
	return c >= '0' && c <= '9'   ? c - '0'
		   : c >= 'a' && c <= 'f' ? c - 'a' + 10
		   : c >= 'A' && c <= 'F' ? c - 'A' + 10
								  : -1;
}

/* Four hexadecimal digits, or -1. */
static int32_t cb__hex4(const char *p, const char *end) {
	int32_t v = 0;
	for (int i = 0; i < 4; i++) {
		int digit = p + i < end ? cb__hex(p[i]) : -1;
		if (digit < 0) return -1;
		v = v << 4 | digit;
	}
	return v;
}

static const char *cb__skip_string(const char *p, const char *end) {
	if (p == end || *p++ != '"') return NULL;
	for (; p < end && *p != '"'; p++) {
		if ((unsigned char)*p < 0x20) return NULL;
		if (*p != '\\') continue;
		if (++p == end || !cb__holds(CB_TEXT("\"\\/bfnrtu"), *p)) return NULL;
		if (*p == 'u' && cb__hex4(p + 1, end) < 0) return NULL;
	}
	return p < end ? p + 1 : NULL;
}

static const char *cb__skip_word(const char *p, const char *end, cb_text word) {
	return cb_starts(cb_view(p, (size_t)(end - p)), word) ? p + word.n : NULL;
}

static const char *cb__skip(const char *p, const char *end, int depth);

/* The end of an object or array that starts at p. */
static const char *cb__skip_list(const char *p, const char *end, int depth) {
	bool object = *p++ == '{';
	char close = object ? '}' : ']';
	p = cb__space(p, end);
	if (depth == CB__DEPTH) return NULL;
	if (p < end && *p == close) return p + 1;
	for (;;) {
		if (object) {
			if ((p = cb__skip_string(cb__space(p, end), end)) == NULL) return NULL;
			p = cb__space(p, end);
			if (p == end || *p++ != ':') return NULL;
		}
		if ((p = cb__skip(p, end, depth + 1)) == NULL || (p = cb__space(p, end)) == end) return NULL;
		if (*p == close) return p + 1;
		if (*p++ != ',') return NULL;
	}
}

/* The end of the value that starts at p, NULL when there is none. */
static const char *cb__skip(const char *p, const char *end, int depth) {
	p = cb__space(p, end);
	if (p == end) return NULL;
	switch (*p) {
	case '{':
	case '[': return cb__skip_list(p, end, depth);
	case '"': return cb__skip_string(p, end);
	case 't': return cb__skip_word(p, end, CB_TEXT("true"));
	case 'f': return cb__skip_word(p, end, CB_TEXT("false"));
	case 'n': return cb__skip_word(p, end, CB_TEXT("null"));
	}
	return cb__skip_number(p, end);
}

/* Whether the text is one JSON value; its first byte is then at *p. */
static bool cb__json(cb_text value, const char **p) {
	const char *end = value.at + value.n;
	const char *after = value.n == 0 ? NULL : cb__skip(value.at, end, 0);
	*p = cb__space(value.at, end);
	return after != NULL && cb__space(after, end) == end;
}

static cb_text cb__value(const char *p, const char *end) {
	p = cb__space(p, end);
	return cb_view(p, (size_t)(cb__skip(p, end, 0) - p));
}

/* Goes over the members of a JSON object, or the elements of an array, which have no names. */
typedef struct {
	const char *p, *end;
	bool object;
	cb_text name, value;
} cb__walk;

/* Starts before the first one. False when the text is no such list. */
static bool cb__walk_start(cb__walk *w, cb_text list, bool object) {
	w->end = list.at + list.n;
	w->object = object;
	w->name = cb_view(NULL, 0);
	if (!cb__json(list, &w->p) || *w->p != (object ? '{' : '[')) return false;
	w->p = cb__space(w->p + 1, w->end);
	return true;
}

static bool cb__walk_next(cb__walk *w) {
	if (*w->p == '}' || *w->p == ']') return false;
	if (w->object) {
		w->name = cb__value(w->p, w->end);
		w->p = cb__space(w->name.at + w->name.n, w->end) + 1;
	}
	w->value = cb__value(w->p, w->end);
	w->p = cb__space(w->value.at + w->value.n, w->end);
	if (*w->p == ',') w->p = cb__space(w->p + 1, w->end);
	return true;
}

cb_text cb_member(cb_text object, const char *key) {
	cb__walk w;
	cb_text name;
	if (!cb__walk_start(&w, object, true)) return cb_view(NULL, 0);
	while (cb__walk_next(&w)) {
		if (cb_json_text(w.name, &name) && cb_equal(name, cb_string(key))) return w.value;
	}
	return cb_view(NULL, 0);
}

/* The walk to a place; false when it ends before. */
static bool cb__walk_to(cb__walk *w, cb_text list, bool object, size_t place) {
	if (!cb__walk_start(w, list, object)) return false;
	while (cb__walk_next(w)) {
		if (place-- == 0) return true;
	}
	return false;
}

cb_text cb_element(cb_text array, size_t place) {
	cb__walk w;
	return cb__walk_to(&w, array, false, place) ? w.value : cb_view(NULL, 0);
}

cb_text cb_key(cb_text object, size_t place) {
	cb__walk w;
	return cb__walk_to(&w, object, true, place) ? w.name : cb_view(NULL, 0);
}

bool cb_json_bool(cb_text value, bool *out) {
	const char *p;
	if (!cb__json(value, &p) || (*p != 't' && *p != 'f')) return false;
	*out = *p == 't';
	return true;
}

static void cb__append_rune(cb__bytes *b, uint32_t c) {
	char u[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; c >>= 6) u[i] = (char)(0x80 | (c & 0x3F));
	u[0] = (char)(n == 1 ? c : (0xF00u >> n & 0xFF) | c);
	cb__append(b, cb_view(u, n));
}

/* Appends the escaped character behind a \u at p and returns what follows it. */
static const char *cb__append_escaped(cb__bytes *b, const char *p, const char *end) {
	int32_t c = cb__hex4(p, end);
	p += 4;
	if (c >= 0xD800 && c < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
		int32_t low = cb__hex4(p + 2, end);
		if (low >= 0xDC00 && low < 0xE000) {
			cb__append_rune(b, (uint32_t)(0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00)));
			return p + 6;
		}
	}
	cb__append_rune(b, c >= 0xD800 && c < 0xE000 ? 0xFFFD : (uint32_t)c);
	return p;
}

bool cb_json_text(cb_text value, cb_text *out) {
	const char *p, *end = value.at + value.n;
	if (!cb__json(value, &p) || *p != '"') return false;
	end = cb__skip_string(p++, end) - 1;
	cb_text raw = cb_view(p, (size_t)(end - p));
	if (!cb__holds(raw, '\\')) {
		*out = raw;
		return true;
	}
	cb__bytes b = {NULL, 0, 0};
	while (p < end) {
		char c = *p++;
		if (c != '\\') {
			*cb__more(&b, 1) = c;
		} else if (*p == 'u') {
			p = cb__append_escaped(&b, p + 1, end);
		} else {
			c = *p++;
			*cb__more(&b, 1) = c == 'b'   ? '\b'
							   : c == 'f' ? '\f'
							   : c == 'n' ? '\n'
							   : c == 'r' ? '\r'
							   : c == 't' ? '\t'
										  : c;
		}
	}
	*out = cb_view(b.at, b.n);
	return true;
}

/* Decimal to binary, to the nearest double. A natural number of up to 4,480 bits, lowest limb first, holds all that
 * matters: 800 digits are more than a tie can have. */

enum { CB__LIMBS = 140, CB__DECIMALS = 800 };

typedef struct {
	uint32_t limb[CB__LIMBS];
	int n;
	bool inexact; /* something below it was lost */
} cb__big;

static void cb__big_multiply(cb__big *b, uint32_t factor, uint32_t plus) {
	uint64_t carry = plus;
	for (int i = 0; i < b->n; i++) {
		carry += (uint64_t)b->limb[i] * factor;
		b->limb[i] = (uint32_t)carry;
		carry >>= 32;
	}
	if (carry > 0) b->limb[b->n++] = (uint32_t)carry;
}

static void cb__big_divide(cb__big *b, uint32_t by) {
	uint64_t rest = 0;
	for (int i = b->n; i-- > 0;) {
		rest = rest << 32 | b->limb[i];
		b->limb[i] = (uint32_t)(rest / by);
		rest %= by;
	}
	while (b->n > 0 && b->limb[b->n - 1] == 0) b->n--;
	b->inexact = b->inexact || rest > 0;
}

static void cb__big_shift(cb__big *b, int limbs) {
	__builtin_memmove(b->limb + limbs, b->limb, (size_t)b->n * sizeof b->limb[0]);
	__builtin_memset(b->limb, 0, (size_t)limbs * sizeof b->limb[0]);
	b->n += limbs;
}

static uint64_t cb__big_bit(const cb__big *b, int i) { return i < 0 ? 0 : b->limb[i / 32] >> (i % 32) & 1; }

/* The number times 2^exponent, rounded to even; false when it is too large. */
static bool cb__big_double(cb__big *b, int exponent, double *out) {
	int bits = 32 * b->n;
	while (bits > 0 && cb__big_bit(b, bits - 1) == 0) bits--;
	int low = bits - 53; /* the bit that becomes the lowest one */
	if (low + exponent < -1074) low = -1074 - exponent;
	uint64_t mantissa = 0;
	for (int i = bits; i-- > low;) mantissa = mantissa << 1 | cb__big_bit(b, i);
	bool half = low > 0 && low <= bits && cb__big_bit(b, low - 1) == 1, more = b->inexact;
	for (int i = 0; i < low - 1 && i < bits; i++) more = more || cb__big_bit(b, i) == 1;
	if (half && (more || (mantissa & 1) == 1)) mantissa++;
	if (low + exponent + 1075 > 2046 || (low + exponent + 1075 == 2046 && mantissa == (uint64_t)1 << 53)) return false;
	uint64_t pattern = ((uint64_t)(low + exponent + 1075) << 52) + mantissa - ((uint64_t)1 << 52);
	CB__COPY(out, &pattern, sizeof pattern);
	return true;
}

/* The number of the digits (and a point, which is skipped) times 10^exponent, in the slow way that is always right. */
static bool cb__slow_double(const char *digits, const char *end, int exponent, double *out) {
	cb__big b;
	b.n = 0;
	b.inexact = false;
	int taken = 0;
	for (const char *p = digits; p < end; p++) {
		if (*p == '.' || (b.n == 0 && *p == '0')) continue;
		if (taken++ < CB__DECIMALS) {
			cb__big_multiply(&b, 10, (uint32_t)(*p - '0'));
		} else {
			exponent++;
			b.inexact = b.inexact || *p != '0';
		}
	}
	int size = (taken < CB__DECIMALS ? taken : CB__DECIMALS) + exponent; /* the number is below 10^size */
	*out = 0;
	if (b.n == 0 || size < -330) return true;
	if (size > 310) return false;
	for (; exponent > 0; exponent--) cb__big_multiply(&b, 10, 0);
	int limbs = exponent == 0 ? 0 : (-exponent * 10 / 3 + 32 * 4 - 32 * b.n) / 32;
	limbs = limbs > 0 ? limbs : 0;
	cb__big_shift(&b, limbs);
	for (; exponent <= -9; exponent += 9) cb__big_divide(&b, 1000000000);
	for (; exponent < 0; exponent++) cb__big_divide(&b, 10);
	return cb__big_double(&b, -32 * limbs, out);
}

/* The exponent behind e or E, bounded. */
static int cb__exponent(const char *p, const char *end) {
	bool minus = *p == '-';
	int e = 0;
	for (p += *p == '-' || *p == '+'; cb__digit(p, end); p++) {
		if (e < 100000) e = 10 * e + (*p - '0');
	}
	return minus ? -e : e;
}

bool cb_json_number(cb_text value, double *out) {
	static const double power[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
								   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	const char *p, *end = value.at + value.n;
	if (!cb__json(value, &p) || !(*p == '-' || cb__digit(p, end))) return false;
	bool minus = *p == '-', point = false;
	const char *digits = p += minus;
	uint64_t mantissa = 0;
	int exponent = 0, size = 0;
	for (; p < end && (*p == '.' || cb__digit(p, end)); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		if (mantissa > 0 || *p != '0') size++;
		if (size <= 18) mantissa = 10 * mantissa + (uint64_t)(*p - '0');
		exponent -= point;
	}
	const char *last = p;
	if (p < end && (*p == 'e' || *p == 'E')) exponent += cb__exponent(p + 1, end);
	double v = (double)mantissa;
	if (size <= 18 && mantissa <= (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22) {
		v = exponent < 0 ? v / power[-exponent] : v * power[exponent];
	} else if (!cb__slow_double(digits, last, exponent, &v)) {
		return false;
	}
	*out = minus ? -v : v;
	return true;
}

/* Frames, as package wire of the Go kit describes them: columns behind a header and a directory, little endian. */

enum {
	CB__MAX_FRAME = 16 << 20,
	CB__MAX_ROWS = 1 << 20,
	CB__MAX_COLUMNS = 1 << 12,
	CB__MAGIC = 0x31465044,
	CB__VERSION = 1,
	CB__HEADER = 32,
	CB__ENTRY = 24,
	CB__NULLABLE = 1,
	CB__CHILD = 2
};

enum { /* kinds */
	   CB__DOCUMENTS = 0x01,
	   CB__DIALOGUES = 0x02,
	   CB__SAMPLES = 0x03,
	   CB__LOGLIK = 0x10,
	   CB__TEXTS = 0x11,
	   CB__EMBED = 0x12,
	   CB__OPEN = 0x20,
	   CB__FAILURE = 0x21,
	   CB__ANSWER = 0x80
};

enum { /* types of columns */
	   CB__U8 = 1,
	   CB__U16,
	   CB__U32,
	   CB__I64,
	   CB__F32,
	   CB__F64,
	   CB__BYTES,
	   CB__LIST
};

enum { /* columns */
	   CB__ID = 0x01,
	   CB__TEXT,
	   CB__LANGUAGE,
	   CB__SOURCE,
	   CB__META,
	   CB__TURNS,
	   CB__HISTORY,
	   CB__RESPONSE,
	   CB__REFERENCE,
	   CB__STATUS = 0x20,
	   CB__DETAIL,
	   CB__ACTION,
	   CB__SCORE,
	   CB__REASONS,
	   CB__REWARD,
	   CB__CONTEXT = 0x40,
	   CB__CONTEXT2,
	   CB__CONTINUATION,
	   CB__LOG_PROB,
	   CB__LOG_PROB2,
	   CB__TOKENS,
	   CB__VECTOR,
	   CB__CONFIG = 0x60,
	   CB__SEED,
	   CB__MODELS,
	   CB__SCORES = 0x100,
	   CB__IS_CHILD = 0x4000,
	   CB__TURN_ROLE = 0x4001,
	   CB__TURN_TEXT,
	   CB__HISTORY_ROLE,
	   CB__HISTORY_TEXT,
	   CB__REASON,
	   CB__EDIT_ROW,
	   CB__EDIT_TURN,
	   CB__EDIT_OP,
	   CB__EDIT_TEXT,
	   CB__CONTEXT_ROLE,
	   CB__CONTEXT_TEXT,
	   CB__CONTEXT2_ROLE,
	   CB__CONTEXT2_TEXT,
	   CB__VALUE,
	   CB__MODEL_NAME = 0x4010,
	   CB__MODEL_INFO,
	   CB__MODEL_TOKENS,
	   CB__MODEL_OUTPUTS,
	   CB__MODEL_HIDDEN
};

/* How many bytes a value takes, 0 when it has offsets. */
static size_t cb__size_of(unsigned type) {
	static const unsigned char size[] = {0, 1, 2, 4, 8, 4, 8, 0, 0};
	return size[type];
}

static uint32_t cb__u16(const void *at) {
	uint16_t v;
	CB__COPY(&v, at, sizeof v);
	return v;
}

static uint32_t cb__u32(const void *at) {
	uint32_t v;
	CB__COPY(&v, at, sizeof v);
	return v;
}

/* Reading. */

/* A column whose ranges have been checked. An absent one has no type and no rows. */
typedef struct {
	uint32_t id, type, rows, children;
	const char *data, *offsets, *valid;
	uint32_t size; /* of data */
} cb__column;

typedef struct {
	uint32_t kind, rows, column_count;
	uint64_t batch;
	const char *at;
	size_t n;
	cb__column *columns;
} cb__frame;

/* The place of size bytes of the frame, or NULL. */
static const char *cb__span(const cb__frame *f, uint32_t from, uint64_t size) {
	return from % 8 != 0 || from < CB__HEADER || from + size > f->n ? NULL : f->at + from;
}

static bool cb__monotone(const cb__column *c) {
	uint32_t before = 0, most = c->type == CB__LIST ? c->children : c->size;
	for (uint32_t i = 0; i <= c->rows; i++) {
		uint32_t at = cb__u32(c->offsets + 4 * i);
		if (at < before || at > most) return false;
		before = at;
	}
	return true;
}

static bool cb__read_column(const cb__frame *f, const char *entry, cb__column *c) {
	uint32_t flags = (unsigned char)entry[3];
	c->id = cb__u16(entry);
	c->type = (unsigned char)entry[2];
	c->children = cb__u32(entry + 4);
	c->rows = (flags & CB__CHILD) != 0 ? c->children : f->rows;
	c->size = c->type == CB__LIST ? 0 : cb__u32(entry + 12);
	if (c->type < CB__U8 || c->type > CB__LIST || c->children > CB__MAX_FRAME) return false;
	if (((flags & CB__CHILD) != 0) != ((c->id & CB__IS_CHILD) != 0)) return false;
	if (c->type != CB__LIST && (c->data = cb__span(f, cb__u32(entry + 8), c->size)) == NULL) return false;
	if (c->type < CB__BYTES && c->size != cb__size_of(c->type) * (uint64_t)c->rows) return false;
	if (c->type >= CB__BYTES) {
		c->offsets = cb__span(f, cb__u32(entry + 16), 4 * ((uint64_t)c->rows + 1));
		if (c->offsets == NULL || !cb__monotone(c)) return false;
	}
	if ((flags & CB__NULLABLE) != 0) {
		c->valid = cb__span(f, cb__u32(entry + 20), ((uint64_t)c->rows + 7) / 8);
		return c->valid != NULL;
	}
	return true;
}

/* Reads header and directory of a frame, and checks all that they say. */
static bool cb__parse(cb__frame *f, const void *at, size_t n) {
	f->at = (const char *)at;
	f->n = n;
	if (n < CB__HEADER || n > CB__MAX_FRAME || cb__u32(f->at) != CB__MAGIC || cb__u16(f->at + 4) != CB__VERSION ||
		cb__u32(f->at + 16) != n)
		return cb_fail(CB_TEXT("not a frame of dp1"));
	f->kind = cb__u16(f->at + 6);
	f->rows = cb__u32(f->at + 8);
	f->column_count = cb__u16(f->at + 12);
	CB__COPY(&f->batch, f->at + 24, sizeof f->batch);
	if (f->rows > CB__MAX_ROWS || f->column_count > CB__MAX_COLUMNS || CB__HEADER + f->column_count * CB__ENTRY > n)
		return cb_fail(CB_TEXT("a frame with too many rows or columns"));
	f->columns = (cb__column *)cb__array(f->column_count, sizeof(cb__column));
	for (uint32_t i = 0; i < f->column_count; i++) {
		cb__column *c = &f->columns[i];
		if (!cb__read_column(f, f->at + CB__HEADER + i * CB__ENTRY, c))
			return cb_fail(cb_format("column %d of the frame is malformed", (int)c->id));
	}
	return true;
}

/* The column, or an absent one when it is not of that type and number of rows. */
static const cb__column *cb__find(const cb__frame *f, uint32_t id, uint32_t type, uint32_t rows) {
	static const cb__column absent = {0, 0, 0, 0, NULL, NULL, NULL, 0};
	for (uint32_t i = 0; i < f->column_count; i++) {
		const cb__column *c = &f->columns[i];
		if (c->id == id && c->type == type && c->rows == rows) return c;
	}
	return &absent;
}

/* Reads n texts into the members of n structures that are `stride` apart. Absent ones stay empty. */
static void cb__get_texts(const cb__frame *f, uint32_t id, uint32_t n, cb_text *member, size_t stride) {
	const cb__column *c = cb__find(f, id, CB__BYTES, n);
	uint32_t from = 0;
	if (c->type == 0) return;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t to = cb__u32(c->offsets + 4 * (i + 1));
		*(cb_text *)((char *)member + i * stride) = cb_view(c->data + from, to - from);
		from = to;
	}
}

/* Reads n lists of turns, likewise. The columns of roles and texts follow each other. */
static bool cb__get_turns(const cb__frame *f, uint32_t id, uint32_t role, uint32_t n, cb_turns *member, size_t stride) {
	const cb__column *list = cb__find(f, id, CB__LIST, n), *roles = cb__find(f, role, CB__U8, list->children);
	cb_turn *all = (cb_turn *)cb__array(list->children, sizeof(cb_turn));
	if (list->type == 0) return true;
	cb__get_texts(f, role + 1, list->children, &all->text, sizeof *all);
	for (uint32_t i = 0; i < list->children; i++) {
		unsigned number = roles->type == 0 ? 0 : (unsigned char)roles->data[i];
		if (number > CB_TOOL) return cb_fail(cb_format("unknown role %d", (int)number));
		all[i].role = (cb_role)number;
	}
	for (uint32_t i = 0; i < n; i++) {
		cb_turns *turns = (cb_turns *)((char *)member + i * stride);
		uint32_t from = cb__u32(list->offsets + 4 * i);
		turns->at = all + from;
		turns->n = cb__u32(list->offsets + 4 * (i + 1)) - from;
	}
	return true;
}

/* Writing. */

typedef struct {
	cb__bytes bytes;
	size_t next, last; /* places of the next and of the latest directory entry */
} cb__writer;

static void cb__store(char *at, const void *value, size_t n) { CB__COPY(at, value, n); }

static void cb__put_u32(cb__writer *w, size_t at, size_t value) {
	uint32_t v = (uint32_t)value;
	cb__store(w->bytes.at + at, &v, sizeof v);
}

/* n zero bytes at the next multiple of 8: their place. */
static size_t cb__reserve(cb__writer *w, size_t n) {
	size_t at = (w->bytes.n + 7) & ~(size_t)7, gap = at - w->bytes.n;
	__builtin_memset(cb__more(&w->bytes, gap + n), 0, gap + n);
	return at;
}

/* Starts a frame. About `room` bytes are going to be in it. */
static void cb__begin(cb__writer *w, uint32_t kind, size_t rows, size_t columns, uint64_t batch, size_t room) {
	uint16_t version = CB__VERSION, k = (uint16_t)kind, count = (uint16_t)columns;
	w->bytes.at = NULL;
	w->bytes.n = w->bytes.room = 0;
	cb__more(&w->bytes, CB__HEADER + columns * CB__ENTRY + room);
	w->bytes.n = 0;
	cb__reserve(w, CB__HEADER + columns * CB__ENTRY);
	w->next = CB__HEADER;
	cb__put_u32(w, 0, CB__MAGIC);
	cb__store(w->bytes.at + 4, &version, sizeof version);
	cb__store(w->bytes.at + 6, &k, sizeof k);
	cb__put_u32(w, 8, rows);
	cb__store(w->bytes.at + 12, &count, sizeof count);
	cb__store(w->bytes.at + 24, &batch, sizeof batch);
}

static cb_text cb__finish(cb__writer *w) {
	if (w->bytes.n > CB__MAX_FRAME) {
		cb_fail(cb_format("a frame of %z bytes is larger than %d", w->bytes.n, CB__MAX_FRAME));
		return cb_view(NULL, 0);
	}
	cb__put_u32(w, 16, w->bytes.n);
	return cb_view(w->bytes.at, w->bytes.n);
}

/* Fills the directory entry of the next column. `children` are its rows, or those of a list's elements. */
static void cb__enter(cb__writer *w, unsigned id, unsigned type, size_t children) {
	uint16_t column = (uint16_t)id;
	w->last = w->next;
	w->next += CB__ENTRY;
	cb__store(w->bytes.at + w->last, &column, sizeof column);
	w->bytes.at[w->last + 2] = (char)type;
	w->bytes.at[w->last + 3] = (id & CB__IS_CHILD) != 0 ? CB__CHILD : 0;
	if ((id & CB__IS_CHILD) != 0 || type == CB__LIST) cb__put_u32(w, w->last + 4, children);
}

/* Adds a column of n values of fixed width: the place for them. */
static char *cb__put_fixed(cb__writer *w, unsigned id, unsigned type, size_t n) {
	size_t size = n * cb__size_of(type);
	cb__enter(w, id, type, n);
	size_t at = cb__reserve(w, size);
	cb__put_u32(w, w->last + 8, at);
	cb__put_u32(w, w->last + 12, size);
	return w->bytes.at + at;
}

/* Adds a column of the texts that are members of n structures. */
static void cb__put_texts(cb__writer *w, unsigned id, size_t n, const cb_text *member, size_t stride) {
	cb__enter(w, id, CB__BYTES, n);
	size_t offsets = cb__reserve(w, 4 * (n + 1)), data = cb__reserve(w, 0);
	for (size_t i = 0; i < n; i++) {
		cb__append(&w->bytes, *(const cb_text *)((const char *)member + i * stride));
		cb__put_u32(w, offsets + 4 * (i + 1), w->bytes.n - data);
	}
	cb__put_u32(w, w->last + 16, offsets);
	cb__put_u32(w, w->last + 8, data);
	cb__put_u32(w, w->last + 12, w->bytes.n - data);
}

/* Adds a column of n lists: the place of their n+1 offsets, of which the first is 0. */
static size_t cb__put_list(cb__writer *w, unsigned id, size_t n, size_t children) {
	cb__enter(w, id, CB__LIST, children);
	size_t at = cb__reserve(w, 4 * (n + 1));
	cb__put_u32(w, w->last + 16, at);
	return at;
}

/* Makes the latest column one that may lack values: the place of its n bits. */
static char *cb__put_valid(cb__writer *w, size_t n) {
	size_t at = cb__reserve(w, (n + 7) / 8);
	w->bytes.at[w->last + 3] |= CB__NULLABLE;
	cb__put_u32(w, w->last + 20, at);
	return w->bytes.at + at;
}

/* Adds the child columns of n lists of turns. */
static void cb__put_turn_children(cb__writer *w, unsigned role, size_t n, const cb_turns *member, size_t stride,
								  size_t all) {
	cb_turn *flat = (cb_turn *)cb__array(all, sizeof(cb_turn)), *next = flat;
	for (size_t i = 0; i < n; i++) {
		const cb_turns *turns = (const cb_turns *)((const char *)member + i * stride);
		for (size_t k = 0; k < turns->n; k++) *next++ = turns->at[k];
	}
	char *roles = cb__put_fixed(w, role, CB__U8, all);
	for (size_t i = 0; i < all; i++) roles[i] = (char)flat[i].role;
	cb__put_texts(w, role + 1, all, &flat->text, sizeof *flat);
}

/* Adds a column of n lists of turns, without the children, and returns how many these are. */
static size_t cb__put_turn_lists(cb__writer *w, unsigned id, size_t n, const cb_turns *member, size_t stride) {
	size_t all = 0;
	for (size_t i = 0; i < n; i++) all += ((const cb_turns *)((const char *)member + i * stride))->n;
	size_t at = cb__put_list(w, id, n, all);
	all = 0;
	for (size_t i = 0; i < n; i++) {
		all += ((const cb_turns *)((const char *)member + i * stride))->n;
		cb__put_u32(w, at + 4 * (i + 1), all);
	}
	return all;
}

/* Adds one column for each score: that of row i is at[i * stride], an array of all scores. */
static void cb__put_scores(cb__writer *w, size_t n, cb_score *const *member, size_t stride) {
	for (size_t k = 0; k < cb__state.plugin->scores; k++) {
		size_t given = 0;
		char *data = cb__put_fixed(w, CB__SCORES + (unsigned)k, CB__F32, n);
		for (size_t i = 0; i < n; i++) {
			const cb_score *s = *(cb_score *const *)((const char *)member + i * stride) + k;
			float v = s->given ? (float)s->value : 0;
			given += s->given;
			cb__store(data + 4 * i, &v, sizeof v);
		}
		char *valid = given == n ? NULL : cb__put_valid(w, n);
		for (size_t i = 0; valid != NULL && i < n; i++) {
			const cb_score *s = *(cb_score *const *)((const char *)member + i * stride) + k;
			valid[i / 8] = (char)(valid[i / 8] | (s->given ? 1 << (i % 8) : 0));
		}
	}
}

/* Answers. All rows of an answer are there before the plugin's function is called. */

static void cb__put_status(cb__writer *w, size_t n, const cb_status *status, size_t stride) {
	char *data = cb__put_fixed(w, CB__STATUS, CB__U8, n);
	for (size_t i = 0; i < n; i++) data[i] = (char)*(const cb_status *)((const char *)status + i * stride);
}

static void cb__put_float(cb__writer *w, unsigned id, size_t n, const double *member, size_t stride) {
	char *data = cb__put_fixed(w, id, CB__F32, n);
	for (size_t i = 0; i < n; i++) {
		float v = (float)*(const double *)((const char *)member + i * stride);
		cb__store(data + 4 * i, &v, sizeof v);
	}
}

/* Gives each of n rows an array of scores. */
static void cb__give_scores(size_t n, cb_score **member, size_t stride) {
	size_t count = cb__state.plugin->scores;
	cb_score *all = (cb_score *)cb__array(n * count, sizeof(cb_score));
	for (size_t i = 0; i < n; i++) *(cb_score **)((char *)member + i * stride) = all + i * count;
}

void cb_set(cb_score *scores, size_t place, double value) {
	if (place >= cb__state.plugin->scores) __builtin_trap();
	scores[place].value = value;
	scores[place].given = true;
}

/* About how many bytes an answer takes. */
static size_t cb__answer_room(size_t n) { return n * (16 + 4 * cb__state.plugin->scores) + 256; }

static cb_text cb__put_ratings(uint64_t batch, size_t n, const cb_rating *r) {
	cb__writer w;
	cb__begin(&w, CB__DOCUMENTS | CB__ANSWER, n, 2 + cb__state.plugin->scores, batch, cb__answer_room(n));
	cb__put_status(&w, n, &r->status, sizeof *r);
	cb__put_texts(&w, CB__DETAIL, n, &r->detail, sizeof *r);
	cb__put_scores(&w, n, &r->scores, sizeof *r);
	return cb__finish(&w);
}

static cb_text cb__put_judgements(uint64_t batch, size_t n, const cb_judgement *j) {
	cb__writer w;
	cb__begin(&w, CB__SAMPLES | CB__ANSWER, n, 3 + cb__state.plugin->scores, batch, cb__answer_room(n));
	cb__put_status(&w, n, &j->status, sizeof *j);
	cb__put_texts(&w, CB__DETAIL, n, &j->detail, sizeof *j);
	cb__put_float(&w, CB__REWARD, n, &j->reward, sizeof *j);
	cb__put_scores(&w, n, &j->parts, sizeof *j);
	return cb__finish(&w);
}

/* A list with one element more: full lists have a power of two. */
static void *cb__list_more(const void *list, size_t n, size_t size) {
	if ((n & (n - 1)) != 0) return (void *)(uintptr_t)list;
	return cb__take_more(&cb__state.call, (void *)(uintptr_t)list, n * size, (n == 0 ? 1 : 2 * n) * size);
}

void cb_reason(cb_verdict *verdict, uint16_t place) {
	uint16_t *list = (uint16_t *)cb__list_more(verdict->reasons, verdict->reason_count, sizeof *list);
	list[verdict->reason_count++] = place;
	verdict->reasons = list;
}

void cb_edit(cb_verdict *verdict, cb_edit_op op, size_t turn, cb_text text) {
	cb_turn_edit *list = (cb_turn_edit *)cb__list_more(verdict->edits, verdict->edit_count, sizeof *list);
	cb_turn_edit *e = &list[verdict->edit_count++];
	e->turn = (uint32_t)turn;
	e->op = op;
	e->text = text;
	verdict->edits = list;
	verdict->action = CB_EDIT;
}

static void cb__put_reasons(cb__writer *w, size_t n, const cb_verdict *v) {
	size_t all = 0;
	for (size_t i = 0; i < n; i++) all += v[i].reason_count;
	size_t at = cb__put_list(w, CB__REASONS, n, all);
	char *data = cb__put_fixed(w, CB__REASON, CB__U16, all);
	all = 0;
	for (size_t i = 0; i < n; i++) {
		if (v[i].reason_count > 0) CB__COPY(data + 2 * all, v[i].reasons, 2 * v[i].reason_count);
		all += v[i].reason_count;
		cb__put_u32(w, at + 4 * (i + 1), all);
	}
}

static void cb__put_edits(cb__writer *w, size_t n, const cb_verdict *v) {
	size_t all = 0, next = 0;
	for (size_t i = 0; i < n; i++) all += v[i].edit_count;
	cb_turn_edit *flat = (cb_turn_edit *)cb__array(all, sizeof *flat);
	char *rows = cb__put_fixed(w, CB__EDIT_ROW, CB__U32, all);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < v[i].edit_count; k++) {
			uint32_t row = (uint32_t)i;
			cb__store(rows + 4 * next, &row, sizeof row);
			flat[next++] = v[i].edits[k];
		}
	}
	char *turns = cb__put_fixed(w, CB__EDIT_TURN, CB__U32, all);
	for (size_t i = 0; i < all; i++) cb__store(turns + 4 * i, &flat[i].turn, sizeof flat[i].turn);
	char *ops = cb__put_fixed(w, CB__EDIT_OP, CB__U8, all);
	for (size_t i = 0; i < all; i++) ops[i] = (char)flat[i].op;
	cb__put_texts(w, CB__EDIT_TEXT, all, &flat->text, sizeof *flat);
}

static cb_text cb__put_verdicts(uint64_t batch, size_t n, const cb_verdict *v) {
	cb__writer w;
	cb__begin(&w, CB__DIALOGUES | CB__ANSWER, n, 10, batch, 32 * n + 512);
	cb__put_status(&w, n, &v->status, sizeof *v);
	cb__put_texts(&w, CB__DETAIL, n, &v->detail, sizeof *v);
	char *actions = cb__put_fixed(&w, CB__ACTION, CB__U8, n);
	for (size_t i = 0; i < n; i++) actions[i] = (char)v[i].action;
	cb__put_float(&w, CB__SCORE, n, &v->score, sizeof *v);
	cb__put_reasons(&w, n, v);
	cb__put_edits(&w, n, v);
	return cb__finish(&w);
}

/* Requests of the host. */

static cb_document *cb__get_documents(const cb__frame *f) {
	uint32_t n = f->rows;
	cb_document *d = (cb_document *)cb__array(n, sizeof *d);
	cb__get_texts(f, CB__ID, n, &d->id, sizeof *d);
	cb__get_texts(f, CB__TEXT, n, &d->text, sizeof *d);
	cb__get_texts(f, CB__LANGUAGE, n, &d->language, sizeof *d);
	cb__get_texts(f, CB__SOURCE, n, &d->source, sizeof *d);
	cb__get_texts(f, CB__META, n, &d->meta, sizeof *d);
	return d;
}

/* NULL after cb_fail, as the next. */
static cb_dialogue *cb__get_dialogues(const cb__frame *f) {
	uint32_t n = f->rows;
	cb_dialogue *d = (cb_dialogue *)cb__array(n, sizeof *d);
	cb__get_texts(f, CB__ID, n, &d->id, sizeof *d);
	cb__get_texts(f, CB__LANGUAGE, n, &d->language, sizeof *d);
	cb__get_texts(f, CB__SOURCE, n, &d->source, sizeof *d);
	return cb__get_turns(f, CB__TURNS, CB__TURN_ROLE, n, &d->turns, sizeof *d) ? d : NULL;
}

static cb_sample *cb__get_samples(const cb__frame *f) {
	uint32_t n = f->rows;
	cb_sample *s = (cb_sample *)cb__array(n, sizeof *s);
	cb__get_texts(f, CB__ID, n, &s->id, sizeof *s);
	cb__get_texts(f, CB__RESPONSE, n, &s->response, sizeof *s);
	cb__get_texts(f, CB__REFERENCE, n, &s->reference, sizeof *s);
	return cb__get_turns(f, CB__HISTORY, CB__HISTORY_ROLE, n, &s->history, sizeof *s) ? s : NULL;
}

/* The answer of a call that failed: the plugin's reason, or that it gave none. */
static cb_text cb__failed(void) {
	if (cb__state.error_size == 0) cb_fail(CB_TEXT("the plugin gives no reason"));
	return cb_view(NULL, 0);
}

static cb_text cb__lacks(const char *kind) {
	cb_fail(cb_format("the plugin is no %s", kind));
	return cb_view(NULL, 0);
}

static cb_text cb__run_score(const cb_plugin *p, const cb__frame *f) {
	if (p->score == NULL) return cb__lacks("scorer");
	cb_document *docs = cb__get_documents(f);
	cb_rating *out = (cb_rating *)cb__array(f->rows, sizeof *out);
	cb__give_scores(f->rows, &out->scores, sizeof *out);
	return p->score(docs, f->rows, out) ? cb__put_ratings(f->batch, f->rows, out) : cb__failed();
}

static cb_text cb__run_filter(const cb_plugin *p, const cb__frame *f) {
	if (p->filter == NULL) return cb__lacks("filter");
	cb_dialogue *dialogues = cb__get_dialogues(f);
	cb_verdict *out = (cb_verdict *)cb__array(f->rows, sizeof *out);
	if (dialogues == NULL || !p->filter(dialogues, f->rows, out)) return cb__failed();
	for (uint32_t i = 0; i < f->rows; i++) cb__state.late += out[i].status == CB_OK && out[i].action == CB_LATER;
	return cb__put_verdicts(f->batch, f->rows, out);
}

static cb_text cb__run_reward(const cb_plugin *p, const cb__frame *f) {
	if (p->reward == NULL) return cb__lacks("reward");
	cb_sample *samples = cb__get_samples(f);
	cb_judgement *out = (cb_judgement *)cb__array(f->rows, sizeof *out);
	cb__give_scores(f->rows, &out->parts, sizeof *out);
	if (samples == NULL || !p->reward(samples, f->rows, out)) return cb__failed();
	return cb__put_judgements(f->batch, f->rows, out);
}

cb_text cb_run(const cb_plugin *plugin, uint32_t kind, const void *frame, size_t n) {
	cb__frame f;
	cb__start_call();
	cb__state.plugin = plugin;
	if (!cb__parse(&f, frame, n)) return cb__failed();
	switch (kind) {
	case CB__DOCUMENTS: return cb__run_score(plugin, &f);
	case CB__DIALOGUES: return cb__run_filter(plugin, &f);
	case CB__SAMPLES: return cb__run_reward(plugin, &f);
	}
	return cb__lacks("answer to requests of this kind");
}

cb_text cb_flush(const cb_plugin *plugin, uint32_t kind) {
	cb__start_call();
	cb__state.plugin = plugin;
	size_t n = cb__state.late;
	cb__state.late = 0;
	if (kind != CB__DIALOGUES || (n > 0 && plugin->flush == NULL)) return cb__lacks("filter that postpones");
	cb_verdict *out = (cb_verdict *)cb__array(n, sizeof *out);
	if (plugin->flush != NULL && !plugin->flush(out, n)) return cb__failed();
	return cb__put_verdicts(0, n, out);
}

/* Opening. */

static uint32_t cb__at_u32(const cb__column *c, uint32_t i) { return c->type == 0 ? 0 : cb__u32(c->data + 4 * i); }

static void cb__get_models(const cb__frame *f, uint32_t n) {
	cb_model *m = (cb_model *)cb_keep(n * sizeof *m);
	const cb__column *tokens = cb__find(f, CB__MODEL_TOKENS, CB__U32, n);
	const cb__column *outputs = cb__find(f, CB__MODEL_OUTPUTS, CB__U32, n);
	const cb__column *hidden = cb__find(f, CB__MODEL_HIDDEN, CB__U32, n);
	cb__get_texts(f, CB__MODEL_NAME, n, &m->name, sizeof *m);
	cb__get_texts(f, CB__MODEL_INFO, n, &m->model, sizeof *m);
	for (uint32_t i = 0; i < n; i++) {
		m[i].place = (int32_t)i;
		m[i].name = cb_keep_text(m[i].name);
		m[i].model = cb_keep_text(m[i].model);
		m[i].max_tokens = cb__at_u32(tokens, i);
		m[i].outputs = cb__at_u32(outputs, i);
		m[i].hidden = cb__at_u32(hidden, i);
	}
	cb__state.models = m;
	cb__state.model_count = n;
}

/* Reads the frame of an opening. What it holds is kept, since the frame is not. */
static bool cb__get_opening(cb__frame *f, const void *frame, size_t n, cb_env *env) {
	if (!cb__parse(f, frame, n)) return false;
	const cb__column *seed = cb__find(f, CB__SEED, CB__I64, 1);
	env->config = cb_view(NULL, 0);
	cb__get_texts(f, CB__CONFIG, 1, &env->config, 0);
	if (f->kind != CB__OPEN || f->rows != 1 || env->config.n == 0 || seed->type == 0)
		return cb_fail(CB_TEXT("the frame does not open an instance"));
	env->config = cb_keep_text(env->config);
	CB__COPY(&env->seed, seed->data, sizeof env->seed);
	cb__get_models(f, cb__find(f, CB__MODELS, CB__LIST, 1)->children);
	return true;
}

bool cb_open(const cb_plugin *plugin, const void *frame, size_t n) {
	cb__frame f;
	cb__start_call();
	cb__state.plugin = plugin;
	cb__state.late = 0;
	cb_env *env = (cb_env *)cb_keep(sizeof *env);
	if (cb__get_opening(&f, frame, n, env) && (plugin->open == NULL || plugin->open(env))) return true;
	cb__failed();
	return false;
}

/* Models. A long list of requests is asked in parts that fit a frame; answers do not depend on how. */

enum { CB__PART_ROWS = 4096, CB__PART_BYTES = 4 << 20 };

const cb_model *cb_find_model(const char *name) {
	for (size_t i = 0; i < cb__state.model_count; i++) {
		if (cb_equal(cb__state.models[i].name, cb_string(name))) return &cb__state.models[i];
	}
	cb_fail(cb_format("model \"%s\" is not granted", name));
	return NULL;
}

static int32_t cb__host_model(const cb_model *m, uint32_t kind, cb_text request, char *out, size_t room) {
	switch (kind) {
	case CB__LOGLIK: return cb__host_loglik(m->place, request.at, request.n, out, room);
	case CB__TEXTS: return cb__host_score(m->place, request.at, request.n, out, room);
	}
	return cb__host_embed(m->place, request.at, request.n, out, room);
}

static bool cb__model_failed(const cb__frame *f) {
	cb_text why = CB_TEXT("the host gives no reason");
	if (f->rows == 1) cb__get_texts(f, CB__DETAIL, 1, &why, 0);
	return cb_fail(why);
}

/* Asks the host. A row of the answer takes at most `width` bytes. */
static bool cb__ask(const cb_model *m, uint32_t kind, cb_text request, size_t rows, size_t width, cb__frame *f) {
	if (request.n == 0) return false;
	size_t room = 4096 + rows * (width + 4);
	char *out = (char *)cb__take(&cb__state.call, room);
	int32_t n = cb__host_model(m, kind, request, out, room);
	if (n < 0 || (size_t)n > room) return cb_fail(cb_format("the host answers %d to a model request", n));
	if (!cb__parse(f, out, (size_t)n)) return false;
	if (f->kind == CB__FAILURE) return cb__model_failed(f);
	if (f->kind == (kind | CB__ANSWER) && f->rows == rows) return true;
	return cb_fail(cb_format("%d answers of the model to %z requests", (int)f->rows, rows));
}

static size_t cb__turn_bytes(const cb_turns *turns) {
	size_t n = 0;
	for (size_t i = 0; i < turns->n; i++) n += turns->at[i].text.n + 5;
	return n;
}

static cb_text cb__put_loglik(const cb_loglik_request *r, size_t n) {
	cb__writer w;
	cb_loglik_request *copy = (cb_loglik_request *)cb__array(n, sizeof *copy);
	for (size_t i = 0; i < n; i++) {
		copy[i] = r[i];
		if (!r[i].two) copy[i].context2.n = 0;
	}
	cb__begin(&w, CB__LOGLIK, n, 7, 0, 0);
	size_t all = cb__put_turn_lists(&w, CB__CONTEXT, n, &copy->context, sizeof *copy);
	cb__put_turn_children(&w, CB__CONTEXT_ROLE, n, &copy->context, sizeof *copy, all);
	all = cb__put_turn_lists(&w, CB__CONTEXT2, n, &copy->context2, sizeof *copy);
	char *valid = cb__put_valid(&w, n);
	for (size_t i = 0; i < n; i++) valid[i / 8] = (char)(valid[i / 8] | (r[i].two ? 1 << (i % 8) : 0));
	cb__put_turn_children(&w, CB__CONTEXT2_ROLE, n, &copy->context2, sizeof *copy, all);
	cb__put_texts(&w, CB__CONTINUATION, n, &copy->continuation, sizeof *copy);
	return cb__finish(&w);
}

static bool cb__get_loglik(const cb__frame *f, cb_loglik *out) {
	const cb__column *first = cb__find(f, CB__LOG_PROB, CB__F64, f->rows);
	const cb__column *second = cb__find(f, CB__LOG_PROB2, CB__F64, f->rows);
	const cb__column *tokens = cb__find(f, CB__TOKENS, CB__U32, f->rows);
	if (first->type == 0 || second->type == 0 || tokens->type == 0)
		return cb_fail(CB_TEXT("the model's answer lacks a column"));
	for (uint32_t i = 0; i < f->rows; i++) {
		CB__COPY(&out[i].log_prob, first->data + 8 * i, 8);
		CB__COPY(&out[i].log_prob2, second->data + 8 * i, 8);
		out[i].tokens = cb__u32(tokens->data + 4 * i);
	}
	return true;
}

/* How many of n requests fit a part: size(request, i) is about what one takes. */
static size_t cb__part(const void *requests, size_t from, size_t n, size_t (*size)(const void *, size_t),
					   size_t width) {
	size_t count = 0, bytes = 0;
	while (from + count < n && count < CB__PART_ROWS && bytes <= CB__PART_BYTES) {
		bytes += size(requests, from + count) + width;
		count++;
	}
	return count;
}

static size_t cb__loglik_size(const void *requests, size_t i) {
	const cb_loglik_request *r = (const cb_loglik_request *)requests + i;
	return cb__turn_bytes(&r->context) + (r->two ? cb__turn_bytes(&r->context2) : 0) + r->continuation.n;
}

const cb_loglik *cb_loglik_of(const cb_model *model, const cb_loglik_request *requests, size_t n) {
	cb_loglik *out = (cb_loglik *)cb__array(n, sizeof *out);
	for (size_t from = 0, part; from < n; from += part) {
		cb__frame f;
		part = cb__part(requests, from, n, cb__loglik_size, 20);
		cb_text request = cb__put_loglik(requests + from, part);
		if (!cb__ask(model, CB__LOGLIK, request, part, 20, &f) || !cb__get_loglik(&f, out + from)) return NULL;
	}
	return out;
}

static bool cb__get_vectors(const cb__frame *f, cb_vector *out) {
	const cb__column *list = cb__find(f, CB__VECTOR, CB__LIST, f->rows);
	const cb__column *values = cb__find(f, CB__VALUE, CB__F64, list->children);
	if (list->type == 0 || (values->type == 0 && list->children > 0))
		return cb_fail(CB_TEXT("the model's answer lacks a column"));
	for (uint32_t i = 0; i < f->rows; i++) {
		uint32_t from = cb__u32(list->offsets + 4 * i);
		out[i].at = (const double *)(const void *)values->data + from;
		out[i].n = cb__u32(list->offsets + 4 * (i + 1)) - from;
	}
	return true;
}

static cb_text cb__put_prompts(const cb_turns *texts, size_t n) {
	cb__writer w;
	cb__begin(&w, CB__TEXTS, n, 3, 0, 0);
	size_t all = cb__put_turn_lists(&w, CB__TURNS, n, texts, sizeof *texts);
	cb__put_turn_children(&w, CB__TURN_ROLE, n, texts, sizeof *texts, all);
	return cb__finish(&w);
}

static size_t cb__prompt_size(const void *texts, size_t i) { return cb__turn_bytes((const cb_turns *)texts + i); }

const cb_vector *cb_outputs_of(const cb_model *model, const cb_turns *texts, size_t n) {
	cb_vector *out = (cb_vector *)cb__array(n, sizeof *out);
	size_t width = 8 * (size_t)model->outputs;
	for (size_t from = 0, part; from < n; from += part) {
		cb__frame f;
		part = cb__part(texts, from, n, cb__prompt_size, width);
		cb_text request = cb__put_prompts(texts + from, part);
		if (!cb__ask(model, CB__TEXTS, request, part, width, &f) || !cb__get_vectors(&f, out + from)) return NULL;
	}
	return out;
}

static cb_text cb__put_embed(const cb_text *texts, size_t n) {
	cb__writer w;
	cb__begin(&w, CB__EMBED, n, 1, 0, 0);
	cb__put_texts(&w, CB__TEXT, n, texts, sizeof *texts);
	return cb__finish(&w);
}

static size_t cb__text_size(const void *texts, size_t i) { return ((const cb_text *)texts)[i].n; }

const cb_vector *cb_embeddings_of(const cb_model *model, const cb_text *texts, size_t n) {
	cb_vector *out = (cb_vector *)cb__array(n, sizeof *out);
	size_t width = 8 * (size_t)model->hidden;
	for (size_t from = 0, part; from < n; from += part) {
		cb__frame f;
		part = cb__part(texts, from, n, cb__text_size, width);
		cb_text request = cb__put_embed(texts + from, part);
		if (!cb__ask(model, CB__EMBED, request, part, width, &f) || !cb__get_vectors(&f, out + from)) return NULL;
	}
	return out;
}

#ifdef __cplusplus
}
#endif

#endif /* CB_DECLARATIONS */
#endif /* CAREBOT_H */
