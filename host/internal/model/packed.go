package model

import (
	"errors"
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// NF4Base holds the matrices beside which an adapter is trained in 4 bits (Dettmers et al. 2023, QLoRA): all of the blocks,
// but no embeddings, norms and heads. It goes with WithAdapter.
func NF4Base() Option { return func(o *options) { o.packed = true } }

// pack has the newest parts, those of one matrix, held in NF4.
func (l *layout) pack(parts []*part) {
	rows := make([]int, len(parts))
	for i, p := range parts {
		rows[i] = p.shape[0]
	}
	for i, packed := range parts[0].param.Pack(rows...) {
		parts[i].packed = packed
	}
}

// reservePacking takes the memory that parts are packed from, one after the other, and that uploaded gives back.
func (m *Model) reservePacking() error {
	most := 0
	for _, p := range m.parts {
		if p.packed != nil {
			most = max(most, p.size())
		}
	}
	return m.arena.Reserve(tensor.Sizes{F32: int64(most * accelerators.F32.Size())})
}

// fill has write put a part's weights on the device: where they stay, or where they are packed from.
func (m *Model) fill(p *part, write func(accelerators.Buffer) error) error {
	if p.packed == nil {
		return write(p.param.Update().Slice(p.off, p.size()))
	}
	loose, err := m.arena.Borrow(accelerators.F32, p.size())
	if err != nil {
		return fmt.Errorf("pack tensor %s: %w", p.name, err)
	}
	defer m.arena.Put(loose)
	if err := write(loose); err != nil {
		return err
	}
	p.packed.Store(m.dev, loose)
	return nil
}

// weights calls read with a part's weights on the device, which are there until it returns.
func (m *Model) weights(p *part, read func(accelerators.Buffer) error) error {
	if p.packed == nil {
		return read(p.param.Value().Slice(p.off, p.size()))
	}
	loose, err := m.arena.Borrow(accelerators.F32, p.size())
	if err != nil {
		return fmt.Errorf("unpack tensor %s: %w", p.name, err)
	}
	defer m.arena.Put(loose)
	p.packed.Load(m.dev, loose)
	return read(loose)
}

// rewrite has change work on a part's weights in float32, which must not be in NF4.
func (m *Model) rewrite(p *part, change func(accelerators.Buffer) error) error {
	held := p.param.Update().Slice(p.off, p.size())
	if held.Type == accelerators.F32 {
		return change(held)
	}
	wide, err := m.arena.Borrow(accelerators.F32, p.size())
	if err != nil {
		return fmt.Errorf("change tensor %s: %w", p.name, err)
	}
	defer m.arena.Put(wide)
	m.dev.Copy(wide, held)
	if err := change(wide); err != nil {
		return err
	}
	m.dev.Copy(held, wide)
	return nil
}

// RoundToNF4 gives a model the values that NF4Base would hold its weights as, so that an adapter which was trained beside
// those is merged into those.
func (m *Model) RoundToNF4() error {
	for _, p := range m.parts {
		if !p.linear || p.head {
			continue
		}
		words, err := m.arena.Borrow(accelerators.I32, accelerators.NF4Words(p.size()))
		if err != nil {
			return fmt.Errorf("round tensor %s: %w", p.name, err)
		}
		err = m.rewrite(p, func(values accelerators.Buffer) error {
			m.dev.PackNF4(words, values)
			m.dev.UnpackNF4(values, words, p.size(), 0)
			return nil
		})
		m.arena.Put(words)
		if err != nil {
			return err
		}
	}
	return errors.Join(m.uploaded(), m.measureRows())
}

// Shape implements Source: a model may be loaded from another of the same device.
func (m *Model) Shape(name string) ([]int, bool) {
	p, ok := m.byName()[m.canonical(name)]
	if !ok {
		return nil, false
	}
	return p.shape, true
}

// Upload implements Source.
func (m *Model) Upload(name string, _ accelerators.Memory, dst accelerators.Buffer) error {
	p, ok := m.byName()[m.canonical(name)]
	if !ok {
		return fmt.Errorf("the model has no tensor %s", name)
	}
	return m.weights(p, func(values accelerators.Buffer) error {
		m.dev.Copy(dst, values)
		return nil
	})
}

var _ Source = (*Model)(nil)
