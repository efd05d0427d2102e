package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/model"
)

// modulesFile lists what sentence-transformers does with a text, from the transformer on.
const modulesFile = "modules.json"

// modulesPackage stands before the names of modules.
const modulesPackage = "sentence_transformers.models."

type module struct {
	Idx  int    `json:"idx"`
	Name string `json:"name"`
	Path string `json:"path"`
	Type string `json:"type"`
}

// readPooling reads how a model directory makes embeddings: by the mean where it does not say.
func readPooling(dir string) (p model.Pooling, err error) {
	var modules []module
	name := filepath.Join(dir, modulesFile)
	if err := checkpoint.ReadJSON(name, &modules); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return p, err
	}
	for _, m := range modules {
		switch kind := m.Type[strings.LastIndexByte(m.Type, '.')+1:]; kind {
		case "Transformer":
		case "Normalize":
			p.Normalize = true
		case "Pooling":
			p.Mode, err = readPoolingMode(dir, m.Path)
		default:
			err = fmt.Errorf("module %s is not supported: embeddings would be others", kind)
		}
		if err != nil {
			return p, fmt.Errorf("%s: %w", name, err)
		}
	}
	return p, nil
}

// poolingKeys say the mode in files of older versions.
var poolingKeys = []struct {
	key  string
	mode model.PoolingMode
}{
	{"pooling_mode_cls_token", model.PoolCLS},
	{"pooling_mode_mean_tokens", model.PoolMean},
	{"pooling_mode_lasttoken", model.PoolLast},
	{"pooling_mode_max_tokens", "max"},
	{"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"},
	{"pooling_mode_weightedmean_tokens", "weightedmean"},
}

func readPoolingMode(dir, path string) (model.PoolingMode, error) {
	if !filepath.IsLocal(path) {
		return "", fmt.Errorf("path %q leads out of the folder", path)
	}
	var c map[string]any
	if err := checkpoint.ReadJSON(filepath.Join(dir, path, configFile), &c); err != nil {
		return "", err
	}
	said, _ := c["pooling_mode"].(string)
	for _, k := range poolingKeys {
		if c[k.key] == true {
			said = strings.TrimPrefix(said+"+"+string(k.mode), "+")
		}
	}
	switch mode := model.PoolingMode(said); mode {
	case model.PoolCLS, model.PoolMean, model.PoolLast:
		return mode, nil
	}
	return "", fmt.Errorf("pooling by %q is not supported; cls, mean and lasttoken are", said)
}

// writePooling says in a model directory how embeddings are made, unless nothing was said where the model came from.
func writePooling(dir string, p model.Pooling, width int) error {
	if p == (model.Pooling{}) {
		return nil
	}
	modules := []module{{Name: "0", Type: modulesPackage + "Transformer"}}
	add := func(kind string) string {
		i := len(modules)
		path := fmt.Sprintf("%d_%s", i, kind)
		modules = append(modules, module{Idx: i, Name: fmt.Sprint(i), Path: path, Type: modulesPackage + kind})
		return filepath.Join(dir, path)
	}
	if p.Mode != "" {
		if err := writePoolingMode(add("Pooling"), p.Mode, width); err != nil {
			return err
		}
	}
	if p.Normalize {
		add("Normalize")
	}
	return checkpoint.WriteJSON(filepath.Join(dir, modulesFile), modules)
}

func writePoolingMode(dir string, mode model.PoolingMode, width int) error {
	c := map[string]any{"word_embedding_dimension": width}
	for _, k := range poolingKeys {
		c[k.key] = k.mode == mode
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return checkpoint.WriteJSON(filepath.Join(dir, configFile), c)
}
