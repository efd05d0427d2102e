package adopt

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// An entryReader reads one entry of axolotl's datasets.
type entryReader struct {
	keys   *keys
	values map[string]any
	where  string
	taken  []string
}

func (e *entryReader) take(key string) any {
	e.taken = append(e.taken, key)
	return e.values[key]
}

func (e *entryReader) text(key string) string {
	if v := e.take(key); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// leave says why a key of the entry is not carried over.
func (e *entryReader) leave(key, why string) {
	name := e.where + "." + key
	e.taken = append(e.taken, key)
	e.keys.names = append(e.keys.names, name)
	e.keys.left[name] = why
}

// leaveRest leaves what nobody asked for.
func (e *entryReader) leaveRest() {
	for _, key := range slices.Sorted(maps.Keys(e.values)) {
		if v := e.values[key]; v != nil && v != "" && !slices.Contains(e.taken, key) {
			e.leave(key, entryReason(key))
		}
	}
}

func entryReason(key string) string {
	switch key {
	case "chat_template", "chat_template_jinja", "conversation":
		return ownTokens
	case "roles_to_train", "train_on_eos", "train_on_eot", "train_on_inputs", "message_field_training",
		"message_field_training_detail":
		return "all turns of the assistant are learned, each with its end, or all tokens"
	case "shards", "shards_idx", "preprocess_shards":
		return "set limit, which chooses records by their hash"
	case "trust_remote_code":
		return noCode
	}
	return unknownKey
}

// dataset is what a recipe says of the entry.
func (e *entryReader) dataset(objective string) (mapping, error) {
	spec, err := e.location()
	if err != nil {
		return nil, err
	}
	var format mapping
	switch kind := e.take("type").(type) {
	case map[string]any:
		format, err = userDefined(kind, objective)
	case nil:
		err = errors.New("type is missing")
	default:
		format, err = e.format(fmt.Sprint(kind), objective)
	}
	return append(spec, format...), err
}

// location says where the records are: files, or a repository on a hub.
func (e *entryReader) location() (mapping, error) {
	name := e.text("path")
	files := texts(e.take("data_files"))
	reader := e.text("ds_type")
	split := cmp.Or(e.text("split"), e.text("train_on_split"))
	readers := map[string]string{"": "", "json": "", "csv": "csv", "parquet": "parquet", "arrow": "arrow", "text": "txt"}
	form, known := readers[reader]
	var spec mapping
	switch {
	case name == "":
		return nil, errors.New("path is missing")
	case strings.Contains(name, "://") && !strings.HasPrefix(name, "hf://"):
		return nil, fmt.Errorf("path %s: get the files, and name them", name)
	case !known:
		return nil, fmt.Errorf("ds_type %s is not known", reader)
	case name == "json" || name == "csv" || name == "parquet" || name == "text": // a loader of the datasets library
		if len(files) == 0 {
			return nil, fmt.Errorf("path %s: data_files are missing", name)
		}
		spec.add("files", files)
		return spec, nil
	case path.Ext(name) != "" && !e.keys.onHub(name):
		spec.add("files", []string{name})
		spec.add("reader", form)
		return spec, nil
	}
	return e.folder(name, files, split)
}

func (e *entryReader) folder(name string, files []string, split string) (spec mapping, err error) {
	if e.keys.onHub(name) {
		name = "hf://datasets/" + name
		if revision := e.text("revision"); revision != "" {
			name += "@" + strings.ReplaceAll(revision, "/", "%2F")
		}
	}
	switch {
	case len(files) > 1:
		return nil, errors.New("data_files: of a folder one pattern is read: write one, or several entries")
	case len(files) == 1 && strings.HasPrefix(name, "hf://"):
		name += "/" + files[0]
	case len(files) == 1:
		spec.add("files", []string{path.Join(name, files[0])})
		return spec, nil
	}
	spec.add("from", name)
	if len(files) == 0 {
		spec.add("config", e.text("name"))
	}
	if strings.ContainsAny(split, "[%") {
		e.leave("split", "a part of a split is not taken: set limit")
		split, _, _ = strings.Cut(split, "[")
	}
	spec.add("split", split)
	return spec, nil
}

// pairFields are the fields of axolotl's preference types, behind the name of a template, which here is the model's.
var pairFields = map[string]mapping{
	"argilla":      {{"prompt", "instruction"}, {"chosen", "chosen_response"}, {"rejected", "rejected_response"}},
	"argilla_chat": {},
	"icr":          {{"prompt", "input"}},
	"intel":        {{"prompt", "question"}},
	"prompt_pairs": {},
	"ultra":        {},
	"default":      {},
}

// format is the format, and the fields, of a type.
func (e *entryReader) format(kind, objective string) (mapping, error) {
	if objective != "next_token" {
		return e.pairs(kind)
	}
	base, template, _ := strings.Cut(kind, ".")
	base, _, _ = strings.Cut(base, ":")
	switch {
	case base == "alpaca" && template == "":
		e.leave("type", "the texts around alpaca's instruction are not added: it is a turn of the chat template")
		return mapping{{"format", "alpaca"}}, nil
	case base == "sharegpt":
		spec := mapping{{"format", "sharegpt"}}
		if field := e.text("field_messages"); field != "" {
			spec.add("fields", mapping{{"messages", field}})
		}
		return spec, nil
	case base == "chat_template":
		return e.chat()
	case base == "completion":
		spec := mapping{{"format", "text"}}
		if field := cmp.Or(e.text("field"), e.text("text_column")); field != "" && field != "text" {
			spec.add("fields", mapping{{"text", field}})
		}
		return spec, nil
	case base == "input_output":
		return nil, errors.New("type input_output: a record cannot say which of its texts are learned; use chat_template")
	}
	return nil, fmt.Errorf("type %s is not read; there are alpaca, chat_template, sharegpt and completion", kind)
}

// chat is the format of messages.
func (e *entryReader) chat() (mapping, error) {
	fields := mapping{{"messages", cmp.Or(e.text("field_messages"), "messages")}}
	properties, _ := e.take("message_property_mappings").(map[string]any)
	for _, p := range []struct{ part, old string }{{"role", "message_field_role"}, {"content", "message_field_content"}} {
		field := e.text(p.old)
		if v := properties[p.part]; v != nil {
			field = fmt.Sprint(v)
		}
		fields.add(p.part, field)
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if name != "role" && name != "content" {
			e.leave("message_property_mappings."+name, "a turn is its role and its text")
		}
	}
	fields.add("tools", e.text("field_tools"))
	fields.add("system", e.text("field_system"))
	spec := mapping{{"format", "messages"}, {"fields", fields}}
	roles, err := e.roles()
	spec.add("roles", roles)
	return spec, err
}

// roles are those that the data calls otherwise.
func (e *entryReader) roles() (mapping, error) {
	given, _ := e.take("roles").(map[string]any)
	var roles mapping
	for _, role := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains([]string{"user", "assistant", "system", "tool"}, role) {
			return nil, fmt.Errorf("roles: there is no role %q", role)
		}
		for _, name := range texts(given[role]) {
			roles.add(name, role)
		}
	}
	return roles, nil
}

// pairs is the format of preference pairs.
func (e *entryReader) pairs(kind string) (mapping, error) {
	spec := mapping{{"format", "preference"}}
	template, variant, _ := strings.Cut(kind, ".")
	fields, known := pairFields[variant]
	switch {
	case kind == "bradley_terry.chat_template":
		spec.add("fields", pairFields["icr"])
		return spec, nil
	case kind == "chat_template.default" || kind == "chat_template.argilla_chat":
		return e.chatPairs(spec, variant == "default")
	case !known || template != "chatml" && template != "llama3":
		return nil, fmt.Errorf("type %s is not read; there are chat_template.default, chatml.*, llama3.* "+
			"and bradley_terry.chat_template", kind)
	}
	spec.add("fields", fields)
	return spec, nil
}

func (e *entryReader) chatPairs(spec mapping, withPrompt bool) (mapping, error) {
	var fields mapping
	if withPrompt {
		fields.add("prompt", cmp.Or(e.text("field_messages"), "messages"))
	}
	fields.add("chosen", e.text("field_chosen"))
	fields.add("rejected", e.text("field_rejected"))
	properties, _ := e.take("message_property_mappings").(map[string]any)
	for _, part := range []string{"role", "content"} {
		if v := properties[part]; v != nil {
			fields.add(part, fmt.Sprint(v))
		}
	}
	spec.add("fields", fields)
	roles, err := e.roles()
	spec.add("roles", roles)
	return spec, err
}

// userDefined is the format of a type that is a mapping: the fields of alpaca, or of pairs. Texts around the fields
// would be lost, and are an error.
func userDefined(kind map[string]any, objective string) (mapping, error) {
	parts := map[string]string{"field_instruction": "instruction", "field_input": "input", "field_output": "output",
		"field_system": "system"}
	spec := mapping{{"format", "alpaca"}}
	if objective != "next_token" {
		parts = map[string]string{"field_prompt": "prompt", "field_chosen": "chosen", "field_rejected": "rejected",
			"field_system": "system"}
		spec = mapping{{"format", "preference"}}
	}
	var fields mapping
	for _, key := range slices.Sorted(maps.Keys(kind)) {
		v := kind[key]
		part, known := parts[key]
		switch {
		case v == nil || v == "":
		case known:
			fields.add(part, fmt.Sprint(v))
		case slices.Contains([]string{"format", "no_input_format", "system_format", "prompt_format", "chosen_format",
			"rejected_format", "system_prompt"}, key):
			return nil, fmt.Errorf("type: %s: texts around the fields are those of the chat template here; "+
				"write them into the records, or drop the key", key)
		default:
			return nil, fmt.Errorf("type: %s is not known", key)
		}
	}
	spec.add("fields", fields)
	return spec, nil
}
