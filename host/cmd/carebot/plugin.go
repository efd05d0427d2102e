package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/carebot-llm/carebot/host/internal/author"
	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/run"
	"github.com/carebot-llm/carebot/sdk"
)

func newPlugin(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "plugin", Short: "Write, try and share plugins"}
	cmd.AddCommand(newNew(a), newBuild(a), newTest(a), newBench(a), newAsk(a), newInspect(a), newPack(a), newPush(a), newPull(a),
		newList(a))
	return cmd
}

// A subject is a plugin that a command line names, with what it is given and granted: the entry of a recipe in flags.
type subject struct {
	with, network, env, models []string
	device                     string
}

func (s *subject) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&s.with, "with", nil, "KEY=VALUE of its configuration, the value as YAML; may be repeated")
	f.StringArrayVar(&s.network, "network", nil, "HOST:PORT that an executable may reach; may be repeated")
	f.StringArrayVar(&s.env, "env", nil, "environment variable that an executable sees; may be repeated")
}

func (s *subject) modelFlags(f *pflag.FlagSet) {
	f.StringArrayVar(&s.models, "model", nil, "NAME=DIR: model directory for a model it asks for; may be repeated")
	f.StringVar(&s.device, "device", "auto", "device of the models: auto, cpu, cuda or cuda:N")
}

const usesFolder = "USE is what the key use of a recipe names, or a plugin's folder, which is built first."

// An opening is a subject ready to be opened. Close it.
type opening struct {
	plugin.Spec
	info  plugin.Info
	close []func() error
}

func (o *opening) Close() (err error) {
	for _, end := range o.close {
		err = errors.Join(err, end())
	}
	return err
}

// prepare builds a folder, reads the manifest and loads the models. After an error nothing is left open.
func (a *app) prepare(ctx context.Context, use string, s subject) (_ *opening, err error) {
	o := &opening{}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Close())
		}
	}()
	if use, err = o.built(ctx, use); err != nil {
		return nil, err
	}
	with, err := configuration(s.with)
	if err != nil {
		return nil, err
	}
	o.Spec = plugin.Spec{
		Name: filepath.Base(use), Dir: ".", CacheDir: durable.CacheDir(), Log: a.log,
		Plugin: recipe.Plugin{Use: use, With: with, Grant: recipe.Grant{Network: s.network, Env: s.env}},
	}
	if o.info, err = plugin.Inspect(ctx, o.Plugin, o.Dir); err != nil {
		return nil, err
	}
	return o, o.load(s)
}

// built returns what is to be used: the plugin itself, or what its folder is built into.
func (o *opening) built(ctx context.Context, use string) (string, error) {
	if stat, err := os.Stat(use); err != nil || !stat.IsDir() {
		return use, nil
	}
	dir, err := os.MkdirTemp("", "carebot-plugin-")
	if err != nil {
		return "", err
	}
	o.close = append(o.close, func() error { return os.RemoveAll(dir) })
	return author.Build(ctx, use, filepath.Join(dir, "plugin.wasm"))
}

// configuration reads KEY=VALUE.
func configuration(given []string) (map[string]any, error) {
	with := map[string]any{}
	for _, text := range given {
		key, value, found := strings.Cut(text, "=")
		if !found || key == "" {
			return nil, usageError{fmt.Errorf("--with %s: want KEY=VALUE", text)}
		}
		var v any
		if err := yaml.Unmarshal([]byte(value), &v); err != nil {
			return nil, usageError{fmt.Errorf("--with %s: %w", text, err)}
		}
		with[key] = v
	}
	return with, nil
}

// load loads the models that are named.
func (o *opening) load(s subject) error {
	for _, text := range s.models {
		name, dir, found := strings.Cut(text, "=")
		if !found || name == "" || dir == "" {
			return usageError{fmt.Errorf("--model %s: want NAME=DIR", text)}
		}
		model, err := run.OpenModel(dir, s.device)
		if err != nil {
			return fmt.Errorf("model %s: %w", name, err)
		}
		o.close = append(o.close, model.Close)
		o.bind(name, model)
	}
	return nil
}

func (o *opening) bind(name string, model sdk.Model) {
	if o.Models == nil {
		o.Models, o.Plugin.Models = map[string]sdk.Model{}, map[string]string{}
	}
	o.Models[name], o.Plugin.Models[name] = model, name
}
