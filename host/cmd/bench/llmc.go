package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// llmcFlags are those of llm.c's own Makefile.
var llmcFlags = strings.Fields("-Ofast -march=native -fopenmp -DOMP" +
	" -Wno-unused-result -Wno-ignored-pragmas -Wno-unknown-pragmas")

// llmcPeer compiles llm.c's train_gpt2.c, without its main, together with the driver of this package, and starts it.
func (b *bench) llmcPeer(s shape) (*peer, error) {
	const compiler = "gcc"
	program := filepath.Join(b.temporary, "llmc")
	args := append(llmcFlags, "-DTESTING", "-I", b.llmc, filepath.Join(scripts, "llmc.c"), "-o", program, "-lm")
	if out, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile llm.c in %s: %w\n%s", b.llmc, err, out)
	}
	args = []string{compilerVersion(compiler)}
	for _, n := range []int{s.Layers, s.Width, s.Heads, s.Vocab, s.Length, s.Batch} {
		args = append(args, fmt.Sprint(n))
	}
	return b.invite("llm.c", program, args...)
}

// compilerVersion is the first line that a compiler says about itself.
func compilerVersion(compiler string) string {
	out, err := exec.Command(compiler, "--version").Output()
	if err != nil {
		return compiler
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return first
}
