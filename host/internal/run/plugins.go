package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

// openedPlugin is a plugin of the recipe with the models it asks.
type openedPlugin struct {
	*plugin.Plugin
	name   string
	models []*served
}

// openPlugin opens a plugin and loads the models that the recipe binds to it.
func (p *Process) openPlugin(ctx context.Context, name string) (*openedPlugin, error) {
	return p.openEntry(ctx, name, p.recipe.Plugins[name])
}

// openEntry opens a plugin by an entry of its own.
func (p *Process) openEntry(ctx context.Context, name string, spec recipe.Plugin) (*openedPlugin, error) {
	o := &openedPlugin{name: name}
	bound := map[string]sdk.Model{}
	for _, as := range slices.Sorted(maps.Keys(spec.Models)) {
		m, err := p.serve(spec.Models[as], spec.BF16)
		if err != nil {
			o.closeModels()
			return nil, fmt.Errorf("plugin %s: model %s: %w", name, as, err)
		}
		o.models = append(o.models, m)
		bound[as] = m
	}
	opened, err := plugin.Open(ctx, plugin.Spec{
		Name: name, Plugin: spec, Dir: p.recipeDir(), Seed: p.recipe.Seed, Models: bound,
		CacheDir: p.options.CacheDir, Hidden: []string{p.dir}, Log: p.log.With("plugin", name),
	})
	if err != nil {
		o.closeModels()
		return nil, err
	}
	o.Plugin = opened
	p.log.Info("plugin", "name", name, "runs_as", opened.Transport(), "sha256", opened.Digest())
	return o, nil
}

func (o *openedPlugin) closeModels() {
	for _, m := range o.models {
		m.close()
	}
}

// closing closes the plugin and its models after the work that ended with err.
func closing(o *openedPlugin, err error) error {
	err = errors.Join(err, o.Close())
	o.closeModels()
	return err
}
