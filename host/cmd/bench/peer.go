package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// scripts is where the programs of the peers are.
const scripts = "host/cmd/bench/peers"

// A peer is a process that answers each line with one line of JSON.
type peer struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

// A request asks a peer for work; which fields matter depends on Op.
type request struct {
	Op        string `json:"op"`
	Reps      int    `json:"reps"`
	Threads   int    `json:"threads,omitempty"`
	Form      string `json:"form,omitempty"` // of a product: nn, nt, tn
	M         int    `json:"m,omitempty"`
	N         int    `json:"n,omitempty"`
	K         int    `json:"k,omitempty"`
	DType     string `json:"dtype,omitempty"`
	Attention string `json:"attention,omitempty"` // sdpa or math
	Compile   bool   `json:"compile,omitempty"`
	Device    string `json:"device,omitempty"`    // cuda; the processor where it is not named
	Documents string `json:"documents,omitempty"` // file of one JSON object with a text in each line
	File      string `json:"file,omitempty"`      // tokenizer.json
	*shape
}

// An answer is the seconds of all repetitions together, or why there are none.
type answer struct {
	Wall  float64 `json:"wall"`
	CPU   float64 `json:"cpu"`
	Text  string  `json:"text"`
	Error string  `json:"error"`
}

// python returns the peer that runs a script of the environment, started on first use.
func (b *bench) pythonPeer(script string) (*peer, error) {
	interpreter := filepath.Join(b.python, "bin", "python")
	if _, err := os.Stat(interpreter); err != nil {
		return nil, fmt.Errorf("no peers in %s: run make bench-peers", b.python)
	}
	return b.invite(script, interpreter, filepath.Join(scripts, script))
}

// invite starts a peer, or returns it if it runs already.
func (b *bench) invite(name, program string, args ...string) (*peer, error) {
	if p := b.peers[name]; p != nil {
		return p, nil
	}
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start peer %s: %w", name, err)
	}
	p := &peer{name, cmd, in, bufio.NewReader(out)}
	b.peers[name] = p
	a, err := p.ask(request{Op: "about"})
	if err == nil && !slices.Contains(b.versions, a.Text) {
		b.versions = append(b.versions, a.Text)
	}
	return p, err
}

// end lets a peer go, with its memory.
func (b *bench) end(p *peer) {
	p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		fmt.Fprintf(os.Stderr, "peer %s: %v\n", p.name, err)
	}
	delete(b.peers, p.name)
}

func (b *bench) dismiss() {
	for _, p := range b.peers {
		b.end(p)
	}
}

func (p *peer) ask(r request) (answer, error) {
	var a answer
	if err := json.NewEncoder(p.in).Encode(r); err != nil {
		return a, fmt.Errorf("peer %s: %w", p.name, err)
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		return a, fmt.Errorf("peer %s, %s: %w", p.name, r.Op, err)
	}
	if err := json.Unmarshal([]byte(line), &a); err != nil {
		return a, fmt.Errorf("peer %s, %s: answer %q: %w", p.name, r.Op, strings.TrimSpace(line), err)
	}
	if a.Error != "" {
		return a, fmt.Errorf("peer %s, %s: %s", p.name, r.Op, a.Error)
	}
	return a, nil
}

// side is a peer at one kind of work.
func (p *peer) side(name string, r request) side {
	return side{name: name, apart: true, run: func(reps int) (spent, error) {
		r.Reps = reps
		a, err := p.ask(r)
		return spent{a.Wall, a.CPU}, err
	}}
}

// forget lets the peer free what it keeps for repetitions.
func (p *peer) forget() error {
	_, err := p.ask(request{Op: "forget"})
	return err
}
