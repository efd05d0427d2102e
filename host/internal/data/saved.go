package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// savedFiles are those of a dataset that the datasets library wrote by save_to_disk; nil when it is none.
func savedFiles(dir string, ds recipe.Dataset) ([]string, error) {
	var splits struct{ Splits []string }
	if found, err := readAbout(dir, "dataset_dict.json", &splits); err != nil || found {
		all := map[string][]string{}
		for _, s := range splits.Splits {
			if fs.ValidPath(s) {
				all[s] = []string{s}
			}
		}
		split, err2 := oneSplit(all, ds.Split)
		if err = errors.Join(err, err2); err != nil {
			return nil, err
		}
		files, err := stateFiles(filepath.Join(dir, split[0]))
		for i := range files {
			files[i] = path.Join(split[0], files[i])
		}
		return files, err
	}
	return stateFiles(dir)
}

func stateFiles(dir string) ([]string, error) {
	var state struct {
		Files []struct {
			Name string `json:"filename"`
		} `json:"_data_files"`
	}
	if found, err := readAbout(dir, "state.json", &state); err != nil || !found {
		return nil, err
	}
	var files []string
	for _, f := range state.Files {
		files = append(files, f.Name)
	}
	if len(files) == 0 {
		return nil, errors.New("state.json names no files")
	}
	return files, nil
}

// readAbout reads a small JSON file, if it is there.
func readAbout(dir, name string, into any) (bool, error) {
	text, err := readBounded(os.DirFS(dir), name, maxInfo)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return true, fmt.Errorf("%s: %w", name, err)
	}
	return true, nil
}
