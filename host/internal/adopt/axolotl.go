package adopt

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// axolotl reads a training file of axolotl.
func axolotl(k *keys) (*training, error) {
	t := &training{objective: "next_token", learn: "assistant"}
	t.model = k.model(k.text("base_model"))
	if t.model == "" {
		return nil, errors.New("base_model is missing")
	}
	if revision := k.text("revision_of_model"); revision != "" && strings.HasPrefix(t.model, "hf://") {
		t.model += "@" + strings.ReplaceAll(revision, "/", "%2F")
	}
	if tokenizer := k.text("tokenizer_config"); tokenizer != "" {
		t.tokenizer = k.model(tokenizer)
	}
	t.common(k)
	t.sequenceLen = k.whole("sequence_len", 512)
	t.micro = max(1, k.whole("micro_batch_size", 1))
	if all := k.whole("batch_size", 0); all > 0 && !k.has("gradient_accumulation_steps") {
		t.accumulate = max(1, all/t.micro)
	}
	t.epochs = k.number("num_epochs", 1)
	t.course(k, "lr_scheduler", "cosine")
	t.minimum = k.number("cosine_min_lr_ratio", 0)
	if t.minimum == 0 && t.rate > 0 {
		t.minimum = k.number("cosine_min_lr", 0) / t.rate
	}
	t.adamW(k, "optimizer")
	t.packing = k.flag("sample_packing")
	t.recomputesForward = k.flag("gradient_checkpointing") || k.values["gradient_checkpointing"] == "true"
	for _, read := range []func(*keys) error{t.goal, t.tooLong, t.axolotlAdapters, t.axolotlData} {
		if err := read(k); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// goal says what is learned.
func (t *training) goal(k *keys) error {
	switch rl := k.text("rl"); {
	case rl == "dpo":
		t.objective, t.learn = "dpo", ""
	case rl != "":
		return fmt.Errorf("rl %s: there is no such objective here, of these there is dpo", rl)
	case k.flag("reward_model"):
		t.objective, t.learn = "pairwise", ""
	case k.flag("train_on_inputs"):
		t.learn = "all"
	}
	if k.flag("process_reward_model") {
		return errors.New("process_reward_model: there is no such objective here")
	}
	t.beta = k.number("dpo_beta", k.number("rl_beta", 0.1))
	return nil
}

// tooLong says what happens to records that are longer than a sequence.
func (t *training) tooLong(k *keys) error {
	policies := map[string]string{"drop": "drop", "truncate": "cut", "raise": "error"}
	name := cmp.Or(k.text("excess_length_strategy"), "drop")
	if t.overLength = policies[name]; t.overLength == "" {
		return fmt.Errorf("excess_length_strategy %s is not known", name)
	}
	return nil
}

// axolotlAdapters reads how the weights are trained.
func (t *training) axolotlAdapters(k *keys) error {
	four, eight := k.flag("load_in_4bit"), k.flag("load_in_8bit")
	adapter := k.text("adapter")
	switch {
	case eight && adapter != "":
		k.leave("load_in_8bit", noQuant)
	case adapter == "" && (four || eight):
		return errors.New("load_in_4bit, load_in_8bit: all weights are trained, and cannot be in so few bits")
	case adapter != "" && adapter != "lora" && adapter != "qlora":
		return fmt.Errorf("adapter %s: there are lora and qlora", adapter)
	}
	if adapter == "" {
		return nil
	}
	if k.number("lora_dropout", 0) > 0 {
		k.leave("lora_dropout", noDropout)
	}
	targets := k.list("lora_target_modules")
	all := k.flag("lora_target_linear")
	if all {
		targets = nil
	}
	if len(targets) == 0 && !all {
		return errors.New("lora_target_modules or lora_target_linear: which weights get adapters is not said")
	}
	t.lora = lora(k.whole("lora_r", 8), k.number("lora_alpha", 16), targets,
		k.flag("peft_use_rslora"), k.flag("peft_use_dora"), four || adapter == "qlora")
	return nil
}

// axolotlData names the data sets.
func (t *training) axolotlData(k *keys) error {
	for _, key := range []string{"datasets", "pretraining_dataset", "test_datasets"} {
		entries := k.take(key)
		if one, ok := entries.(string); ok {
			entries = []any{map[string]any{"path": one}}
		}
		if one, ok := entries.(map[string]any); ok {
			entries = []any{one}
		}
		list, _ := entries.([]any)
		for i, v := range list {
			entry, ok := v.(map[string]any)
			if !ok {
				return fmt.Errorf("%s: entry %d is no mapping", key, i+1)
			}
			if key == "pretraining_dataset" && entry["type"] == nil || entry["type"] == "pretrain" {
				entry["type"] = "completion"
			}
			if err := t.axolotlEntry(k, key, i, entry); err != nil {
				return fmt.Errorf("%s: entry %d: %w", key, i+1, err)
			}
		}
	}
	if slices.ContainsFunc(t.datasets, func(d dataset) bool { return isText(d.spec) }) && t.objective == "next_token" {
		t.learn = "all"
	}
	return nil
}

func isText(spec mapping) bool {
	return slices.ContainsFunc(spec, func(p pair) bool { return p.key == "format" && p.value == "text" })
}

func (t *training) axolotlEntry(k *keys, key string, i int, entry map[string]any) error {
	e := &entryReader{keys: k, values: entry, where: fmt.Sprintf("%s[%d]", key, i)}
	spec, err := e.dataset(t.objective)
	if err != nil {
		return err
	}
	d := dataset{t.nameFor(lastPart(e.text("path"))), spec}
	if key == "test_datasets" {
		t.tests = append(t.tests, d)
	} else {
		t.datasets = append(t.datasets, d)
	}
	e.leaveRest()
	return nil
}

// lastPart is a path's last name without its endings.
func lastPart(path string) string {
	path = strings.TrimRight(path, "/")
	path = path[strings.LastIndex(path, "/")+1:]
	name, _, _ := strings.Cut(path, ".")
	return name
}
