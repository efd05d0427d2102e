package adopt

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A training is what a file of either program means.
type training struct {
	output    string // directory of the results
	seed      float64
	model     string
	tokenizer string
	datasets  []dataset
	shares    []float64 // of the data sets; none when they are joined
	tests     []dataset
	objective string
	learn     string
	lora      mapping

	sequenceLen int
	overLength  string
	packing     bool
	epochs      float64
	steps       int
	micro       int
	accumulate  int

	rate, warmup, minimum   float64
	scheduler               string
	moments                 string // the recipe's optimizer
	decay, beta1, beta2     float64
	epsilon, norm, beta     float64
	saveSteps, saveLimit    int
	bf16, recomputesForward bool
}

// A dataset is one of a recipe.
type dataset struct {
	name string
	spec mapping
}

// The names of what a recipe is made of besides the data sets.
const (
	modelName  = "base"
	stageName  = "tuned"
	joinedName = "joined"
	testName   = "measured"
)

func (t *training) mapping() mapping {
	var all, datasets mapping
	for _, d := range slices.Concat(t.datasets, t.tests) {
		datasets.add(d.name, flow{d.spec})
	}
	dir := filepath.ToSlash(filepath.Clean(cmp.Or(t.output, "runs/tuned")))
	all.add("name", named(filepath.Base(dir)))
	all.add("seed", uint64(max(0, t.seed)))
	all.add("output", filepath.ToSlash(filepath.Dir(dir)))
	all.add("datasets", datasets)
	all.add("models", mapping{{modelName, flow{mapping{{"from", t.model}}}}})
	all.add("stages", t.stages())
	return all
}

func (t *training) stages() mapping {
	var all mapping
	if len(t.datasets) > 1 && len(t.shares) == 0 {
		var names []string
		for _, d := range t.datasets {
			names = append(names, d.name)
		}
		// What follows each other in one list there is joined here; only equal records are dropped.
		all.add(joinedName, mapping{{"kind", "curate"}, {"from", names},
			{"steps", []mapping{{{"dedup", flow{mapping{{"normalize", false}}}}}}}})
	}
	all.add(stageName, t.stage())
	if len(t.tests) > 0 {
		measure := map[string]string{"dpo": "preferences", "pairwise": "preferences"}[t.objective]
		var names []string
		for _, d := range t.tests {
			names = append(names, d.name)
		}
		all.add(testName, mapping{{"kind", "evaluate"}, {"models", []string{stageName}},
			{cmp.Or(measure, "perplexity"), names}})
	}
	return all
}

func (t *training) stage() mapping {
	s := mapping{{"kind", "train"}, {"init", modelName}}
	s.add("tokenizer", t.tokenizer)
	s.add("objective", t.objective)
	s.add("data", t.data())
	s.add("learn", t.learn)
	s.add("sequence_len", t.sequenceLen)
	s.add("over_length", t.overLength)
	if t.objective == "next_token" {
		s.add("packing", t.packing)
	}
	if t.steps > 0 {
		s.add("steps", t.steps)
	} else {
		s.add("epochs", t.epochs)
	}
	s.add("batch_size", t.micro*t.accumulate)
	s.add("micro_batch_size", t.micro)
	s = append(s, t.optimizer()...)
	if t.objective == "dpo" {
		s.add("beta", t.beta)
	}
	if t.saveSteps > 0 {
		s.add("save_steps", t.saveSteps)
	}
	if t.saveLimit > 0 {
		s.add("save_total_limit", t.saveLimit)
	}
	if t.bf16 {
		s.add("bf16", true)
	}
	if t.recomputesForward {
		s.add("gradient_checkpointing", true)
	}
	if len(t.lora) > 0 {
		s.add("lora", flow{t.lora})
	}
	return s
}

func (t *training) optimizer() mapping {
	m := mapping{{"learning_rate", t.rate}, {"scheduler", t.scheduler}, {"warmup_ratio", t.warmup}}
	if t.scheduler != "constant" {
		m.add("min_ratio", t.minimum)
	}
	m.add("optimizer", t.moments)
	return append(m, mapping{{"weight_decay", t.decay}, {"adam_beta1", t.beta1}, {"adam_beta2", t.beta2},
		{"adam_epsilon", t.epsilon}, {"max_grad_norm", t.norm}}...)
}

func (t *training) data() any {
	switch {
	case len(t.datasets) == 1:
		return t.datasets[0].name
	case len(t.shares) == 0:
		return joinedName
	}
	var mix mapping
	for i, d := range t.datasets {
		mix.add(d.name, t.shares[i])
	}
	return mapping{{"mix", flow{mix}}}
}

// unnamed is what a name of a recipe cannot have.
var unnamed = regexp.MustCompile(`[^a-z0-9_-]+`)

// named is a text as a name.
func named(text string) string {
	return cmp.Or(strings.Trim(unnamed.ReplaceAllString(strings.ToLower(text), "-"), "-_"), "data")
}

// nameFor is a name for a data set that nothing else has.
func (t *training) nameFor(text string) string {
	base := named(text)
	name := base
	taken := func(name string) bool {
		return slices.Contains([]string{modelName, stageName, joinedName, testName}, name) ||
			slices.ContainsFunc(slices.Concat(t.datasets, t.tests), func(d dataset) bool { return d.name == name })
	}
	for n := 2; taken(name); n++ {
		name = base + "-" + strconv.Itoa(n)
	}
	return name
}

// schedules are the courses of the learning rate that there are here; a rate without end value falls to 0.
var schedules = map[string]string{
	"cosine": "cosine", "linear": "linear", "constant": "constant", "constant_with_warmup": "constant",
	"cosine_with_min_lr": "cosine",
}

// course reads the schedule of the learning rate, and how long the warm-up is.
func (t *training) course(k *keys, key, preset string) {
	name := cmp.Or(k.text(key), preset)
	t.scheduler = schedules[name]
	if t.scheduler == "" {
		t.scheduler = schedules[preset]
		k.leave(key, fmt.Sprintf("there is no %s, %s takes its place", name, t.scheduler))
	}
	t.warmup = k.number("warmup_ratio", 0)
	steps := k.number("warmup_steps", 0)
	switch {
	case steps > 0 && steps < 1: // a ratio, as transformers 5 reads it
		t.warmup = steps
	case steps > 0 && t.steps > 0:
		t.warmup = math.Min(1, steps/float64(t.steps))
	case steps > 0:
		k.leave("warmup_steps", "how many steps there are is not known before the data is read: set warmup_ratio")
	}
}

// common reads the keys that both programs take from transformers.
func (t *training) common(k *keys) {
	t.seed = k.number("seed", 42)
	t.output = k.text("output_dir")
	t.rate = k.number("learning_rate", 5e-5)
	t.decay = k.number("weight_decay", 0)
	t.beta1, t.beta2 = k.number("adam_beta1", 0.9), k.number("adam_beta2", 0.999)
	t.epsilon, t.norm = k.number("adam_epsilon", 1e-8), k.number("max_grad_norm", 1)
	t.saveSteps, t.saveLimit = k.whole("save_steps", 0), k.whole("save_total_limit", 0)
	t.accumulate = max(1, k.whole("gradient_accumulation_steps", 1))
	if t.steps = k.whole("max_steps", 0); t.steps < 0 {
		t.steps = 0
	}
	t.bf16 = k.flag("bf16") || k.values["bf16"] == "auto" || k.values["bf16"] == "full"
	if k.flag("fp16") {
		k.leave("fp16", "of the half precisions there is bf16 only")
	}
	if t.saveSteps == 0 {
		k.leave("save_steps", "want a number of steps")
	}
}

// adamW reads the optimizer, and reports what is not AdamW, or is in another way than ours.
func (t *training) adamW(k *keys, key string) {
	name := k.text(key)
	eight := strings.Contains(name, "adamw") && strings.Contains(name, "8bit")
	if eight {
		t.moments = "adamw_8bit"
	}
	switch {
	case strings.HasPrefix(name, "paged_adamw"):
		k.leave(key, "states are not paged; AdamW is taken")
	case eight || name == "" || strings.HasPrefix(name, "adamw_torch") && !strings.Contains(name, "4bit"):
	case name == "adamw_hf" || name == "adamw_apex_fused":
	case strings.Contains(name, "adamw"):
		k.leave(key, "AdamW is taken, with its states in 32 bits")
	default:
		k.leave(key, "AdamW is taken")
	}
}

// The reasons for which parts of an adapter's training are left.
const (
	noDropout = "there is no dropout in adapters"
	noQuant   = "the weights below the adapters are held in 32 bits, or in nf4"
)

// lora are a stage's keys for adapters; without targets all matrices but heads and embeddings get one.
func lora(rank int, alpha float64, targets []string, rslora, dora, nf4 bool) mapping {
	m := mapping{{"rank", rank}, {"alpha", alpha}}
	m.add("targets", targets)
	if rslora {
		m.add("rslora", true)
	}
	if dora {
		m.add("dora", true)
	}
	if nf4 {
		m.add("base", "nf4")
	}
	return m
}
