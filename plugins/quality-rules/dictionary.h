/* The dictionary: stop words, and what gives boilerplate away. */
#ifndef DICTIONARY_H
#define DICTIONARY_H

#include "scan.h"

/* Stop words of English are Gopher's. Those of Chinese are of our choice, modern and classical: text of either kind has
 * some. */
static const char *const stops[LANGUAGES][32] = {
	{"the", "be", "to", "of", "and", "that", "have", "with"},
	{"的", "了", "是", "在", "和", "有", "不", "与", "及", "等", "为", "会", "可", "这", "也",
	 "而", "之", "其", "以", "者", "则", "於", "于", "為", "與", "矣", "乃", "曰", "无"},
};

/* Boilerplate is C4's, and its like in Chinese. */
static const char *const boilerplate[TOPICS][16] = {
	[LOREM_IPSUM] = {"lorem ipsum"},
	[JAVASCRIPT] = {"javascript"},
	[POLICY] = {"terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies",
				"隐私政策", "用户协议", "服务条款", "版权所有", "免责声明"},
};

static phrase *learn(const char *text, topic t) {
	cb_text line = cb_string(text);
	scan_reset(line.n);
	characters(line);
	phrase *p = add_phrase(words.hashes, words.n);
	p->topic = t;
	return p;
}

static void learn_phrases(void) {
	for (language l = 0; l < LANGUAGES; l++) {
		for (uint32_t i = 0; stops[l][i] != NULL; i++) {
			phrase *p = learn(stops[l][i], STOP_WORDS);
			p->lang = l;
			p->bit = (uint64_t)1 << i;
		}
	}
	for (topic t = 0; t < TOPICS; t++) {
		for (uint32_t i = 0; boilerplate[t][i] != NULL; i++) learn(boilerplate[t][i], t);
	}
}

#endif
