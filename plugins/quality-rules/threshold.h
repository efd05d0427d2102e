/* Thresholds: the rules' own, and those of the configuration. */
#ifndef THRESHOLD_H
#define THRESHOLD_H

#include "rule.h"

static bound bounds[LANGUAGES][RULES];

/* Writes digits d, 0.dddd * 10^point, as they are read. */
static cb_text decimal(char *out, char *p, uint32_t d, int n, int point) {
	char digits[4];
	for (int i = n; i-- > 0; d /= 10) digits[i] = (char)('0' + d % 10);
	bool small = point < -3, large = point > 4, scientific = small || large;
	int whole = scientific ? 1 : point;
	if (whole <= 0) *p++ = '0';
	for (int i = 0; i < whole; i++) *p++ = i < n ? digits[i] : '0';
	if (n > whole) *p++ = '.';
	for (int i = whole; i < 0; i++) *p++ = '0';
	for (int i = whole > 0 ? whole : 0; i < n; i++) *p++ = digits[i];
	cb_text number = cb_view(out, (size_t)(p - out));
	int exponent = small ? 1 - point : point - 1;
	if (!scientific) return number;
	return cb_format("%te%s%s%d", number, small ? "-" : "+", exponent < 10 ? "0" : "", exponent);
}

/* A number of four significant digits, half to even, as %.4g prints it. The product or quotient is exact where there
 * can be a tie. */
static cb_text brief(double v) {
	char *out = cb_alloc(16), *p = out;
	if (__builtin_signbit(v)) *p++ = '-';
	v = __builtin_fabs(v);
	if (v == 0) return cb_format("%t0", cb_view(out, (size_t)(p - out)));
	long double scale = 1, x = v;
	int point = 4, n = 4;
	for (; v / scale >= 1e4L; point++) scale *= 10;
	if (point > 4) x = v / scale;
	for (; v * scale < 1e3L; point--) scale *= 10;
	if (point < 4) x = v * scale;
	uint32_t d = (uint32_t)x;
	long double rest = x - d;
	d += rest > 0.5L || (rest == 0.5L && d % 2 == 1);
	if (d == 10000) point++;
	for (; d % 10 == 0; n--) d /= 10;
	return decimal(out, p, d, n < 1 ? 1 : n, point);
}

/* How a value lies outside, nothing when it is inside. */
static cb_text misses(bound b, double v) {
	if (v < b.min) return cb_format("%t < %t", brief(v), brief(b.min));
	if (v > b.max) return cb_format("%t > %t", brief(v), brief(b.max));
	return cb_view(NULL, 0);
}

static const char *const language_keys[LANGUAGES] = {"english", "chinese"};

static bool no_such_rule(const char *key, cb_text name) {
	cb_text known = cb_string(rules[0].name);
	for (rule_name r = 1; r < RULES; r++) known = cb_format("%t, %s", known, rules[r].name);
	return cb_fail(cb_format("%s.%t: no such rule (there are %t)", key, name, known));
}

/* Reads {min: ..., max: ...}; an end that is not given is open. */
static bool read_bound(const char *key, cb_text name, cb_text value, bound *out) {
	cb_text end, rest = value;
	*out = (bound)ANYTHING;
	if (value.at[0] != '{')
		return cb_fail(cb_format("%s.%t: a threshold is {min: ..., max: ...}, not %t", key, name, value));
	for (size_t i = 0; cb_json_text(cb_key(value, i), &end); i++) {
		double *to = cb_equal(end, CB_TEXT("min")) ? &out->min : cb_equal(end, CB_TEXT("max")) ? &out->max : NULL;
		if (to == NULL) return cb_fail(cb_format("%s.%t: a threshold has min and max, not %t", key, name, end));
		rest = cb_member(value, to == &out->min ? "min" : "max");
		if (!cb_json_number(rest, to))
			return cb_fail(cb_format("%s.%t.%t: must be a number, is %t", key, name, end, rest));
	}
	if (out->min > out->max)
		return cb_fail(cb_format("%s.%t: min %t is above max %t", key, name, brief(out->min), brief(out->max)));
	return true;
}

static rule_name rule_of(cb_text name) {
	rule_name r = 0;
	while (r < RULES && !cb_equal(name, cb_string(rules[r].name))) r++;
	return r;
}

/* Puts the given thresholds in the place of the rules' own: each whole, so that {} switches its rule off. */
static bool overlay(language l, cb_text given) {
	cb_text name;
	for (size_t i = 0; cb_json_text(cb_key(given, i), &name); i++) {
		rule_name r = rule_of(name);
		if (r == RULES) return no_such_rule(language_keys[l], name);
		if (!read_bound(language_keys[l], name, cb_member(given, rules[r].name), &bounds[l][r])) return false;
	}
	return true;
}

static bool configure(cb_text config) {
	for (language l = 0; l < LANGUAGES; l++) {
		for (rule_name r = 0; r < RULES; r++) bounds[l][r] = rules[r].bounds[l];
		if (!overlay(l, cb_member(config, language_keys[l]))) return false;
	}
	return true;
}

#endif
