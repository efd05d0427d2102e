package recipe

import (
	"slices"
	"strings"
	"sync"
)

// aliases are names that other tools give to our keys, in the order in which ours are tried.
var aliases = map[string][]string{
	"activation_checkpointing":      {"gradient_checkpointing"},
	"adam_eps":                      {"adam_epsilon"},
	"architecture":                  {"arch"},
	"base_model":                    {"init", "from"},
	"beta1":                         {"adam_beta1"},
	"beta2":                         {"adam_beta2"},
	"block_size":                    {"sequence_len", "context"},
	"clip_grad_norm":                {"max_grad_norm"},
	"columns":                       {"fields"},
	"config":                        {"with"},
	"cutoff_len":                    {"sequence_len"},
	"d_model":                       {"hidden"},
	"data_dir":                      {"data_root"},
	"data_files":                    {"files"},
	"dataset":                       {"data", "from", "datasets"},
	"dataset_dir":                   {"data_root"},
	"digest":                        {"sha256"},
	"dtype":                         {"bf16"},
	"eps":                           {"adam_epsilon"},
	"ffn_dim":                       {"inner"},
	"file":                          {"files"},
	"finetuning_type":               {"objective"},
	"fp16":                          {"bf16"},
	"global_batch_size":             {"batch_size"},
	"grad_clip":                     {"max_grad_norm"},
	"gradient_accumulation_steps":   {"micro_batch_size"},
	"gradient_clipping":             {"max_grad_norm"},
	"hidden_dim":                    {"hidden"},
	"hidden_size":                   {"hidden"},
	"intermediate_size":             {"inner"},
	"loss":                          {"objective"},
	"loss_type":                     {"objective"},
	"lr":                            {"learning_rate"},
	"lr_schedule":                   {"scheduler"},
	"lr_scheduler":                  {"scheduler"},
	"lr_scheduler_type":             {"scheduler"},
	"mask_prompt":                   {"learn"},
	"max_epochs":                    {"epochs"},
	"max_length":                    {"sequence_len", "context"},
	"max_new_tokens":                {"tokens"},
	"max_position_embeddings":       {"context"},
	"max_samples":                   {"limit"},
	"max_seq_len":                   {"sequence_len", "context"},
	"max_seq_length":                {"sequence_len", "context"},
	"max_shard_size":                {"shard_size"},
	"max_steps":                     {"steps"},
	"max_tokens":                    {"tokens"},
	"micro_batch":                   {"micro_batch_size"},
	"mixed_precision":               {"bf16"},
	"min_lr_ratio":                  {"min_ratio"},
	"model_max_length":              {"context", "sequence_len"},
	"model_name_or_path":            {"init", "from"},
	"model_type":                    {"arch"},
	"n_embd":                        {"hidden"},
	"n_head":                        {"heads"},
	"n_heads":                       {"heads"},
	"n_kv_heads":                    {"kv_heads"},
	"n_layer":                       {"layers"},
	"n_layers":                      {"layers"},
	"n_shot":                        {"shots"},
	"num_attention_heads":           {"heads"},
	"num_epochs":                    {"epochs"},
	"num_fewshot":                   {"shots"},
	"num_generations":               {"n"},
	"num_hidden_layers":             {"layers"},
	"num_key_value_heads":           {"kv_heads"},
	"num_labels":                    {"outputs"},
	"num_layers":                    {"layers"},
	"num_return_sequences":          {"n"},
	"num_samples":                   {"limit", "n"},
	"num_tokens":                    {"tokens"},
	"num_train_epochs":              {"epochs"},
	"optim":                         {"optimizer"},
	"output_dir":                    {"output"},
	"path":                          {"files", "from", "use"},
	"per_device_train_batch_size":   {"micro_batch_size"},
	"precision":                     {"bf16"},
	"pref_beta":                     {"beta"},
	"pretrained_model_name_or_path": {"init", "from"},
	"ref_model":                     {"reference"},
	"reference_model":               {"reference"},
	"reward_model":                  {"reward"},
	"rope_base":                     {"rope_theta"},
	"sample_packing":                {"packing"},
	"save_every":                    {"save_steps"},
	"scheduler_type":                {"scheduler"},
	"seq_len":                       {"sequence_len", "context"},
	"sequence_length":               {"sequence_len", "context"},
	"task":                          {"objective", "format"},
	"tie_word_embeddings":           {"tie_embedding"},
	"timeout":                       {"deadline"},
	"train_batch_size":              {"batch_size"},
	"train_on_inputs":               {"learn"},
	"train_steps":                   {"steps"},
	"truncation":                    {"over_length"},
	"type":                          {"kind", "format", "arch"},
	"val_data":                      {"perplexity"},
	"vocab_size":                    {"vocab"},
	"warmup":                        {"warmup_ratio"},
	"warmup_steps":                  {"warmup_ratio"},
	"wd":                            {"weight_decay"},
}

// unknownKey says what is wrong with a key that is not among the known ones of a record, and which was probably meant.
func unknownKey(key string, known []string, s *shape) (text, suggestion string) {
	for _, v := range s.variants {
		if slices.Contains(keysOf(v.fields), key) {
			return "only a stage of kind " + strings.Join(kindsWith(key, s), " or ") + " has this key", ""
		}
	}
	meant := append(slices.Clone(aliases[key]), key)
	for _, name := range meant {
		if slices.Contains(known, name) {
			return "unknown key", name
		}
	}
	if near := nearest(key, known); near != "" {
		return "unknown key", near
	}
	for _, name := range meant {
		if home := homes()[name]; home != "" {
			return "unknown key; " + name + " is a key of " + home, ""
		}
	}
	return "unknown key", ""
}

func kindsWith(key string, s *shape) []string {
	var kinds []string
	for _, v := range s.variants {
		if slices.Contains(keysOf(v.fields), key) {
			kinds = append(kinds, v.name)
		}
	}
	return kinds
}

// wholeRecipe is the place of the keys that belong to nothing smaller.
const wholeRecipe = "the whole recipe"

// homes are the places in which keys are known; a key that several places know has the first.
var homes = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	eachRecord(recipeShape(), wholeRecipe, func(where string, fields []field) {
		for _, f := range fields {
			if out[f.key] == "" {
				out[f.key] = where
			}
		}
	})
	return out
})

// eachRecord visits the records below a shape, each with the place where it stands.
func eachRecord(s *shape, where string, visit func(where string, fields []field)) {
	switch s.form {
	case list:
		eachRecord(s.elem, where, visit)
	case mapping:
		eachRecord(s.elem, where+".NAME", visit)
	case record:
		visit(where, s.fields)
		eachField(s.fields, where, visit)
		for _, v := range s.variants {
			kind := where + " of kind " + v.name
			visit(kind, v.fields)
			eachField(v.fields, kind, visit)
		}
	}
}

func eachField(fields []field, where string, visit func(where string, fields []field)) {
	for _, f := range fields {
		below := where + ", " + f.key
		if where == wholeRecipe {
			below = f.key
		}
		eachRecord(f.shape, below, visit)
	}
}

// longestName bounds the work on names that nobody can have meant.
const longestName = 64

// nearest is the candidate with the fewest typing errors from name, or empty when all are too far off to be meant.
func nearest(name string, candidates []string) string {
	if len(name) > longestName {
		return ""
	}
	best, least := "", max(1, len(name)/3)+1
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		if d := typingErrors(name, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// typingErrors counts insertions, deletions, replacements and swaps of neighbours between two names (optimal string
// alignment).
func typingErrors(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
