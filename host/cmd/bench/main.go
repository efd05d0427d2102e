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
	"cmp"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/carebot-llm/carebot/host/internal/plugin"
)

func main() {
	plugin.Reexec()
	b := &bench{}
	var only string
	flag.StringVar(&only, "only", "", "sections to measure, with commas between them; all of "+names(sections)+
		", and with -device of "+names(gpuSections))
	flag.StringVar(&b.device, "device", "", "a GPU, as a recipe names it, to be measured by sections of its own")
	flag.BoolVar(&b.tiny, "tiny", false, "with -device: tiny shapes, to see that everything runs")
	flag.IntVar(&b.rounds, "rounds", 7, "rounds of a contest at most")
	flag.DurationVar(&b.budget, "budget", 90*time.Second, "time for the rounds of one contest, at least two")
	flag.StringVar(&b.python, "peers", ".bench", "the environment of make bench-peers")
	flag.StringVar(&b.llmc, "llmc", os.Getenv("LLMC"), "a checkout of llm.c; without it GPT-2 is measured alone")
	flag.StringVar(&b.page, "page", "", "the page that gets the figures (default docs/benchmarks.md, or docs/gpu-log.md)")
	flag.Parse()
	if err := b.run(only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A bench is one run.
type bench struct {
	rounds int
	budget time.Duration
	python string
	llmc   string
	page   string
	device string // of the sections for GPUs; empty for the others
	tiny   bool

	temporary string // a directory for programs
	peers     map[string]*peer

	// Of the present section: its samples, and the peers that took part.
	tally    tally
	versions []string
}

func (b *bench) run(only string) error {
	all, page := sections, "docs/benchmarks.md"
	if b.device != "" {
		all, page = gpuSections, "docs/gpu-log.md"
	}
	b.page = cmp.Or(b.page, page)
	chosen, err := choose(all, only)
	if err != nil {
		return err
	}
	if b.temporary, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.temporary)
	b.peers = map[string]*peer{}
	for _, s := range chosen {
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
	if b.tiny {
		return nil
	}
	return writePage(b.page, s.name, r, when)
}
