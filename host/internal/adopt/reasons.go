package adopt

import "strings"

// The reasons for which keys are left out that have no counterpart.
const (
	byItself   = "the program chooses by itself"
	notNeeded  = "there is nothing to set: it is not needed here"
	always     = "is always done"
	elsewhere  = "results stay in the run directory; nothing is sent anywhere"
	hardware   = "concerns a library that is not used here"
	noPart     = "no part of a data set is held out; name one to measure on in an evaluate stage"
	noCode     = "code in model files is never run"
	resumes    = "a run that was interrupted goes on by itself"
	ownTokens  = "the model's own tokenizer and chat template are used"
	unknownKey = "nothing is known of this key"
)

// reasons are those of whole keys, or of all that begin with a key that ends in *.
var reasons = map[string]string{
	"trust_remote_code":             noCode,
	"resume_from_checkpoint":        resumes,
	"auto_resume_from_checkpoints":  resumes,
	"template":                      ownTokens,
	"chat_template":                 ownTokens,
	"chat_template_jinja":           ownTokens,
	"tokenizer_type":                ownTokens,
	"special_tokens":                ownTokens,
	"tokens":                        ownTokens,
	"resize_vocab":                  ownTokens,
	"default_system":                ownTokens,
	"enable_thinking":               ownTokens,
	"use_fast_tokenizer":            ownTokens,
	"eot_tokens":                    ownTokens,
	"tool_format":                   ownTokens,
	"model_type":                    "config.json says it",
	"base_model_config":             "config.json says it",
	"is_*":                          "config.json says it",
	"val_size":                      noPart,
	"val_set_size":                  noPart,
	"eval_strategy":                 noPart,
	"evaluation_strategy":           noPart,
	"eval_steps":                    noPart,
	"evals_per_epoch":               noPart,
	"per_device_eval_batch_size":    noPart,
	"eval_batch_size":               noPart,
	"eval_table_size":               noPart,
	"eval_max_new_tokens":           noPart,
	"eval_sample_packing":           noPart,
	"do_eval":                       noPart,
	"early_stopping_patience":       noPart,
	"load_best_model_at_end":        noPart,
	"metric_for_best_model":         noPart,
	"overwrite_cache":               notNeeded,
	"overwrite_output_dir":          notNeeded,
	"preprocessing_num_workers":     byItself,
	"dataloader_*":                  byItself,
	"dataset_prepared_path":         notNeeded,
	"dataset_processes":             byItself,
	"cache_dir":                     notNeeded,
	"tokenized_path":                notNeeded,
	"streaming":                     notNeeded,
	"strict":                        notNeeded,
	"debug":                         notNeeded,
	"ddp_*":                         notNeeded,
	"local_rank":                    notNeeded,
	"skip_prepare_dataset":          notNeeded,
	"shuffle_merged_datasets":       always,
	"data_seed":                     "the seed is one for all",
	"logging_steps":                 "every step is logged",
	"plot_loss":                     always,
	"logging_*":                     "every step is logged",
	"report_to":                     elsewhere,
	"run_name":                      elsewhere,
	"wandb_*":                       elsewhere,
	"mlflow_*":                      elsewhere,
	"comet_*":                       elsewhere,
	"hub_*":                         elsewhere,
	"push_to_hub":                   elsewhere,
	"use_swanlab":                   elsewhere,
	"swanlab_*":                     elsewhere,
	"use_tensorboard":               always,
	"deepspeed":                     hardware,
	"fsdp":                          hardware,
	"fsdp_*":                        hardware,
	"flash_attn":                    hardware,
	"flash_attention":               hardware,
	"attn_implementation":           hardware,
	"sdp_attention":                 hardware,
	"xformers_attention":            hardware,
	"flash_*":                       hardware,
	"use_unsloth":                   hardware,
	"unsloth_*":                     hardware,
	"enable_liger_kernel":           hardware,
	"liger_*":                       hardware,
	"plugins":                       hardware,
	"torch_compile":                 hardware,
	"tf32":                          hardware,
	"double_quantization":           "is part of nf4",
	"torch_dtype":                   byItself,
	"lora_*_kernel":                 hardware,
	"gradient_checkpointing_kwargs": hardware,
	"s2_attention":                  hardware,
	"shift_attn":                    hardware,
	"save_strategy":                 "checkpoints are saved by steps",
	"saves_per_epoch":               "checkpoints are saved by steps: set save_steps",
	"save_only_model":               "a checkpoint holds all that a run needs to go on",
	"save_safetensors":              always,
	"pad_to_sequence_len":           byItself,
	"group_by_length":               "the order of the records is that of the seed",
	"adapter_name_or_path":          "a training starts from a model, not from an adapter: merge it first",
	"lora_model_dir":                "a training starts from a model, not from an adapter: merge it first",
	"rope_scaling":                  "config.json says it",
	"do_predict":                    "is an evaluate stage",
	"freeze_*":                      "all weights are trained, or those of adapters",
	"unfrozen_parameters":           "all weights are trained, or those of adapters",
	"neftune_noise_alpha":           "there is no noise on embeddings",
	"noisy_embedding_alpha":         "there is no noise on embeddings",
	"label_smoothing_factor":        "labels are not smoothed",
	"lora_modules_to_save":          "besides adapters nothing is trained",
	"additional_target":             "besides adapters nothing is trained",
	"lora_fan_in_fan_out":           notNeeded,
	"export_*":                      "is an export stage",
	"loraplus_*":                    "one learning rate holds for all weights",
}

func reasonFor(key string) string {
	if why, ok := reasons[key]; ok {
		return why
	}
	best, why := "", unknownKey
	for pattern, reason := range reasons {
		before, after, ok := strings.Cut(pattern, "*")
		if ok && strings.HasPrefix(key, before) && strings.HasSuffix(key, after) && len(pattern) > len(best) {
			best, why = pattern, reason
		}
	}
	return why
}
