package run

import (
	"cmp"
	"errors"
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
func OpenModel(dir, device string) (*StandaloneModel, error) { return openModel(dir, device, "") }

// openModel loads the model of a directory; an empty head is the one it has.
func openModel(dir, device string, head model.Head) (*StandaloneModel, error) {
	base, err := adaptedDir(dir)
	if err != nil {
		return nil, err
	}
	from := cmp.Or(base, dir)
	cfg, err := readConfig(from)
	if err != nil {
		return nil, err
	}
	dev, _, err := accelerators.Open(device)
	if err != nil {
		return nil, err
	}
	m, tok, err := loadDir(dev, from, cfg, cmp.Or(head, cfg.Head()), model.Frozen())
	if err != nil {
		return nil, errors.Join(err, dev.Close())
	}
	alone := &StandaloneModel{served{eval.Serve(dir, m, tok, dev, new(sync.Mutex)), dir, from, m, tok}, dev}
	if base != "" {
		if err := alone.merge(dir); err != nil {
			return nil, errors.Join(err, alone.Close())
		}
	}
	return alone, nil
}

// Close ends the model and gives its device back.
func (m *StandaloneModel) Close() error {
	m.close()
	return m.dev.Close()
}
