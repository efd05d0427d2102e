package run

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

// A Swap is a reward model that took over while a stage ran. A stage that has one is another than the recipe declares:
// its key says so, and with it those of all stages that need it.
type Swap struct {
	Plugin string     `json:"plugin" yaml:"plugin"`                 // name in the recipe
	Step   int        `json:"step,omitempty" yaml:"step,omitempty"` // of a curate stage, counted from 1
	At     int        `json:"at" yaml:"at"`                         // records that were judged before
	Entry  string     `json:"entry" yaml:"entry"`                   // of the plugin, as the recipe would have it
	Digest string     `json:"digest" yaml:"digest"`                 // of code, configuration and models
	Shadow *Agreement `json:"shadow,omitempty" yaml:"-"`            // of the two in the shadow's time
}

// A swapIdentity is what a result depends on.
type swapIdentity struct {
	Step, At int
	Digest   string
}

func (s Swap) identity() swapIdentity { return swapIdentity{s.Step, s.At, s.Digest} }

// An alternative is another plugin under the name of one of the recipe's.
type alternative struct {
	name   string
	recipe *recipe.Recipe // with the other entry
}

func (a alternative) spec() recipe.Plugin { return a.recipe.Plugins[a.name] }

// entry is the plugin's entry as a recipe has it.
func (a alternative) entry() string { return string(a.recipe.Declaration("plugins", a.name)) }

// Alternative is the entry that a plugin has with overrides, each key=value, laid over it. A file below the recipe's
// folder is named from there, so that the run may be moved.
func (p *Process) Alternative(name string, overrides []string) (entry string, err error) {
	other, err := p.recipe.Rebind(name, overrides)
	if err != nil {
		return "", err
	}
	spec := other.Plugins[name]
	if folder, err := filepath.Abs(p.recipeDir()); err == nil && filepath.IsAbs(spec.Use) {
		if inside, err := filepath.Rel(folder, spec.Use); err == nil && filepath.IsLocal(inside) {
			spec.Use = "./" + filepath.ToSlash(inside)
		}
	}
	other.Plugins[name] = spec
	return alternative{name, other}.entry(), nil
}

// alternative reads an entry.
func (p *Process) alternative(name, entry string) (alternative, error) {
	other, err := p.recipe.WithPlugin(name, []byte(entry))
	return alternative{name, other}, err
}

// checkAlternative reports why a plugin cannot take over: it is no reward, its judgements depend on what it saw before,
// or it asks for more than the recipe grants.
func (p *Process) checkAlternative(ctx context.Context, a alternative) error {
	info, err := plugin.Inspect(ctx, a.spec(), p.recipeDir())
	if err != nil {
		return err
	}
	if err := judgesInBatches(info.Manifest); err != nil {
		return err
	}
	if err := plugin.Check(ctx, a.spec(), p.recipeDir()); err != nil {
		return err
	}
	granted := p.recipe.Plugins[a.name].Grant
	if more := beyond(a.spec().Grant.Network, granted.Network); more != "" {
		return fmt.Errorf("a swap grants nothing: grant.network of the recipe lacks %s", more)
	}
	if more := beyond(a.spec().Grant.Env, granted.Env); more != "" {
		return fmt.Errorf("a swap grants nothing: grant.env of the recipe lacks %s", more)
	}
	return nil
}

// beyond lists what is asked for and not granted.
func beyond(asked, granted []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(asked), func(name string) bool {
		return slices.Contains(granted, name)
	}), ", ")
}

// judgesInBatches reports a plugin that cannot judge batch by batch, by a process that may be killed between two.
func judgesInBatches(m sdk.Manifest) error {
	switch {
	case !slices.Contains(m.Kinds, sdk.KindReward):
		return fmt.Errorf("%s is no reward (it is: %v)", m.Name, m.Kinds)
	case m.Purity == sdk.Stateful:
		return fmt.Errorf("%s is stateful: its judgements depend on what it saw, which a stopped run loses", m.Name)
	}
	return nil
}

// ready reports models of an alternative whose stages are not done.
func (p *Process) ready(a alternative) error {
	for as, ref := range a.spec().Models {
		if _, ok := p.recipe.Stages[ref]; !ok {
			continue
		}
		if s, err := readSummary(p.stageDir(ref)); err != nil || s == nil || s.Key != p.keys[ref] {
			return fmt.Errorf("models.%s: stage %s is not done yet", as, ref)
		}
	}
	return nil
}

// openAlternative opens a plugin that is to take over and returns the digest of all that its judgements depend on.
func (p *Process) openAlternative(ctx context.Context, a alternative) (o *openedPlugin, digest string, err error) {
	if err := p.ready(a); err != nil {
		return nil, "", err
	}
	if digest, err = p.digestOf(ctx, a.recipe, a.name); err != nil {
		return nil, "", err
	}
	o, err = p.openEntry(ctx, a.name, a.spec())
	return o, digest, err
}

// recordSwap writes a swap of the stage that runs into the lock file, with the keys that change with it, and then into
// the stage's ledger. A process that is killed between the two goes on as if nothing had been swapped.
func (p *Process) recordSwap(ctx context.Context, stage string, s Swap) error {
	in := p.ledger[stage]
	in.Swaps = append(slices.Clip(in.Swaps), s)
	p.ledger[stage] = in
	p.forgetPlugins()
	if err := p.resolve(ctx); err != nil {
		return err
	}
	if err := p.writeLockFile(false); err != nil {
		return err
	}
	return in.write(p.stageDir(stage))
}
