package adopt

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// llamaFactory reads a training file of LLaMA-Factory.
func llamaFactory(k *keys) (*training, error) {
	t := &training{}
	k.flag("do_train")
	if err := t.stageOf(k); err != nil {
		return nil, err
	}
	t.model = k.model(k.text("model_name_or_path"))
	if t.model == "" {
		return nil, errors.New("model_name_or_path is missing")
	}
	if revision := k.text("model_revision"); revision != "" && strings.HasPrefix(t.model, "hf://") && revision != "main" {
		t.model += "@" + strings.ReplaceAll(revision, "/", "%2F")
	}
	t.common(k)
	t.sequenceLen, t.overLength = k.whole("cutoff_len", 2048), "cut"
	t.micro = max(1, k.whole("per_device_train_batch_size", 8))
	t.epochs = k.number("num_train_epochs", 3)
	t.course(k, "lr_scheduler_type", "linear")
	t.leastRate(k)
	t.adamW(k, "optim")
	t.recomputesForward = k.flag("gradient_checkpointing")
	if k.flag("pure_bf16") {
		t.bf16 = true
		k.leave("pure_bf16", "bf16 is set: matrix products are in bf16, weights stay in 32 bits")
	}
	if err := t.adapters(k); err != nil {
		return nil, err
	}
	return t, t.catalogued(k)
}

// stageOf says what is learned.
func (t *training) stageOf(k *keys) error {
	switch stage := cmp.Or(k.text("stage"), "sft"); stage {
	case "pt":
		t.objective, t.learn = "next_token", "all"
		t.packing = true
	case "sft":
		t.objective, t.learn = "next_token", "assistant"
	case "rm":
		t.objective = "pairwise"
	case "dpo":
		t.objective = "dpo"
	default:
		return fmt.Errorf("stage %s: there is no such objective here; there are pt, sft, rm and dpo", stage)
	}
	if loss := k.text("pref_loss"); t.objective == "dpo" && loss != "" && loss != "sigmoid" {
		return fmt.Errorf("pref_loss %s: dpo has the loss sigmoid here, and no other", loss)
	}
	t.beta = k.number("pref_beta", 0.1)
	if k.number("pref_ftx", 0) != 0 {
		k.leave("pref_ftx", "dpo has no part of next_token in its loss")
	}
	if k.flag("mask_history") && t.learn == "assistant" {
		t.learn = "last"
	}
	if k.flag("train_on_prompt") && t.objective == "next_token" {
		t.learn = "all"
	}
	if k.has("packing") {
		t.packing = k.flag("packing")
	}
	t.packing = t.packing || k.flag("neat_packing")
	return nil
}

func (t *training) leastRate(k *keys) {
	more, _ := k.take("lr_scheduler_kwargs").(map[string]any)
	rate, relative := toNumber(more["min_lr_rate"])
	least, absolute := toNumber(more["min_lr"])
	switch {
	case relative:
		t.minimum = rate
	case absolute && t.rate > 0:
		t.minimum = least / t.rate
	default:
		k.leave("lr_scheduler_kwargs", "only min_lr and min_lr_rate are carried over")
	}
}

func toNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// adapters reads how the weights are trained.
func (t *training) adapters(k *keys) error {
	bits := k.whole("quantization_bit", 0)
	if method := k.text("quantization_method"); method != "" && method != "bnb" && method != "bitsandbytes" {
		return fmt.Errorf("quantization_method %s: there is bnb only", method)
	}
	switch kind := cmp.Or(k.text("finetuning_type"), "lora"); {
	case kind == "full" && bits == 0:
		return nil
	case kind != "lora":
		return fmt.Errorf("finetuning_type %s: there are full, and lora on weights as they are or in 4 bits", kind)
	case bits != 0 && bits != 4:
		return fmt.Errorf("quantization_bit %d: there are 4 only", bits)
	}
	if kind := k.text("quantization_type"); kind != "" && kind != "nf4" {
		k.leave("quantization_type", "the weights below the adapters are in nf4")
	}
	if k.number("lora_dropout", 0) > 0 {
		k.leave("lora_dropout", noDropout)
	}
	targets := k.list("lora_target")
	if slices.Contains(targets, "all") {
		targets = nil
	}
	rank := k.whole("lora_rank", 8)
	t.lora = lora(rank, k.number("lora_alpha", float64(2*rank)), targets, k.flag("use_rslora"), k.flag("use_dora"), bits == 4)
	return nil
}

// catalogued names the data sets, which the dataset_info.json describes.
func (t *training) catalogued(k *keys) error {
	dir := cmp.Or(k.text("dataset_dir"), "data")
	if strings.HasPrefix(dir, "REMOTE:") || dir == "ONLINE" {
		return fmt.Errorf("dataset_dir %s: get its dataset_info.json, and name its folder", dir)
	}
	info, limit := filepath.ToSlash(filepath.Join(dir, "dataset_info.json")), k.whole("max_samples", 0)
	for _, name := range k.list("dataset") {
		t.datasets = append(t.datasets, dataset{t.nameFor(name), described(info, name, limit)})
	}
	for _, name := range k.list("eval_dataset") {
		t.tests = append(t.tests, dataset{t.nameFor(name), described(info, name, limit)})
	}
	return t.mixed(k)
}

func described(info, name string, limit int) mapping {
	m := mapping{{"info", info}, {"entry", name}}
	if limit > 0 {
		m.add("limit", limit)
	}
	return m
}

// mixed reads the shares of the data sets.
func (t *training) mixed(k *keys) error {
	strategy := cmp.Or(k.text("mix_strategy"), "concat")
	given := k.list("interleave_probs")
	switch {
	case strategy == "concat":
		k.leave("interleave_probs", "the data sets are joined: mix_strategy is concat")
		return nil
	case !slices.Contains([]string{"interleave_under", "interleave_over", "interleave_once"}, strategy):
		return fmt.Errorf("mix_strategy %s is not known", strategy)
	case len(given) != 0 && len(given) != len(t.datasets):
		return fmt.Errorf("interleave_probs: %d shares for %d data sets", len(given), len(t.datasets))
	}
	k.leave("mix_strategy", "the shares are those of tokens, not of records, and each data set goes through its own passes")
	for i := range t.datasets {
		share := 1.0
		if len(given) > 0 {
			var err error
			if share, err = strconv.ParseFloat(given[i], 64); err != nil || !(share > 0) {
				return fmt.Errorf("interleave_probs: %q is no share", given[i])
			}
		}
		t.shares = append(t.shares, share)
	}
	return nil
}
