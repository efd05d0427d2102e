package run

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/hub"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

// served is a model of the recipe that is loaded and can be asked, trained or written.
type served struct {
	*eval.Served
	ref   string
	dir   string // that the weights came from; empty for a new model
	model *model.Model
	tok   *tokenizer.Tokenizer
}

func (m *served) close() {
	m.Served.Close()
	m.model.Close()
}

// describe writes what makes dir a model directory besides its weights.
func (m *served) describe(dir string) error {
	if err := m.tok.Save(dir); err != nil {
		return err
	}
	if a, ok := m.model.Adapter(); ok {
		return m.describeAdapter(dir, a)
	}
	return m.configure(dir, "float32")
}

// configure writes the configuration of a model whose weights are stored in a type.
func (m *served) configure(dir, dtype string) error {
	cfg := m.model.Config()
	cfg.TorchDtype = dtype
	err := checkpoint.WriteJSON(filepath.Join(dir, configFile), cfg)
	if err := errors.Join(err, writePooling(dir, m.model.Pooling(), cfg.HiddenSize)); err != nil {
		return err
	}
	if m.model.Head() != model.HeadLM {
		return nil
	}
	return checkpoint.WriteJSON(filepath.Join(dir, "generation_config.json"), generationConfig{
		BOS: cfg.BosTokenID, EOS: cfg.EosTokenID, PAD: cfg.PadTokenID,
	})
}

// generationConfig is Hugging Face's generation_config.json.
type generationConfig struct {
	BOS *int32         `json:"bos_token_id,omitempty"`
	EOS model.TokenIDs `json:"eos_token_id,omitempty"`
	PAD *int32         `json:"pad_token_id,omitempty"`
}

const (
	configFile  = "config.json"
	adapterFile = "adapter_config.json"
	weightsBase = "model"
	adapterBase = "adapter_model"
)

// serve loads a model or the result of a train stage to be asked, in bfloat16 or not, with the head it has.
func (p *Process) serve(ref string, bf16 bool) (*served, error) {
	return p.open(ref, "", serving(bf16)...)
}

// serving are the options of a model that is asked, in bfloat16 or not.
func serving(bf16 bool) []model.Option {
	if bf16 {
		return []model.Option{model.Frozen(), model.BF16()}
	}
	return []model.Option{model.Frozen()}
}

// open loads a model or the result of a train stage. An empty head is the one it has; a classification head that the weights
// lack is initialised.
func (p *Process) open(ref string, head model.Head, options ...model.Option) (*served, error) {
	if st, ok := p.recipe.Stages[ref]; ok && st.Train != nil {
		dir, _, ok, err := checkpoint.Latest(p.stageDir(ref))
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("stage %s has no checkpoint", ref)
		}
		if st.Train.LoRA != nil {
			return p.openAdapted(ref, dir, *st.Train, head, options...)
		}
		return p.openDir(ref, dir, head, options...)
	}
	spec, ok := p.recipe.Models[ref]
	if !ok {
		return nil, fmt.Errorf("%q is neither a model nor a train stage", ref)
	}
	if spec.From != "" {
		return p.openFrom(ref, spec, head, options...)
	}
	return p.openNew(ref, spec, head, options...)
}

// openFrom loads a model that the recipe takes from a directory, and its adapter.
func (p *Process) openFrom(ref string, spec recipe.Model, head model.Head, options ...model.Option) (*served, error) {
	dir, adapter, err := p.foldersOf(spec)
	if err != nil {
		return nil, err
	}
	m, err := p.openDir(ref, dir, head, options...)
	if err != nil || adapter == "" {
		return m, err
	}
	if err := m.merge(adapter); err != nil {
		m.close()
		return nil, err
	}
	m.dir = ""
	return m, nil
}

// foldersOf are those of a model's weights and of its adapter, which may be the folder that the recipe names alone.
func (p *Process) foldersOf(spec recipe.Model) (dir, adapter string, err error) {
	if dir, err = p.folderOf(spec.From); err != nil {
		return "", "", err
	}
	if spec.Adapter != "" {
		adapter, err = p.folderOf(spec.Adapter)
		return dir, adapter, err
	}
	base, err := adaptedDir(dir)
	if base != "" {
		return base, dir, err
	}
	return dir, "", err
}

// openDir loads a model directory.
func (p *Process) openDir(ref, dir string, head model.Head, options ...model.Option) (*served, error) {
	dev, err := p.openDevice()
	if err != nil {
		return nil, err
	}
	cfg, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	head = cmp.Or(head, cfg.Head())
	m, tok, err := loadDir(dev, dir, p.withHead(cfg, ref, head), head, append(options, model.InitHead(p.recipe.Seed))...)
	if err != nil {
		return nil, err
	}
	return p.served(ref, dir, m, tok), nil
}

// withHead is a model's configuration with a head; one that is not there yet will be initialised.
func (p *Process) withHead(cfg model.Config, ref string, head model.Head) model.Config {
	if head == model.HeadClassify && cfg.Head() != head {
		cfg.NumLabels = p.recipe.OutputsOf(ref)
	}
	return cfg.WithHead(head)
}

// loadDir loads the weights and the tokenizer of a model directory.
func loadDir(
	dev accelerators.Device, dir string, cfg model.Config, head model.Head, options ...model.Option,
) (*model.Model, *tokenizer.Tokenizer, error) {
	tok, err := tokenizer.Load(dir)
	if err != nil {
		return nil, nil, err
	}
	pooling, err := readPooling(dir)
	if err != nil {
		return nil, nil, err
	}
	weights, err := checkpoint.OpenTensors(dir, weightsBase)
	if err != nil {
		return nil, nil, err
	}
	defer weights.Close()
	m, err := model.Load(dev, cfg, head, weights, options...)
	if err != nil {
		return nil, nil, fmt.Errorf("load %s: %w", dir, err)
	}
	m.Pool(pooling)
	return m, tok, nil
}

func readConfig(dir string) (model.Config, error) {
	var cfg model.Config
	if err := checkpoint.ReadJSON(filepath.Join(dir, configFile), &cfg); err != nil {
		return cfg, err
	}
	return cfg, cfg.Validate()
}

// openNew initialises a model of the recipe's architecture for the tokenizer that the stages using it share.
func (p *Process) openNew(ref string, spec recipe.Model, head model.Head, options ...model.Option) (*served, error) {
	dev, err := p.openDevice()
	if err != nil {
		return nil, err
	}
	tok, err := p.openTokenizer(p.recipe.TokenizerOf(ref))
	if err != nil {
		return nil, err
	}
	cfg := model.ConfigFromRecipe(spec, tok.Size(), specials(tok))
	m, err := model.New(dev, cfg, cmp.Or(head, headOf(spec.Arch)), p.recipe.Seed, options...)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", ref, err)
	}
	return p.served(ref, "", m, tok), nil
}

// specials are the token ids that a configuration names.
func specials(tok *tokenizer.Tokenizer) model.Special {
	id := func(id int32, ok bool) int32 {
		if !ok {
			return -1
		}
		return id
	}
	return model.Special{PAD: id(tok.PAD()), BOS: id(tok.BOS()), EOS: id(tok.EOS())}
}

func (p *Process) served(ref, dir string, m *model.Model, tok *tokenizer.Tokenizer) *served {
	return &served{eval.Serve(ref, m, tok, p.device, &p.deviceLock), ref, dir, m, tok}
}

// headOf is the head of a new model that no objective gave one.
func headOf(arch string) model.Head {
	if arch == model.Llama {
		return model.HeadLM
	}
	return model.HeadClassify
}

// openTokenizer loads the tokenizer of a tokenizer stage, or of a directory.
func (p *Process) openTokenizer(ref string) (*tokenizer.Tokenizer, error) {
	if _, ok := p.recipe.Stages[ref]; ok {
		return tokenizer.Load(p.stageDir(ref))
	}
	dir, err := p.folderOf(ref)
	if err != nil {
		return nil, err
	}
	return tokenizer.Load(dir)
}

// namedConfig is the configuration of a model directory that the recipe names.
func (p *Process) namedConfig(from string) (model.Config, error) {
	dir, err := p.folderOf(from)
	if err != nil {
		return model.Config{}, err
	}
	return readConfig(dir)
}

// folderOf is the folder of a model or tokenizer that the recipe names: in the Hugging Face cache, or beside the recipe
// unless it is absolute.
func (p *Process) folderOf(name string) (string, error) {
	if hub.Named(name) {
		ref, err := hub.Parse(name)
		if err != nil {
			return "", err
		}
		s, err := hub.Locate(ref)
		return s.Dir, err
	}
	if filepath.IsAbs(name) {
		return name, nil
	}
	return filepath.Join(filepath.Dir(p.recipe.File), name), nil
}
