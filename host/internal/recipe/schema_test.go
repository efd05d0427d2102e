package recipe

import (
	"bytes"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

func compiledSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("recipe.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("recipe.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemaHoldsForAllRecipes(t *testing.T) {
	schema := compiledSchema(t)
	files, err := filepath.Glob("../../../recipes/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, wholeFile) {
		if err := schema.Validate(parseTree(file, []byte(mustRead(t, file))).root); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestSchemaRejectsWhatLoadRejects(t *testing.T) {
	schema := compiledSchema(t)
	for _, text := range []string{
		"name: a\n",
		"name: A b\nstages: {a: {kind: export, model: m}}\n",
		"name: a\nstages: {a: {kind: export, model: m, steps: 3}}\n",
		"name: a\nstages: {a: {kind: curate, from: m, steps: [{dedup: {}, keep: x}]}}\n",
		"name: a\nstages: {a: {kind: tokenizer, from: [m], vocab: 1.5}}\n",
		"name: a\nstages: {a: {kind: export, model: m, shard_size: big}}\n",
	} {
		if schema.Validate(parseTree("r.yaml", []byte(text)).root) == nil {
			t.Errorf("the schema lets pass:\n%s", text)
		}
	}
}

func TestSchemaIsTheSameEachTime(t *testing.T) {
	if !bytes.Equal(Schema(), Schema()) {
		t.Error("two schemas differ")
	}
}

// spots lists the paths of all values below v.
func spots(v any, p []any) [][]any {
	out := [][]any{p}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = append(out, spots(v[key], append(slices.Clone(p), key))...)
		}
	case []any:
		for i, item := range v {
			out = append(out, spots(item, append(slices.Clone(p), i))...)
		}
	}
	return out
}

// edited is a copy of v in which change was applied to the value at p; drop removes it.
func edited(v any, p []any, change func(any) (out any, drop bool)) (any, bool) {
	if len(p) == 0 {
		return change(v)
	}
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		key := p[0].(string)
		next, drop := edited(v[key], p[1:], change)
		if out[key] = next; drop {
			delete(out, key)
		}
		return out, false
	case []any:
		out := slices.Clone(v)
		next, drop := edited(v[p[0].(int)], p[1:], change)
		if out[p[0].(int)] = next; drop {
			out = slices.Delete(out, p[0].(int), p[0].(int)+1)
		}
		return out, false
	}
	panic("the path leads through a scalar")
}

var strays = []any{
	nil, true, false, "", "abc", "auto", "Ab", "5GB", "10s", "a/b", "train", 0, 1, -1, 3, 300, 2.5, 1e6, -0.5,
	map[string]any{}, []any{}, []any{"x"}, []any{1}, map[string]any{"x": 1}, map[string]any{"x": "y"},
}

// mutated draws a change of one value: removed, replaced, or given a key more.
func mutated(t *rapid.T, root any) any {
	p := rapid.SampledFrom(spots(root, nil)).Draw(t, "path")
	stray := rapid.SampledFrom(strays).Draw(t, "value")
	key := rapid.SampledFrom([]string{"steps", "lr", "use", "label", "NAME", "mix"}).Draw(t, "key")
	action := rapid.SampledFrom([]string{"drop", "replace", "add"}).Draw(t, "action")
	out, _ := edited(root, p, func(v any) (any, bool) {
		if m, ok := v.(map[string]any); ok && action == "add" {
			m = maps.Clone(m)
			m[key] = stray
			return m, false
		}
		return stray, action == "drop" && len(p) > 0
	})
	return out
}

func TestDecoderAndSchemaAgree(t *testing.T) {
	schema := compiledSchema(t)
	root := parseTree(wholeFile, []byte(mustRead(t, wholeFile))).root
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		v := mutated(t, root)
		d := decoder{places: map[string]place{}}
		d.decode(v, recipeShape(), rules{}, nil, reflect.ValueOf(&Recipe{}).Elem())
		err := schema.Validate(v)
		if (err == nil) != (len(d.problems) == 0) {
			t.Fatalf("schema: %v\ndecoder: %v", err, d.problems)
		}
		if err == nil {
			accepted++
		}
	})
	if accepted == 0 {
		t.Error("no mutation was harmless, so agreement proves little")
	}
}

func TestTagsAreSound(t *testing.T) {
	eachRecord(recipeShape(), wholeRecipe, func(where string, fields []field) {
		keys := keysOf(fields)
		for _, f := range fields {
			at := where + ", " + f.key
			if f.doc == "" {
				t.Errorf("%s has no doc", at)
			}
			if f.required && f.preset != "" {
				t.Errorf("%s is required and has a default", at)
			}
			if f.when.key != "" && !slices.Contains(keys, f.when.key) {
				t.Errorf("%s depends on %s, which is no key", at, f.when.key)
			}
			if _, known := patterns[f.pattern]; f.pattern != "" && !known {
				t.Errorf("%s has the unknown pattern %s", at, f.pattern)
			}
			if f.preset == "" {
				continue
			}
			d := decoder{places: map[string]place{}}
			if !d.decode(f.presetValue(), f.shape, f.rules, nil, f.room()) {
				t.Errorf("%s: the default does not fit: %v", at, d.problems)
			}
		}
	})
}

// room is a variable for a value of the field's shape.
func (f field) room() reflect.Value {
	var v any
	switch f.shape.form {
	case number:
		v = new(float64)
	case yesNo:
		v = new(bool)
	case list:
		v = new([]string)
	case columns:
		v = new(Fields)
	case whole, size, span:
		v = new(int64)
	default:
		v = new(string)
	}
	return reflect.ValueOf(v).Elem()
}

func TestReferenceNamesEveryKey(t *testing.T) {
	manual := Reference()
	eachRecord(recipeShape(), wholeRecipe, func(where string, fields []field) {
		for _, f := range fields {
			if !strings.Contains(manual, "| `"+f.key+"`") || !strings.Contains(manual, "## "+where+"\n") {
				t.Errorf("the reference lacks %s, %s", where, f.key)
			}
		}
	})
}

func TestSizesAndSpansAreReadAsWritten(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0": 0, "17": 17, "17B": 17, "1.5KB": 1500, "256MiB": 256 << 20, "2 GB": 2e9, "5GiB": 5 << 30, "3TB": 3e12,
	} {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("%s is %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MB", "-1", "1e3", "1PB", "999999999999TB", "1 000"} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		b := Bytes(rapid.Int64Range(0, 8e11).Draw(t, "bytes") << rapid.IntRange(0, 10).Draw(t, "shift"))
		if again, err := ParseBytes(b.String()); err != nil || again != b {
			t.Fatalf("%d is written %s and read %d, %v", b, b, again, err)
		}
		d := Duration(rapid.Int64Range(0, 1e15).Draw(t, "span"))
		if again, err := ParseDuration(d.String()); err != nil || again != d {
			t.Fatalf("%d is written %s and read %d, %v", d, d, again, err)
		}
	})
	for _, text := range []string{"", "3", "-3s", "1d", "3 s"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}
