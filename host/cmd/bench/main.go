// Command bench measures the CPU engine beside its peers (OpenBLAS, PyTorch, llm.c), plugins beside native code and
// DataTrove, and tokenizers beside Hugging Face's, and writes the figures into docs/benchmarks.md. Both sides of a ratio
// are measured in turns in one run, with the same shapes, types and threads.
//
// It is run from the root of the repository, after make bench-peers:
//
//	go run ./host/cmd/bench -only sgemm,steps -rounds 5
//
// Reading order: contest (how a ratio is measured), peer (the other side), section (what is measured), page.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/carebot-llm/carebot/host/internal/plugin"
)

func main() {
	plugin.Reexec()
	b := &bench{}
	var only string
	flag.StringVar(&only, "only", "", "sections to measure, with commas between them; all of "+sectionNames())
	flag.IntVar(&b.rounds, "rounds", 7, "rounds of a contest at most")
	flag.DurationVar(&b.budget, "budget", 90*time.Second, "time for the rounds of one contest, at least two")
	flag.StringVar(&b.python, "peers", ".bench", "the environment of make bench-peers")
	flag.StringVar(&b.llmc, "llmc", os.Getenv("LLMC"), "a checkout of llm.c; without it GPT-2 is measured alone")
	flag.StringVar(&b.page, "page", "docs/benchmarks.md", "the page that gets the figures")
	flag.Parse()
	if err := b.run(chosen(only)); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// chosen splits a list of names; an empty one is all sections.
func chosen(only string) []string {
	if only == "" {
		only = sectionNames()
	}
	return strings.Split(only, ",")
}

// A bench is one run.
type bench struct {
	rounds int
	budget time.Duration
	python string
	llmc   string
	page   string

	temporary string // a directory for programs
	peers     map[string]*peer

	// Of the present section: its samples, and the peers that took part.
	tally    tally
	versions []string
}

func (b *bench) run(names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(sections, func(s section) bool { return s.name == name }) {
			return fmt.Errorf("-only: there is no section %q among %s", name, sectionNames())
		}
	}
	var err error
	if b.temporary, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.temporary)
	b.peers = map[string]*peer{}
	for _, s := range sections {
		if !slices.Contains(names, s.name) {
			continue
		}
		if err := b.measure(s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// measure runs one section and writes it to the terminal and the page.
func (b *bench) measure(s section) error {
	b.tally, b.versions = tally{}, nil
	defer b.dismiss()
	start := time.Now()
	r, err := s.run(b)
	if err != nil {
		return err
	}
	origin, err := b.origin(s.name, start)
	if err != nil {
		return err
	}
	r.body = origin + "\n\n" + r.body
	fmt.Printf("\n## %s\n\n%s\n", s.name, r.body)
	when := start.Format(time.DateOnly)
	if b.tally.crowded() {
		when += ", machine in use by others"
	}
	return writePage(b.page, s.name, r, when)
}
