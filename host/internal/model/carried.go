package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/accelerators"
)

// carries says whether a tensor that nothing here computes with is part of the model all the same, so that it has to be
// there again when the model is saved: the pooler of an encoder without a head.
func (m *Model) carries(canonical string) bool {
	return m.encoder != nil && m.head == HeadNone && strings.HasPrefix(canonical, m.prefix+"pooler.dense.")
}

// carry keeps the tensors of a source that the model carries along, on the host.
func (m *Model) carry(src Source) error {
	for _, name := range src.Names() {
		if !m.carries(m.canonical(name)) {
			continue
		}
		shape, _ := src.Shape(name)
		t := NamedTensor{Name: strings.TrimPrefix(m.canonical(name), m.prefix), Shape: slices.Clone(shape)}
		if err := m.checkCarried(t); err != nil {
			return err
		}
		var err error
		if t.Data, err = m.fetch(src, name, shape); err != nil {
			return fmt.Errorf("keep tensor %s: %w", name, err)
		}
		m.carried = append(m.carried, t)
	}
	return nil
}

func (m *Model) checkCarried(t NamedTensor) error {
	want := []int{m.cfg.HiddenSize, m.cfg.HiddenSize}
	if t.Name == "pooler.dense.bias" {
		want = want[:1]
	}
	if !slices.Equal(t.Shape, want) {
		return fmt.Errorf("tensor %s has shape %v, the configuration wants %v", t.Name, t.Shape, want)
	}
	return nil
}

// fetch reads a tensor by way of the device, which widens what is stored in 16 bits.
func (m *Model) fetch(src Source, name string, shape []int) ([]float32, error) {
	values := make([]float32, (&part{shape: shape}).size())
	b, err := m.dev.Alloc(accelerators.F32, len(values))
	if err != nil {
		return nil, err
	}
	defer m.dev.Free(b)
	err = src.Upload(name, m.dev, b)
	return values, errors.Join(err, m.dev.DownloadF32(values, b))
}
