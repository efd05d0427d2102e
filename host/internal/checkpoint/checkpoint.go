// Package checkpoint reads and writes the files of a model directory: tensors in safetensors files, one or several with
// an index, as Hugging Face lays them out, and JSON. It finds, prunes and digests checkpoint directories. It knows
// nothing of models. What it writes is whole or not there (package durable).
package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

// Dir returns the directory of the checkpoint of a step: stageDir/checkpoint-<step>.
func Dir(stageDir string, step int) string {
	return filepath.Join(stageDir, prefix+strconv.Itoa(step))
}

const prefix = "checkpoint-"

// stepOf reads the step in the name of a checkpoint directory, written as Dir writes it.
func stepOf(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	step, err := strconv.Atoi(digits)
	return step, err == nil && step >= 0 && strconv.Itoa(step) == digits
}

// steps lists the steps that stageDir has checkpoints of, ascending, and the steps of unfinished ones. A stageDir that
// does not exist has none.
func steps(stageDir string) (whole, unfinished []int, err error) {
	entries, err := os.ReadDir(stageDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("list checkpoints: %w", err)
	}
	for _, e := range entries {
		name, partial := strings.CutSuffix(e.Name(), durable.Suffix)
		step, ok := stepOf(name)
		switch {
		case !ok || !e.IsDir():
		case partial:
			unfinished = append(unfinished, step)
		default:
			whole = append(whole, step)
		}
	}
	slices.Sort(whole)
	return whole, unfinished, nil
}

// Latest returns the checkpoint of the highest step in stageDir; ok is false when there is none.
func Latest(stageDir string) (dir string, step int, ok bool, err error) {
	whole, _, err := steps(stageDir)
	if err != nil || len(whole) == 0 {
		return "", 0, false, err
	}
	step = whole[len(whole)-1]
	return Dir(stageDir, step), step, true, nil
}

// Prune removes all but the keep newest checkpoints, at least one, and what unfinished ones are left from before the
// newest. A checkpoint is renamed to an unfinished one first, so that a process that is killed meanwhile leaves no half
// of one.
func Prune(stageDir string, keep int) error {
	whole, unfinished, err := steps(stageDir)
	if err != nil || len(whole) == 0 {
		return err
	}
	for _, step := range whole[:max(0, len(whole)-max(keep, 1))] {
		dir := Dir(stageDir, step)
		if err := os.RemoveAll(dir + durable.Suffix); err != nil {
			return fmt.Errorf("prune checkpoints: %w", err)
		}
		if err := os.Rename(dir, dir+durable.Suffix); err != nil {
			return fmt.Errorf("prune checkpoints: %w", err)
		}
		unfinished = append(unfinished, step)
	}
	for _, step := range unfinished {
		if step > whole[len(whole)-1] {
			continue
		}
		if err := os.RemoveAll(Dir(stageDir, step) + durable.Suffix); err != nil {
			return fmt.Errorf("prune checkpoints: %w", err)
		}
	}
	return nil
}
