package main

import (
	"fmt"
	"strings"
	"unicode"
)

// training and heldOut tell the files that models learn from and the text files that measure them.
func training(path string) bool {
	for _, p := range []string{"medical/", "general/", "rated.", "dialogues.", "pairs."} {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// check panics when something that measures a model has come into what it learns from.
func check(files []file) {
	known := map[string]bool{}
	var grams [2]map[string]bool
	for l := range grams {
		grams[l] = map[string]bool{}
	}
	for _, f := range files {
		for _, r := range f.records {
			if training(f.path) {
				learnt(r, known, grams)
			}
		}
	}
	for _, f := range files {
		for _, r := range f.records {
			if !training(f.path) {
				unseen(f.path, r, known, grams)
			}
		}
	}
}

func learnt(record any, known map[string]bool, grams [2]map[string]bool) {
	for _, text := range texts(record) {
		known[normal(text)] = true
		for l := range grams {
			for g := range ngrams(language(l), text) {
				grams[l][g] = true
			}
		}
	}
}

func unseen(path string, record any, known map[string]bool, grams [2]map[string]bool) {
	switch r := record.(type) {
	case textRecord:
		if known[normal(r.Text)] {
			panic(fmt.Sprintf("%s: %s is in the training data", path, r.ID))
		}
	case pairRecord:
		if known[normal(r.Prompt+"\n"+r.Chosen)] {
			panic(fmt.Sprintf("%s: %s is in the training data", path, r.ID))
		}
	case choiceRecord:
		l := english
		if r.Language == chinese.String() {
			l = chinese
		}
		for g := range ngrams(l, r.Question) {
			if grams[l][g] {
				panic(fmt.Sprintf("%s: %s shares %q with the training data", path, r.ID, g))
			}
		}
	}
}

// texts returns what a model reads of a record; a pair's prompt together with its answer.
func texts(record any) []string {
	switch r := record.(type) {
	case textRecord:
		return []string{r.Text}
	case pairRecord:
		return []string{r.Prompt + "\n" + r.Chosen, r.Prompt + "\n" + r.Rejected}
	case dialogueRecord:
		var out []string
		for _, m := range r.Messages {
			out = append(out, m.Content)
		}
		return out
	}
	panic(fmt.Sprintf("a record of type %T is nothing to learn from", record))
}

// normal is a text without case, white space and punctuation.
func normal(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// ngrams returns the runs of 13 words (English) or 20 characters (Chinese) of a text; of a shorter text the whole.
func ngrams(l language, text string) map[string]bool {
	units, size, gap := strings.Fields(strings.ToLower(text)), 13, " "
	if l == chinese {
		units, size, gap = chunks(normal(text), 1), 20, ""
	}
	size = min(size, len(units))
	out := map[string]bool{}
	for i := 0; i+size <= len(units); i++ {
		out[strings.Join(units[i:i+size], gap)] = true
	}
	return out
}
