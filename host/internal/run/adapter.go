package run

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/train"
)

// start loads the start weights of a train stage. Those that it holds in NF4 are packed as they are read, unless another
// adapter must be merged into them first.
func (p *Process) start(spec recipe.Train) (*served, error) {
	head, options := train.HeadFor(spec.Objective), train.Adapted(spec, p.recipe.Seed)
	if !train.BaseInNF4(spec) || !p.merges(spec.Init) {
		return p.open(spec.Init, head, options...)
	}
	whole, err := p.open(spec.Init, head, model.Frozen())
	if err != nil {
		return nil, err
	}
	defer whole.close()
	m, err := model.Load(p.device, whole.model.Config(), head, whole.model, options...)
	if err != nil {
		return nil, err
	}
	m.Pool(whole.model.Pooling())
	return p.served(spec.Init, "", m, whole.tok), nil
}

// merges says whether opening a model or the result of a train stage merges an adapter into weights.
func (p *Process) merges(ref string) bool {
	if st := p.recipe.Stages[ref].Train; st != nil {
		return st.LoRA != nil
	}
	spec := p.recipe.Models[ref]
	if spec.From == "" {
		return false
	}
	_, adapter, err := p.foldersOf(spec)
	return err == nil && adapter != ""
}

// openAdapted loads the result of a train stage that has an adapter: what it began with, as it was held, the adapter merged
// into it.
func (p *Process) openAdapted(
	ref, dir string, spec recipe.Train, head model.Head, options ...model.Option,
) (*served, error) {
	m, err := p.open(spec.Init, cmp.Or(head, train.HeadFor(spec.Objective)), options...)
	if err != nil {
		return nil, err
	}
	if err := m.mergeTrained(dir, spec); err != nil {
		m.close()
		return nil, err
	}
	m.Served.Close()
	return p.served(ref, "", m.model, m.tok), nil
}

// describeAdapter writes the configuration of the adapter that a model is trained with. Its base is named by an absolute path,
// which PEFT takes from any folder; a base that is nowhere on disk has no name.
func (m *served) describeAdapter(dir string, a model.Adapter) (err error) {
	base := m.dir
	if base != "" {
		if base, err = filepath.Abs(base); err != nil {
			return err
		}
	}
	return checkpoint.WriteJSON(filepath.Join(dir, adapterFile), model.PEFT{Adapter: a, Base: base, Head: m.model.Head()})
}

// mergeTrained merges the adapter of a stage into the weights that it was trained beside.
func (m *served) mergeTrained(dir string, spec recipe.Train) error {
	if train.BaseInNF4(spec) {
		if err := m.model.RoundToNF4(); err != nil {
			return err
		}
	}
	return m.merge(dir)
}

// merge adds the adapter of a directory to the weights.
func (m *served) merge(dir string) error {
	var a model.PEFT
	if err := checkpoint.ReadJSON(filepath.Join(dir, adapterFile), &a); err != nil {
		return err
	}
	weights, err := checkpoint.OpenTensors(dir, adapterBase)
	if err != nil {
		return err
	}
	defer weights.Close()
	if err := m.model.Merge(a.Adapter, weights); err != nil {
		return fmt.Errorf("adapter %s: %w", dir, err)
	}
	return nil
}

// copyAdapter writes an adapter directory anew, without what only training needs.
func (m *served) copyAdapter(dir, from string) error {
	if err := m.tok.Save(dir); err != nil {
		return err
	}
	for _, name := range []string{adapterFile, adapterBase + ".safetensors"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if err := durable.WriteFile(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	return nil
}

// adaptedDir says what a directory adapts: its base model when it holds an adapter and no model, else nothing.
func adaptedDir(dir string) (base string, err error) {
	_, err = os.Stat(filepath.Join(dir, configFile))
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	var a model.PEFT
	err = checkpoint.ReadJSON(filepath.Join(dir, adapterFile), &a)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case a.Base == "":
		return "", fmt.Errorf("%s names no base_model_name_or_path", filepath.Join(dir, adapterFile))
	case filepath.IsAbs(a.Base):
		return a.Base, nil
	}
	return filepath.Join(dir, a.Base), nil
}
