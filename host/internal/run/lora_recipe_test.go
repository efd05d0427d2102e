package run

import (
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/recipes/samples"
)

// chatML is a template of others, without marks of what an assistant says.
const chatML = `{% for message in messages %}<|im_start|>{{ message['role'] }}
{{ message['content'] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`

// The shipped recipe runs with a small random model in the layout of Qwen2.5, with fewer steps and records.
func TestTheRecipeForLoRATunesAModelOfQwensLayout(t *testing.T) {
	p := newProject(t, nil)
	base := filepath.Join(p.dir, "qwen")
	writeReadable(t, base, readableModels["qwen2"])
	p.put(t, "qwen/chat_template.jinja", chatML)
	r, err := recipe.Load("../../../recipes/carebot-lora.yaml", []string{
		"models.base.from=" + base, "output=" + filepath.Join(p.dir, "runs"), "device=cpu",
		"stages.sft.epochs=null", "stages.sft.steps=6", "stages.sft.batch_size=2", "stages.sft.sequence_len=256",
		"stages.sft.learning_rate=1e-2", "datasets.talks.limit=40",
		"datasets.exam-en.limit=2", "datasets.exam-zh.limit=2", "datasets.pairs.limit=2",
	})
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	process := New(r, Options{Out: io.Discard, Log: quiet, Samples: samples.FS, Version: "test"})
	defer process.Close()
	if err := process.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := p.summary(t, "carebot-lora", "sft").Train; !(s.LastLoss < s.FirstLoss) {
		t.Errorf("the loss went from %g to %g", s.FirstLoss, s.LastLoss)
	}
	for stage, file := range map[string]string{
		"merged": "model.safetensors", "gguf": "", "adapter": "adapter_model.safetensors",
	} {
		e := p.summary(t, "carebot-lora", stage).Export
		if info, err := os.Stat(filepath.Join(e.Dir, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", stage, err)
		}
		if math.IsNaN(e.Difference) || e.Difference > 1 { // of the likelihood of a whole text
			t.Errorf("%s answers differently by %g", stage, e.Difference)
		}
	}
	merged := p.summary(t, "carebot-lora", "merged").Export.Dir
	template, err := os.ReadFile(filepath.Join(merged, "chat_template.jinja"))
	if err != nil || string(template) != chatML {
		t.Errorf("the merged model has the template %q, %v", template, err)
	}
}
