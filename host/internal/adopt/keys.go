package adopt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// keys are those of a training file, and what became of each.
type keys struct {
	dir    string // of the file
	names  []string
	values map[string]any
	taken  map[string]bool
	left   map[string]string // reasons
}

func readKeys(text []byte) (*keys, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("it is no mapping of keys to values")
	}
	k := &keys{values: map[string]any{}, taken: map[string]bool{}, left: map[string]string{}}
	if err := doc.Decode(&k.values); err != nil {
		return nil, err
	}
	for i := 0; i < len(doc.Content[0].Content); i += 2 {
		k.names = append(k.names, doc.Content[0].Content[i].Value)
	}
	return k, nil
}

// has reports whether a key says something.
func (k *keys) has(key string) bool {
	v := k.values[key]
	return v != nil && v != ""
}

// take is a key's value, which is carried over with that.
func (k *keys) take(key string) any {
	k.taken[key] = true
	return k.values[key]
}

// leave says why a key is not carried over, if it is there.
func (k *keys) leave(key, why string) {
	if k.has(key) {
		k.taken[key] = true
		k.left[key] = why
	}
}

func (k *keys) text(key string) string {
	v := k.take(key)
	if v == nil {
		return ""
	}
	switch v.(type) {
	case []any, map[string]any:
		k.leave(key, "want text")
		return ""
	}
	return fmt.Sprint(v)
}

// number is a number, also one in quotes, or the preset.
func (k *keys) number(key string, preset float64) float64 {
	var f float64
	switch v := k.take(key).(type) {
	case nil:
		return preset
	case int:
		return float64(v)
	case float64:
		return v
	case string:
		if err := yaml.Unmarshal([]byte(v), &f); err == nil {
			return f
		}
	}
	k.leave(key, "want a number")
	return preset
}

func (k *keys) whole(key string, preset int) int {
	f := k.number(key, float64(preset))
	if f != float64(int(f)) {
		k.leave(key, "want a whole number")
		return preset
	}
	return int(f)
}

func (k *keys) flag(key string) bool {
	v := k.take(key)
	b, ok := v.(bool)
	if !ok && v != nil && v != "" && v != "auto" {
		k.leave(key, "want true or false")
	}
	return b
}

// list is a list of texts, or one text divided at its commas.
func (k *keys) list(key string) []string {
	return texts(k.take(key))
}

func texts(v any) []string {
	var all []string
	switch v := v.(type) {
	case string:
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				all = append(all, part)
			}
		}
	case []any:
		for _, item := range v {
			all = append(all, fmt.Sprint(item))
		}
	}
	return all
}

// rest are the keys that were left, and those that nobody asked for.
func (k *keys) rest() []Left {
	var all []Left
	for _, key := range k.names {
		switch why, left := k.left[key]; {
		case left:
			all = append(all, Left{key, why})
		case !k.taken[key] && k.has(key):
			all = append(all, Left{key, reasonFor(key)})
		}
	}
	return all
}

var repository = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$`)

// onHub reports whether a name is that of a repository on a hub: it has the form of one, and is no path that is there.
func (k *keys) onHub(name string) bool {
	_, err := os.Stat(filepath.Join(k.dir, name))
	_, err2 := os.Stat(name)
	dataFile := slices.Contains([]string{".json", ".jsonl", ".csv", ".parquet", ".arrow", ".txt"}, filepath.Ext(name))
	return err != nil && err2 != nil && !dataFile && repository.MatchString(name)
}

// model is what a recipe calls a model directory or a model on a hub.
func (k *keys) model(name string) string {
	if k.onHub(name) {
		return "hf://" + name
	}
	if !strings.Contains(name, "/") && name != "" {
		return "./" + name
	}
	return name
}
