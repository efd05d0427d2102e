package data

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A configuration is one of those that a Readme names.
type configuration struct {
	Name    string    `yaml:"config_name"`
	Default bool      `yaml:"default"`
	DataDir string    `yaml:"data_dir"`
	Files   yaml.Node `yaml:"data_files"`
}

// configuration is the one of a name; without a name the default one, or the only one. It is nil when the Readme names
// none.
func (r Repository) configuration(name string) (*configuration, error) {
	text, ok := bytes.CutPrefix(bytes.ReplaceAll(r.Readme, []byte("\r\n"), []byte("\n")), []byte("---\n"))
	head, _, closed := bytes.Cut(text, []byte("\n---"))
	var about struct{ Configs []configuration }
	if !ok || !closed {
		return nil, nil
	}
	if err := yaml.Unmarshal(head, &about); err != nil {
		return nil, fmt.Errorf("%s: %w", Readme, err)
	}
	names := []string{}
	for i, c := range about.Configs {
		c.Name = cmp.Or(c.Name, "default")
		if names = append(names, c.Name); c.Name == name || name == "" && (c.Default || len(about.Configs) == 1) {
			return &about.Configs[i], nil
		}
	}
	switch i := slices.Index(names, "default"); {
	case len(names) == 0:
		return nil, nil
	case name == "" && i >= 0:
		return &about.Configs[i], nil
	case name == "":
		return nil, fmt.Errorf("it has several configurations: set config to one of %s", strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("it has no configuration %q, but %s", name, strings.Join(names, ", "))
}

// choose are the configuration's files of a split. Those of other splits need not be there.
func (c *configuration) choose(files []string, split string) ([]string, error) {
	if c.DataDir != "" {
		if files = inside(files, c.DataDir); len(files) == 0 {
			return nil, fmt.Errorf("configuration %s: it has no data in %s", c.Name, c.DataDir)
		}
	}
	if c.Files.IsZero() {
		return oneSplit(bySplit(files), split)
	}
	patterns := map[string][]string{}
	err := c.patterns(func(split, pattern string) { patterns[split] = append(patterns[split], pattern) })
	if err != nil {
		return nil, err
	}
	wanted, err := oneSplit(patterns, split)
	if err != nil {
		return nil, err
	}
	var chosen []string
	for _, pattern := range wanted {
		found := matching(files, path.Join(c.DataDir, pattern))
		if len(found) == 0 {
			return nil, fmt.Errorf("configuration %s: no file matches %s", c.Name, pattern)
		}
		chosen = append(chosen, found...)
	}
	slices.Sort(chosen)
	return slices.Compact(chosen), nil
}

// patterns hands on what data_files says: a pattern or a list of them, for training, or splits with theirs.
func (c *configuration) patterns(each func(split, pattern string)) error {
	n := &c.Files
	switch {
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if err := eachPattern(n.Content[i].Value, n.Content[i+1], each); err != nil {
				return err
			}
		}
		return nil
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode:
		var parts []struct {
			Split string
			Path  yaml.Node
		}
		if err := n.Decode(&parts); err != nil {
			return fmt.Errorf("%s: data_files: %w", Readme, err)
		}
		for _, p := range parts {
			if err := eachPattern(cmp.Or(p.Split, "train"), &p.Path, each); err != nil {
				return err
			}
		}
		return nil
	}
	return eachPattern("train", n, each)
}

// eachPattern hands on a pattern, or those of a list.
func eachPattern(split string, n *yaml.Node, each func(split, pattern string)) error {
	var all []string
	if err := n.Decode(&all); err != nil {
		var one string
		if err := n.Decode(&one); err != nil {
			return fmt.Errorf("%s: data_files: want a pattern or a list of them", Readme)
		}
		all = []string{one}
	}
	for _, pattern := range all {
		each(split, pattern)
	}
	return nil
}
