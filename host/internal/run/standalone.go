package run

import (
	"cmp"
	"errors"
	"log/slog"
	"sync"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/model"
)

// A StandaloneModel is the model of a directory on a device of its own, to be asked without a recipe. Close it.
type StandaloneModel struct {
	served
	dev accelerators.Device
}

// OpenModel loads the model of a directory, with the head that it has.
func OpenModel(dir, device string) (*StandaloneModel, error) {
	return openModel(dir, device, "", false)
}

// openModel loads the model of a directory, to be asked in bfloat16 or not; an empty head is the one it has.
func openModel(dir, device string, head model.Head, bf16 bool) (*StandaloneModel, error) {
	dev, err := openDevice(device)
	if err != nil {
		return nil, err
	}
	m, err := loadServed(dev, new(sync.Mutex), dir, head, serving(bf16)...)
	if err != nil {
		return nil, errors.Join(err, dev.Close())
	}
	return &StandaloneModel{*m, dev}, nil
}

// openDevice opens a device by name; what auto passed over goes to the log.
func openDevice(name string) (accelerators.Device, error) {
	dev, why, err := accelerators.Open(name)
	if err == nil && why != "" {
		slog.Info("device", "name", dev.Name(), "passed_over", why)
	}
	return dev, err
}

// loadServed loads the model of a directory, or of an adapter's base with the adapter merged; an empty head is the one
// it has.
func loadServed(
	dev accelerators.Device, lock *sync.Mutex, dir string, head model.Head, options ...model.Option,
) (*served, error) {
	base, err := adaptedDir(dir)
	if err != nil {
		return nil, err
	}
	from := cmp.Or(base, dir)
	cfg, err := readConfig(from)
	if err != nil {
		return nil, err
	}
	m, tok, err := loadDir(dev, from, cfg, cmp.Or(head, cfg.Head()), options...)
	if err != nil {
		return nil, err
	}
	loaded := &served{eval.Serve(dir, m, tok, dev, lock), dir, from, m, tok}
	if base != "" {
		if err := loaded.merge(dir); err != nil {
			loaded.close()
			return nil, err
		}
	}
	return loaded, nil
}

// OpenModels loads the models of directories on one device, to be asked at the same time; with bf16 they compute scores
// and embeddings in bfloat16, and on a GPU what they generate. Release them with close.
func OpenModels(dirs []string, device string, bf16 bool) (models []*eval.Served, close func() error, err error) {
	dev, err := openDevice(device)
	if err != nil {
		return nil, nil, err
	}
	var all []*served
	close = func() error {
		for _, m := range all {
			m.close()
		}
		return dev.Close()
	}
	lock := new(sync.Mutex)
	for _, dir := range dirs {
		m, err := loadServed(dev, lock, dir, "", serving(bf16)...)
		if err != nil {
			return nil, nil, errors.Join(err, close())
		}
		all, models = append(all, m), append(models, m.Served)
	}
	return models, close, nil
}

// Close ends the model and gives its device back.
func (m *StandaloneModel) Close() error {
	m.close()
	return m.dev.Close()
}
