package main

import "strings"

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

func sectionNames() string {
	var names []string
	for _, s := range sections {
		names = append(names, s.name)
	}
	return strings.Join(names, ",")
}
