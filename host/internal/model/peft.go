package model

import (
	"encoding/json"
	"fmt"
	"slices"
)

// PEFT is the adapter_config.json of an adapter directory, as PEFT writes it: which adapter, and for which model.
type PEFT struct {
	Adapter
	Base string // base_model_name_or_path
	Head Head   // of the adapted model; HeadNone when the file does not say
}

// peftFile is adapter_config.json. Keys that would change the computation in a way that is not known here are refused
// unless they hold what PEFT writes by default.
type peftFile struct {
	Type        string      `json:"peft_type"`
	Task        *string     `json:"task_type"`
	Base        string      `json:"base_model_name_or_path"`
	Rank        int         `json:"r"`
	Alpha       float64     `json:"lora_alpha"`
	Dropout     float64     `json:"lora_dropout"` // bears on training alone
	Targets     peftTargets `json:"target_modules"`
	RSLoRA      bool        `json:"use_rslora"`
	DoRA        bool        `json:"use_dora"`
	Bias        string      `json:"bias"`
	Saved       []string    `json:"modules_to_save"`
	Transposed  bool        `json:"fan_in_fan_out"`
	Inference   bool        `json:"inference_mode"`
	LoRABias    bool        `json:"lora_bias"`
	Layers      any         `json:"layers_to_transform"`
	Excluded    any         `json:"exclude_modules"`
	Ranks       any         `json:"rank_pattern"`
	Alphas      any         `json:"alpha_pattern"`
	Parameters  any         `json:"target_parameters"`
	Megatron    any         `json:"megatron_config"`
	Replication any         `json:"layer_replication"`
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
	if err := file.check(); err != nil {
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
	case f.LoRABias:
		return fmt.Errorf("lora_bias is not supported")
	}
	for _, x := range []struct {
		key   string
		value any
	}{
		{"layers_to_transform", f.Layers}, {"exclude_modules", f.Excluded}, {"rank_pattern", f.Ranks},
		{"alpha_pattern", f.Alphas}, {"target_parameters", f.Parameters}, {"megatron_config", f.Megatron},
		{"layer_replication", f.Replication},
	} {
		if !empty(x.value) {
			return fmt.Errorf("%s is not supported", x.key)
		}
	}
	for _, name := range f.Saved {
		if name != "score" && name != "classifier" {
			return fmt.Errorf("modules_to_save: %q is not supported, only a classification head", name)
		}
	}
	return nil
}

// empty says that a key of any kind holds nothing.
func empty(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return value == nil
}

// MarshalJSON writes adapter_config.json for PEFT.
func (p PEFT) MarshalJSON() ([]byte, error) {
	task := peftTasks[p.Head]
	file := peftFile{
		Type: "LORA", Task: &task, Base: p.Base, Rank: p.Rank, Alpha: p.Alpha, Targets: p.Targets,
		RSLoRA: p.RSLoRA, DoRA: p.DoRA, Bias: "none", Inference: true,
		Ranks: map[string]any{}, Alphas: map[string]any{},
	}
	if p.Head == HeadClassify {
		file.Saved = []string{"classifier", "score"}
	}
	return json.Marshal(file)
}
