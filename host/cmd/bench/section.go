package main

import (
	"fmt"
	"slices"
	"strings"
)

// A section is one group of figures of the page, between markers of its name.
type section struct {
	name string
	run  func(*bench) (report, error)
}

// A report is what a section found: its text for the page, and its rows in the table of targets.
type report struct {
	body    string
	figures []figure
}

// A figure is a measured value for the target of the same work.
type figure struct {
	work     string
	measured string
	met      bool
}

var sections = []section{
	{"sgemm", sgemm},
	{"bf16", halfProducts},
	{"attention", attention},
	{"bandwidth", bandwidth},
	{"steps", steps},
	{"gpt2", gpt2},
	{"threads", threads},
	{"overhead", overhead},
	{"growth", growth},
	{"generation", generation},
	{"load", loading},
	{"scoring", scoring},
	{"curves", curves},
	{"plugins", plugins},
	{"tokenizer", tokenizers},
}

// choose is the sections of a list of names with commas between them, in their own order; all where it is empty.
func choose(all []section, only string) ([]section, error) {
	if only == "" {
		return all, nil
	}
	wanted := strings.Split(only, ",")
	for _, name := range wanted {
		if !slices.ContainsFunc(all, func(s section) bool { return s.name == name }) {
			return nil, fmt.Errorf("-only: there is no section %q among %s", name, names(all))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(s section) bool { return !slices.Contains(wanted, s.name) }), nil
}

func names(all []section) string {
	var list []string
	for _, s := range all {
		list = append(list, s.name)
	}
	return strings.Join(list, ",")
}
