// Package samples is CareBot's own sample data, embedded in the program: sample://medical/en.jsonl.gz in a recipe is
// medical/en.jsonl.gz here. The texts are made by the program in generate from a hand-written knowledge base; README.md says what
// is in which file.
package samples

import "embed"

//go:generate go run ./generate -out .

// FS holds the data files.
//
//go:embed medical general heldout heldout-general *.jsonl *.jsonl.gz
var FS embed.FS
