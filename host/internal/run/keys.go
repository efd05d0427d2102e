package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// formatVersion is part of every key. It changes when the same inputs would give other results than before.
const formatVersion = 1

// stageKey is what makes a stage the same: its declaration, the seed, and the digests of everything it refers to.
type stageKey struct {
	Format    int
	Seed      uint64
	Stage     string // its declaration, all defaults filled in
	Datasets  map[string]string
	Models    map[string]string
	Plugins   map[string]string
	Stages    map[string]string
	Tokenizer string
}

// resolve computes the keys of all stages; it reads every file that the recipe names, once.
func (p *Process) resolve(ctx context.Context) error {
	for _, name := range p.recipe.Order() {
		key, err := p.key(ctx, name)
		if err != nil {
			return fmt.Errorf("stage %s: %w", name, err)
		}
		p.keys[name] = key
	}
	return nil
}

// key is a stage's key, with the swaps that its ledger holds.
func (p *Process) key(ctx context.Context, name string) (string, error) {
	in, err := p.inputs(ctx, name)
	if err != nil {
		return "", err
	}
	return in.digest()
}

// inputs are what a stage is made of: what the recipe declares, and the swaps of a run that goes on.
func (p *Process) inputs(ctx context.Context, name string) (inputs, error) {
	if err := p.readLedger(); err != nil {
		return inputs{}, err
	}
	key, err := p.declaredKey(ctx, name)
	if err != nil {
		return inputs{}, err
	}
	if in := p.ledger[name]; in.Key == key {
		return in, nil
	}
	return inputs{Key: key}, nil
}

// readLedger reads the swaps of all stages, once. Swaps belong to the run in which they were made: when it has ended,
// the next one is that of the recipe again. What the lock file does not have was made in a run before that.
func (p *Process) readLedger() error {
	if p.ledger != nil {
		return nil
	}
	l, err := readLock(p.dir)
	if err != nil {
		return err
	}
	p.ledger = map[string]inputs{}
	for name := range p.recipe.Stages {
		in := claimed(p.stageDir(name))
		n := min(len(in.Swaps), len(l.Lock.Swaps[name])) // the lock file is written first, and may have one more
		if !l.Lock.Finished && n > 0 && in.equal(inputs{in.Key, l.Lock.Swaps[name][:n]}) {
			p.ledger[name] = in
		}
	}
	return nil
}

func (p *Process) declaredKey(ctx context.Context, name string) (string, error) {
	needs := p.recipe.Needs(name)
	k := stageKey{Format: formatVersion, Seed: p.recipe.Seed, Stage: p.declaration("stages", name), Stages: map[string]string{}}
	for _, s := range needs.Stages {
		k.Stages[s] = p.keys[s]
	}
	var err error
	if k.Datasets, err = p.digestAll(needs.Datasets, p.datasetDigest); err != nil {
		return "", err
	}
	if k.Models, err = p.digestAll(needs.Models, p.modelDigest); err != nil {
		return "", err
	}
	k.Plugins, err = p.digestAll(needs.Plugins, func(name string) (string, error) { return p.pluginDigest(ctx, name) })
	if err != nil {
		return "", err
	}
	if k.Tokenizer, err = p.tokenizerDigest(needs.Tokenizer); err != nil {
		return "", err
	}
	return digest(k)
}

// digestAll digests each name.
func (p *Process) digestAll(names []string, of func(string) (string, error)) (map[string]string, error) {
	all := map[string]string{}
	for _, name := range names {
		d, err := of(name)
		if err != nil {
			return nil, err
		}
		all[name] = d
	}
	return all, nil
}

// once remembers a digest, by the kind and name of what it is of.
func (p *Process) once(kind, name string, compute func() (string, error)) (string, error) {
	if d, ok := p.digests[kind+" "+name]; ok {
		return d, nil
	}
	d, err := compute()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", kind, name, err)
	}
	p.digests[kind+" "+name] = d
	return d, nil
}

func (p *Process) datasetDigest(name string) (string, error) {
	return p.once("dataset", name, func() (string, error) {
		ds, err := data.Described(p.recipe.Datasets[name], p.dataRoot())
		if err != nil {
			return "", err
		}
		files, err := data.Files(ds, p.dataRoot(), p.options.Samples)
		if err != nil {
			return "", err
		}
		content, err := data.Digest(files)
		if err != nil {
			return "", err
		}
		if p.recipe.Datasets[name].Info != "" {
			ds.Pos = recipe.Position{}
			return digest(p.declaration("datasets", name), content, ds)
		}
		return digest(p.declaration("datasets", name), content)
	})
}

func (p *Process) modelDigest(name string) (string, error) {
	return p.once("model", name, func() (string, error) {
		from := p.recipe.Models[name].From
		if from == "" {
			return digest(p.declaration("models", name))
		}
		content, err := p.folderDigest(from)
		if err != nil {
			return "", err
		}
		adapter, err := p.adapterDigest(name)
		if err != nil {
			return "", err
		}
		return digest(p.declaration("models", name), content, adapter)
	})
}

func (p *Process) adapterDigest(name string) (string, error) {
	if dir := p.recipe.Models[name].Adapter; dir != "" {
		return p.folderDigest(dir)
	}
	return "", nil
}

func (p *Process) pluginDigest(ctx context.Context, name string) (string, error) {
	return p.once("plugin", name, func() (string, error) { return p.digestOf(ctx, p.recipe, name) })
}

// digestOf covers the code, the configuration and the keys of the models that a recipe's plugin asks.
func (p *Process) digestOf(ctx context.Context, r *recipe.Recipe, name string) (string, error) {
	spec := r.Plugins[name]
	info, err := plugin.Inspect(ctx, spec, p.recipeDir())
	if err != nil {
		return "", err
	}
	bound, err := p.digestAll(slices.Sorted(maps.Values(spec.Models)), p.boundDigest)
	if err != nil {
		return "", err
	}
	return digest(string(r.Declaration("plugins", name)), info.Digest, bound)
}

// forgetPlugins forgets the plugins' digests, which depend on the keys of the models they ask.
func (p *Process) forgetPlugins() {
	maps.DeleteFunc(p.digests, func(name, _ string) bool { return strings.HasPrefix(name, "plugin ") })
}

// boundDigest is the key of a stage or the digest of a model that a plugin asks.
func (p *Process) boundDigest(ref string) (string, error) {
	if key, ok := p.keys[ref]; ok {
		return key, nil
	}
	return p.modelDigest(ref)
}

func (p *Process) tokenizerDigest(ref string) (string, error) {
	if ref == "" {
		return "", nil
	}
	if key, ok := p.keys[ref]; ok {
		return key, nil
	}
	return p.once("tokenizer", ref, func() (string, error) { return p.folderDigest(ref) })
}

func (p *Process) folderDigest(name string) (string, error) {
	dir, err := p.folderOf(name)
	if err != nil {
		return "", err
	}
	return checkpoint.Digest(dir)
}

// declaration is an entry of the recipe as text, without its place in the file.
func (p *Process) declaration(section, name string) string {
	return string(p.recipe.Declaration(section, name))
}

func (p *Process) recipeDir() string { return filepath.Dir(p.recipe.File) }

// digest is the sha256 of the JSON of its arguments, in hex. Maps are written in the order of their keys.
func digest(parts ...any) (string, error) {
	text, err := json.Marshal(parts)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
