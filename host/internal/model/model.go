// Package model is the transformers: a decoder (Llama, Mistral, Qwen2, Qwen3, Gemma 2 and 3) and an encoder
// (XLM-RoBERTa, BERT) with heads for language modelling, classification, regression and reward, in the numbers, names
// and file layout of Hugging Face transformers. A Config says what a model is; New initialises one, Load reads one;
// Hidden runs it on a tape; an Engine continues sequences, Generate a list of prompts with one.
package model

import (
	"errors"
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// A Model is weights on a device. It is used by one goroutine at a time, like its device.
type Model struct {
	dev  accelerators.Device
	cfg  Config
	head Head
	layout

	decoder *decoder // one of the two
	encoder *encoder
	ends    ends
	carried []NamedTensor // by files alone, in the order of their names
	pooling Pooling

	rotary       rotary
	local        rotary        // of layers that see a window, where they have a base of their own
	arena, pages *tensor.Arena // memory of an Engine's steps, and of its cache
	compute      accelerators.DType
	blank        bool
	checkpointed bool
	indices      indices
	counted      counted
}

// An Option changes how New and Load make a model.
type Option func(*options)

type options struct {
	frozen   bool
	blank    bool
	headSeed *uint64

	adapter     *Adapter
	adapterSeed uint64
	packed      bool
	compute     accelerators.DType
}

// Frozen makes a model without gradients, for inference only.
func Frozen() Option { return func(o *options) { o.frozen = true } }

// Blank makes New leave all weights and tables zero, for a model that only shows what memory it takes.
func Blank() Option { return func(o *options) { o.blank = true } }

// BF16 makes a model that computes in BF16. On a device that holds BF16, matrices that are not trained are in it alone,
// and generation computes in it as well.
func BF16() Option { return func(o *options) { o.compute = accelerators.BF16 } }

// InitHead lets Load initialise a classification head that the source lacks.
func InitHead(seed uint64) Option { return func(o *options) { o.headSeed = &seed } }

// New returns a model initialised as transformers does: normal with deviation initializer_range for matrices and
// embeddings, ones and zeros for norms and biases. The weights depend on the seed and their Hugging Face names alone.
func New(dev accelerators.Device, cfg Config, head Head, seed uint64, opts ...Option) (*Model, error) {
	o := gather(opts)
	m, err := declare(cfg, head, o)
	if err != nil {
		return nil, err
	}
	if err := m.alloc(dev, o); err != nil {
		return nil, err
	}
	if m.blank = o.blank; m.blank {
		return m, nil
	}
	if err := errors.Join(m.initialiseAll(seed), m.initialiseAdapter(o.adapterSeed)); err != nil {
		m.Close()
		return nil, fmt.Errorf("initialise the model: %w", err)
	}
	return m, nil
}

func gather(opts []Option) options {
	var o options
	for _, set := range opts {
		set(&o)
	}
	return o
}

// declare lays the model out, without memory.
func declare(cfg Config, head Head, o options) (*Model, error) {
	arch, known := architectures[cfg.ModelType]
	if known && arch.classes[head] == "" {
		return nil, fmt.Errorf("a model of type %s has no head %q", cfg.ModelType, head)
	}
	cfg = cfg.WithHead(head)
	cfg.TorchDtype = "float32"
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("model configuration: %w", err)
	}
	m := &Model{
		cfg: cfg, head: head, compute: o.compute, rotary: rotary{cfg: cfg}, local: rotary{cfg: cfg.local()},
		layout: layout{prefix: arch.prefix, set: &tensor.ParamSet{}, packs: o.packed},
	}
	if o.packed && o.adapter == nil {
		return nil, errors.New("weights in NF4 are not trained: they need an adapter beside them")
	}
	if o.adapter != nil {
		m.beside = &beside{Adapter: *o.adapter, layout: layout{prefix: arch.prefix, set: &tensor.ParamSet{}}}
	}
	if arch.decoder {
		m.decoder = m.layout.decoder(cfg)
		m.declareEnds(m.decoder.embed)
	} else {
		m.encoder = m.layout.encoder(cfg)
		m.declareEnds(nil)
	}
	if m.beside != nil {
		return m, m.beside.check(m.beside.matrices)
	}
	return m, nil
}

// declareEnds lays out what is behind the transformer. Beside an adapter a classification head is trained whole.
func (m *Model) declareEnds(embed *tensor.Param) {
	ends := layout{prefix: m.prefix, set: m.set}
	if m.beside != nil && m.head == HeadClassify {
		ends.set = m.beside.set
	}
	m.ends = ends.ends(m.cfg, m.head, embed)
	m.parts = append(m.parts, ends.parts...)
}

func (m *Model) alloc(dev accelerators.Device, o options) error {
	m.dev, m.arena, m.pages = dev, tensor.NewArena(dev), tensor.NewArena(dev)
	if err := m.set.Alloc(dev, m.storage(o.frozen || m.beside != nil)); err != nil {
		return fmt.Errorf("model of %d parameters: %w", m.cfg.Parameters(), err)
	}
	if m.beside != nil {
		if err := m.beside.set.Alloc(dev, m.storage(o.frozen)); err != nil {
			m.set.Free(dev)
			return fmt.Errorf("adapter: %w", err)
		}
	}
	if err := m.reservePacking(); err != nil {
		m.Close()
		return fmt.Errorf("pack weights: %w", err)
	}
	return nil
}

func (m *Model) storage(frozen bool) tensor.Storage {
	switch {
	case !frozen:
		return tensor.Trained
	case m.inBF16():
		return tensor.FrozenBF16
	}
	return tensor.Frozen
}

// Compute is the type that tapes of the model's are to compute in.
func (m *Model) Compute() accelerators.DType { return m.compute }

// inBF16 says whether activations are in BF16, and all that is not trained.
func (m *Model) inBF16() bool { return m.compute == accelerators.BF16 && m.dev.HoldsBF16() }

// Config is the model's configuration, its architectures naming its head.
func (m *Model) Config() Config { return m.cfg }

// Head is what the model ends in.
func (m *Model) Head() Head { return m.head }

// SetCheckpointing makes recording tapes keep only what enters each layer, and run the layer again on the way back. The
// gradients have the same bits.
func (m *Model) SetCheckpointing(on bool) { m.checkpointed = on }

// Params are the weights for the optimizer: all, or those of the adapter.
func (m *Model) Params() *tensor.ParamSet {
	if m.beside != nil {
		return m.beside.set
	}
	return m.set
}

// FrozenBytes is the memory of the weights that no optimizer changes: beside an adapter all but its own.
func (m *Model) FrozenBytes() int64 {
	if m.beside != nil {
		return m.set.Bytes()
	}
	return 0
}

// Close frees the model's memory on the device.
func (m *Model) Close() {
	m.set.Free(m.dev)
	if m.beside != nil {
		m.beside.set.Free(m.dev)
	}
	m.rotary.free(m.dev)
	m.local.free(m.dev)
	m.arena.Free()
	m.pages.Free()
}
