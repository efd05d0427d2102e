package adopt

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// adopted reads a file and the recipe that it becomes.
func adopted(t *testing.T, file string) (*Recipe, *recipe.Recipe) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Adopt(file, text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := recipe.Parse(file, a.Text, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, a.Text)
	}
	return a, r
}

// Every file of testdata becomes the recipe beside it. CAREBOT_UPDATE=1 writes what there is.
func TestTrainingFilesBecomeRecipes(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no training files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			a, _ := adopted(t, file)
			golden := strings.TrimSuffix(file, ".yaml") + ".recipe"
			if os.Getenv("CAREBOT_UPDATE") != "" {
				if err := os.WriteFile(golden, a.Text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(a.Text)); diff != "" {
				t.Errorf("recipe (-want +got):\n%s", diff)
			}
		})
	}
}

// Every key is taken by a reader, which carries it over or leaves it with a reason; none just goes away.
func TestEveryKeyIsCarriedOverOrListed(t *testing.T) {
	k, err := readKeys([]byte("base_model: x\nnew_key: 1\nempty:\nwandb_name: y\nfsdp_config: {a: 1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	k.text("base_model")
	want := []Left{{"new_key", unknownKey}, {"wandb_name", elsewhere}, {"fsdp_config", hardware}}
	if diff := cmp.Diff(want, k.rest()); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func TestAnotherTrainingIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		"stage: kto\nmodel_name_or_path: m":                                  "stage kto: there is no such objective",
		"stage: dpo\npref_loss: orpo\nmodel_name_or_path: m":                 "pref_loss orpo",
		"finetuning_type: freeze\nmodel_name_or_path: m":                     "finetuning_type freeze",
		"quantization_bit: 8\nmodel_name_or_path: m":                         "quantization_bit 8",
		"model_name_or_path: m\nfinetuning_type: full":                       "it names no data",
		"model_name_or_path: m\ndataset: a\ndataset_dir: ONLINE":             "dataset_dir ONLINE",
		"base_model: m\nrl: grpo":                                            "rl grpo",
		"base_model: m\ndatasets: [{path: a.json}]":                          "entry 1: type is missing",
		"base_model: m\ndatasets: [{path: a.json, type: input_output}]":      "type input_output",
		"base_model: m\ndatasets: [{path: a.json, type: pygmalion}]":         "type pygmalion is not read",
		"base_model: m\ndatasets: [{path: a.json, type: {format: x}}]":       "texts around the fields",
		"base_model: m\ndatasets: [{path: 's3://b/a.json', type: alpaca}]":   "get the files",
		"base_model: m\ndatasets: [{path: a, type: alpaca}]\nadapter: llama": "adapter llama",
		"base_model: m\nrl: dpo\ndatasets: [{path: a.json, type: chatml.x}]": "type chatml.x is not read",
		"base_model: m\ndatasets: [{path: a, type: alpaca}]\nadapter: lora":  "which weights get adapters",
		"learning_rate: 1": "neither of LLaMA-Factory",
		"[1]":              "no mapping",
		"a: b: c":          "mapping values are not allowed",
	} {
		if _, err := Adopt("f.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nerror %v, want %s", text, err, want)
		}
	}
}

func TestWhatIsLeftStaysInItsComment(t *testing.T) {
	a, err := Adopt("f.yaml", []byte("model_name_or_path: m\nfinetuning_type: full\ndataset: a\n\"x\\nseed: 1\": 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(strings.Split(string(a.Text), "\n"), "# not carried over: x seed: 1: "+unknownKey) {
		t.Errorf("recipe:\n%s", a.Text)
	}
}

func FuzzAdopt(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := Adopt("f.yaml", text)
		if err != nil {
			return
		}
		var doc map[string]any
		if err := yaml.Unmarshal(a.Text, &doc); err != nil || doc["stages"] == nil {
			t.Errorf("%q becomes\n%s\n%v", text, a.Text, err)
		}
	})
}

func TestAMaskedHistoryLeavesTheLastAnswer(t *testing.T) {
	text, err := os.ReadFile("testdata/lf-sft.yaml")
	if err != nil {
		t.Fatal(err)
	}
	a, err := Adopt("testdata/lf-sft.yaml", append(text, "\nmask_history: true\n"...))
	if err != nil || !strings.Contains(string(a.Text), "learn: last\n") {
		t.Errorf("error %v, recipe\n%s", err, a.Text)
	}
}
