package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/model"
)

// weights DIR... puts random weights into directories that have a config.json already.
func weights(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: weights DIR...")
	}
	dev, _, err := accelerators.Open("cpu")
	ts.Check(err)
	defer dev.Close()
	for _, dir := range args {
		var cfg model.Config
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(filepath.Join(dir, "config.json"))), &cfg))
		ts.Check(writeWeights(dev, ts.MkAbs(dir), cfg))
	}
}

func writeWeights(dev accelerators.Device, dir string, cfg model.Config) error {
	m, err := model.New(dev, cfg, cfg.Head(), 1, model.Frozen())
	if err != nil {
		return err
	}
	defer m.Close()
	all, err := m.Tensors()
	if err != nil {
		return err
	}
	var tensors []checkpoint.Tensor
	for _, x := range all {
		tensors = append(tensors, checkpoint.Tensor{Name: x.Name, Shape: x.Shape, Data: x.Data})
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return checkpoint.WriteTensors(dir, "model", tensors, 0, nil)
}
