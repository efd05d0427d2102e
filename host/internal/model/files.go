package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/accelerators"
)

// A Source is the tensors of a model directory.
type Source interface {
	Names() []string
	Shape(name string) ([]int, bool)
	// Upload copies a tensor, as float32, to a device's memory of its size.
	Upload(name string, dev accelerators.Memory, dst accelerators.Buffer) error
}

// A NamedTensor is a tensor in Hugging Face's name and shape, on the host.
type NamedTensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// Load returns a model with the weights of a source. Tensors that are missing, too many or of another shape are errors
// that name them, with these exceptions: other heads in the source are left aside, with InitHead a missing classification
// head is initialised, and the pooler of an encoder without a head is kept for saving alone.
func Load(dev accelerators.Device, cfg Config, head Head, src Source, opts ...Option) (*Model, error) {
	o := gather(opts)
	m, err := declare(cfg, head, o)
	if err != nil {
		return nil, err
	}
	found, err := m.match(src, o.headSeed != nil)
	if err != nil {
		return nil, err
	}
	if err := m.alloc(dev, o); err != nil {
		return nil, err
	}
	if err := errors.Join(m.read(src, found, o), m.carry(src), m.initialiseAdapter(o.adapterSeed)); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// match finds each part's name in the source.
func (m *Model) match(src Source, headMayLack bool) (found map[*part]string, err error) {
	known := map[string]*part{}
	for _, p := range m.parts {
		known[p.name] = p
	}
	found = map[*part]string{}
	var errs []error
	for _, name := range src.Names() {
		p, ok := known[m.canonical(name)]
		switch shape, _ := src.Shape(name); {
		case ok && !slices.Equal(shape, p.shape):
			errs = append(errs, fmt.Errorf("tensor %s has shape %v, the configuration wants %v", name, shape, p.shape))
		case !ok && !m.aside(m.canonical(name)):
			errs = append(errs, fmt.Errorf("tensor %s is no part of a %s with head %s", name, m.cfg.ModelType, m.head))
		case ok && found[p] != "":
			errs = append(errs, fmt.Errorf("tensors %s and %s are the same", found[p], name))
		}
		if ok {
			found[p] = name
		}
	}
	for _, p := range m.parts {
		if found[p] == "" && !(p.head && headMayLack) {
			errs = append(errs, fmt.Errorf("tensor %s is missing", p.name))
		}
	}
	return found, joined(errs)
}

// joined bounds the list: files of another model miss everything.
func joined(errs []error) error {
	const most = 8
	if n := len(errs); n > most {
		errs = append(errs[:most:most], fmt.Errorf("and %d more", n-most))
	}
	return errors.Join(errs...)
}

// aside says whether a tensor that the model has no use for is nothing to worry about: another head's, the copy of a
// tied weight, or a constant that old versions of transformers stored.
func (m *Model) aside(name string) bool {
	own := map[Head][]string{HeadLM: {"lm_head."}, HeadClassify: {"score.", "classifier."}}[m.head]
	for _, prefix := range own {
		if strings.HasPrefix(name, prefix) {
			return name == "lm_head.weight" && m.cfg.TieWordEmbeddings
		}
	}
	return m.isHead(name) || strings.HasPrefix(name, m.prefix+"pooler.") ||
		strings.HasSuffix(name, "rotary_emb.inv_freq") || strings.HasSuffix(name, "embeddings.position_ids")
}

// Restore replaces what is trained by the tensors of a source, which must have every one: all weights, or those of the
// adapter.
func (m *Model) Restore(src Source) error {
	if m.beside == nil {
		found, err := m.match(src, false)
		if err != nil {
			return err
		}
		return m.read(src, found, options{})
	}
	found, err := m.matchAdapter(src)
	if err != nil {
		return err
	}
	for _, p := range m.trained() {
		if found[p] == "" {
			return fmt.Errorf("tensor %s is missing", m.peftName(p))
		}
		if err := m.upload(src, found[p], p); err != nil {
			return err
		}
	}
	return m.uploaded()
}

func (m *Model) read(src Source, found map[*part]string, o options) error {
	for _, p := range m.parts {
		name, ok := found[p]
		if !ok {
			if err := m.initialise(p, *o.headSeed); err != nil {
				return err
			}
			continue
		}
		if err := m.upload(src, name, p); err != nil {
			return err
		}
	}
	return m.uploaded()
}

func (m *Model) upload(src Source, name string, p *part) error {
	err := m.fill(p, func(to accelerators.Buffer) error { return src.Upload(name, m.dev, to) })
	if err != nil {
		return fmt.Errorf("load the weights: %w", err)
	}
	return nil
}

// uploaded waits for the weights to be there, and gives back what they were packed from.
func (m *Model) uploaded() error {
	m.arena.Free()
	if err := m.dev.Sync(); err != nil {
		return fmt.Errorf("upload the model: %w", err)
	}
	return nil
}

// Names are those of all weights, as Tensors has them.
func (m *Model) Names() []string {
	names := make([]string, len(m.parts))
	for i, p := range m.parts {
		names[i] = m.fileName(p)
	}
	return names
}

// Tensors downloads all weights for saving, under the names and in the order of Hugging Face, and behind them what the
// model carries along.
func (m *Model) Tensors() ([]NamedTensor, error) {
	all, err := m.download(m.parts, m.fileName)
	return append(all, m.carried...), err
}

// Trained downloads what an optimizer changes: all weights, or the adapter's under PEFT's names.
func (m *Model) Trained() ([]NamedTensor, error) {
	if m.beside == nil {
		return m.Tensors()
	}
	return m.download(m.trained(), m.peftName)
}

func (m *Model) download(parts []*part, name func(*part) string) ([]NamedTensor, error) {
	all := make([]NamedTensor, len(parts))
	for i, p := range parts {
		values, err := m.value(p)
		if err != nil {
			return nil, err
		}
		all[i] = NamedTensor{Name: name(p), Shape: slices.Clone(p.shape), Data: values}
	}
	return all, nil
}

// fileName is a part's name in files: without the base model's prefix when that is all there is.
func (m *Model) fileName(p *part) string {
	if m.head == HeadNone {
		return strings.TrimPrefix(p.name, m.prefix)
	}
	return p.name
}
