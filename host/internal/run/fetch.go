package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/hub"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// A hubUse is an hf:// name of a recipe; data says what it is for when that is data.
type hubUse struct {
	ref  hub.Ref
	data *recipe.Dataset
}

// hubUses are all that the recipe names on a hub, sorted by name.
func (p *Process) hubUses() (uses []hubUse, err error) {
	var errs []error
	add := func(name string, ds *recipe.Dataset) {
		if !hub.Named(name) {
			return
		}
		ref, err := hub.Parse(name)
		errs = append(errs, err)
		uses = append(uses, hubUse{ref, ds})
	}
	for _, name := range slices.Sorted(maps.Keys(p.recipe.Datasets)) {
		ds, err := data.Described(p.recipe.Datasets[name], p.dataRoot())
		errs = append(errs, err)
		add(ds.From, &ds)
	}
	for _, m := range p.recipe.Models {
		add(m.From, nil)
	}
	for _, st := range p.recipe.Stages {
		if st.Train != nil {
			add(st.Train.Tokenizer, nil)
		}
	}
	slices.SortStableFunc(uses, func(a, b hubUse) int { return strings.Compare(a.ref.At(), b.ref.At()) })
	return uses, errors.Join(errs...)
}

// commits are those at which the names on a hub stand in the cache.
func (p *Process) commits() map[string]string {
	uses, _ := p.hubUses() // whatever of them cannot be read has failed before
	all := map[string]string{}
	for _, u := range uses {
		if s, err := hub.Locate(u.ref); err == nil {
			all[u.ref.At()] = s.Commit
		}
	}
	return all
}

// Fetch downloads what the recipe names on a hub into the Hugging Face cache, at most so many bytes of each name, from
// the endpoint that the recipe names or HF_ENDPOINT.
func (p *Process) Fetch(ctx context.Context, most int64) error {
	uses, err := p.hubUses()
	if err != nil {
		return err
	}
	if len(uses) == 0 {
		fmt.Fprintf(p.options.Out, "%s names nothing on a hub\n", p.recipe.File)
		return nil
	}
	client, err := p.hubClient(most)
	if err != nil {
		return err
	}
	for _, u := range uses {
		if err := p.fetch(ctx, client, u); err != nil {
			return err
		}
	}
	return nil
}

func (p *Process) hubClient(most int64) (*hub.Client, error) {
	endpoint := cmp.Or(p.recipe.Hub, os.Getenv("HF_ENDPOINT"))
	switch {
	case hub.Offline():
		return nil, errors.New("HF_HUB_OFFLINE is set: nothing is downloaded")
	case endpoint == "":
		return nil, errors.New("no endpoint is named: set hub in the recipe, or HF_ENDPOINT")
	}
	token, err := hub.Token()
	if err != nil {
		return nil, fmt.Errorf("read the hub's token: %w", err)
	}
	return hub.NewClient(endpoint, token, "carebot/"+p.options.Version, most)
}

func (p *Process) fetch(ctx context.Context, c *hub.Client, u hubUse) error {
	l, err := c.List(ctx, u.ref)
	if err != nil {
		return err
	}
	want := modelFile
	if u.data != nil {
		if want, err = wantedData(ctx, c, l, *u.data); err != nil {
			return err
		}
	} else if err := readable(l); err != nil {
		return err
	}
	s, err := c.Fetch(ctx, l, want, func(f hub.File) {
		p.log.Info("fetched", "name", u.ref.String(), "file", f.Path, "bytes", f.Size)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.options.Out, "%s is %s\n", u.ref.At(), s.Commit)
	return err
}

// wantedData are the files of a dataset's configuration and split, and the one that names them.
func wantedData(ctx context.Context, c *hub.Client, l hub.Listing, ds recipe.Dataset) (func(string) bool, error) {
	r := data.Repository{}
	for _, f := range l.Files {
		r.Files = append(r.Files, f.Path)
	}
	if slices.Contains(r.Files, data.Readme) {
		var err error
		if r.Readme, err = c.Read(ctx, l, data.Readme, data.MaxReadme); err != nil {
			return nil, err
		}
	}
	chosen, err := r.Choose(l.Ref.Path, ds)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.Ref.At(), err)
	}
	return func(name string) bool { return name == data.Readme || slices.Contains(chosen, name) }, nil
}

// modelFiles are the files of a model directory that are read, as patterns. What else lies there, pickles and programs
// above all, is not even downloaded.
var modelFiles = []string{
	"*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "adapter_config.json",
	"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
	"chat_template.json", "vocab.json", "vocab.txt", "merges.txt", "*.model", "*.tiktoken",
}

func modelFile(name string) bool {
	return slices.ContainsFunc(modelFiles, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return err == nil && ok
	})
}

// readable reports a model whose weights are in files that are never read.
func readable(l hub.Listing) error {
	pickled := false
	for _, f := range l.Files {
		switch path.Ext(f.Path) {
		case ".safetensors":
			return nil
		case ".bin", ".pt", ".pth", ".ckpt":
			pickled = true
		}
	}
	if pickled {
		return fmt.Errorf("%s has its weights in pickles only, which are programs and never read; want safetensors",
			l.Ref.At())
	}
	return nil // a tokenizer
}
