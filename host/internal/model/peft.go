package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// PEFT is the adapter_config.json of an adapter directory, as PEFT writes it: which adapter, and for which model.
type PEFT struct {
	Adapter
	Base string // base_model_name_or_path
	Head Head   // of the adapted model; HeadNone when the file does not say
}

// peftFile is what of adapter_config.json says how the adapter is computed.
type peftFile struct {
	Type       string         `json:"peft_type"`
	Task       *string        `json:"task_type"`
	Base       string         `json:"base_model_name_or_path"`
	Rank       int            `json:"r"`
	Alpha      float64        `json:"lora_alpha"`
	Targets    peftTargets    `json:"target_modules"`
	RSLoRA     bool           `json:"use_rslora"`
	DoRA       bool           `json:"use_dora"`
	Bias       string         `json:"bias"`
	Saved      []string       `json:"modules_to_save"`
	Transposed bool           `json:"fan_in_fan_out"`
	Start      any            `json:"init_lora_weights"`
	Inference  bool           `json:"inference_mode"`
	Ranks      map[string]any `json:"rank_pattern"`
	Alphas     map[string]any `json:"alpha_pattern"`
}

// peftAside are the keys that bear on nothing here whatever they hold. All others that peftFile lacks must hold nothing.
var peftAside = []string{
	"auto_mapping", "corda_config", "ensure_weight_tying", "eva_config", "layers_pattern", "loftq_config", "lora_dropout",
	"megatron_core", "peft_version", "qalora_group_size", "revision", "runtime_config",
}

// peftTargets is a list of names, or one name.
type peftTargets []string

// UnmarshalJSON reads a list or a string.
func (t *peftTargets) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = peftTargets{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// MarshalJSON writes all-linear as PEFT expects it, as a string.
func (t peftTargets) MarshalJSON() ([]byte, error) {
	if slices.Contains(t, AllLinear) {
		return json.Marshal(AllLinear)
	}
	return json.Marshal([]string(t))
}

var peftTasks = map[Head]string{HeadLM: "CAUSAL_LM", HeadClassify: "SEQ_CLS", HeadNone: "FEATURE_EXTRACTION"}

// UnmarshalJSON reads adapter_config.json. What would change the computation and is not supported is an error that
// names the key.
func (p *PEFT) UnmarshalJSON(b []byte) error {
	file := peftFile{Bias: "none"}
	if err := json.Unmarshal(b, &file); err != nil {
		return err
	}
	if err := errors.Join(file.check(), checkAside(b)); err != nil {
		return err
	}
	*p = PEFT{Base: file.Base, Head: HeadNone, Adapter: Adapter{
		Rank: file.Rank, Alpha: file.Alpha, Targets: file.Targets, RSLoRA: file.RSLoRA, DoRA: file.DoRA,
	}}
	for head, task := range peftTasks {
		if file.Task != nil && *file.Task == task {
			p.Head = head
		}
	}
	return nil
}

func (f peftFile) check() error {
	switch {
	case f.Type != "LORA":
		return fmt.Errorf("peft_type %q is not supported, only LORA", f.Type)
	case f.Bias != "none":
		return fmt.Errorf("bias %q is not supported, only none", f.Bias)
	case f.Transposed:
		return fmt.Errorf("fan_in_fan_out is not supported")
	case len(f.Ranks) > 0 || len(f.Alphas) > 0:
		return fmt.Errorf("rank_pattern and alpha_pattern are not supported")
	}
	if how, ok := f.Start.(string); ok && how != "gaussian" && how != "orthogonal" {
		return fmt.Errorf("init_lora_weights %q changes the base model's weights, which is not supported", how)
	}
	for _, name := range f.Saved {
		if name != "score" && name != "classifier" {
			return fmt.Errorf("modules_to_save: %q is not supported, only a classification head", name)
		}
	}
	return nil
}

// checkAside refuses keys that would change the computation in a way that is not known here.
func checkAside(b []byte) error {
	var all map[string]any
	known, err := json.Marshal(peftFile{})
	if err = errors.Join(err, json.Unmarshal(b, &all)); err != nil {
		return err
	}
	var read map[string]any
	if err := json.Unmarshal(known, &read); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if _, ok := read[key]; !ok && !slices.Contains(peftAside, key) && !empty(all[key]) {
			return fmt.Errorf("%s is not supported", key)
		}
	}
	return nil
}

// empty says that a key of any kind asks for nothing.
func empty(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return value == nil || value == false
}

// MarshalJSON writes adapter_config.json for PEFT.
func (p PEFT) MarshalJSON() ([]byte, error) {
	task := peftTasks[p.Head]
	file := peftFile{
		Type: "LORA", Task: &task, Base: p.Base, Rank: p.Rank, Alpha: p.Alpha, Targets: p.Targets,
		RSLoRA: p.RSLoRA, DoRA: p.DoRA, Bias: "none", Inference: true,
		Start: true, Ranks: map[string]any{}, Alphas: map[string]any{},
	}
	if p.Head == HeadClassify {
		file.Saved = []string{"classifier", "score"}
	}
	return json.Marshal(file)
}
