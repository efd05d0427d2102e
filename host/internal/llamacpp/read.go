package llamacpp

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/gguf"
	"github.com/carebot-llm/carebot/host/internal/model"
)

// A Source is the weights of a file for a model of a configuration, under Hugging Face's names. Close it.
type Source struct {
	architecture
	file  *gguf.File
	cfg   model.Config
	names map[string]string // llama.cpp's, by Hugging Face's
}

// Open opens a file that Write has made of a model.
func Open(path string, m *model.Model) (*Source, error) {
	cfg := m.Config()
	a, err := architectureOf(cfg)
	if err != nil {
		return nil, err
	}
	f, err := gguf.Open(path)
	if err != nil {
		return nil, err
	}
	if got := f.Metadata["general.architecture"]; got != a.name {
		return nil, errors.Join(fmt.Errorf("%s holds a model of architecture %v, not %s", path, got, a.name), f.Close())
	}
	s := &Source{a, f, cfg, map[string]string{}}
	if err := s.expect(m.Names()); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return s, nil
}

// Close closes the file.
func (s *Source) Close() error { return s.file.Close() }

// expect looks for the tensors of the model in the file, which has no others.
func (s *Source) expect(names []string) error {
	known := map[string]bool{"rope_freqs.weight": true}
	for _, n := range names {
		name, err := s.tensorName(n)
		if err != nil {
			return err
		}
		if _, ok := s.file.Shape(name); !ok {
			return fmt.Errorf("the file has no tensor %s", name)
		}
		s.names[n], known[name] = name, true
	}
	for _, n := range s.file.Names() {
		if !known[n] {
			return fmt.Errorf("tensor %s is no part of the model", n)
		}
	}
	return nil
}

// Names implements model.Source.
func (s *Source) Names() []string { return slices.Sorted(maps.Keys(s.names)) }

// Shape implements model.Source.
func (s *Source) Shape(name string) ([]int, bool) { return s.file.Shape(s.names[name]) }

// Upload implements model.Source.
func (s *Source) Upload(name string, dev accelerators.Memory, dst accelerators.Buffer) error {
	values, err := s.read(name)
	if err != nil {
		return err
	}
	dev.UploadF32(dst, values)
	return nil
}

// read returns a tensor in Hugging Face's order.
func (s *Source) read(name string) ([]float32, error) {
	stored := s.names[name]
	shape, _ := s.file.Shape(stored)
	n := 1
	for _, d := range shape {
		n *= d
	}
	values := make([]float32, n)
	if err := s.file.Read(stored, values); err != nil {
		return nil, err
	}
	if heads := s.headsOf(stored, s.cfg.NumAttentionHeads, s.cfg.NumKeyValueHeads); heads > 0 {
		values = apart(values, heads, len(values)/shape[0])
	}
	if s.normsAdd && isNorm(stored) {
		for i := range values {
			values[i]--
		}
	}
	return values, nil
}
