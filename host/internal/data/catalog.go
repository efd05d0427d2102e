package data

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/hub"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// maxCatalog bounds a dataset_info.json, in bytes.
const maxCatalog = 16 << 20

// A catalogEntry is what LLaMA-Factory's dataset_info.json says of a dataset. Of columns and tags, those that are not
// named do not exist once some are named, as there.
type catalogEntry struct {
	HubURL     string            `json:"hf_hub_url"`
	MSHubURL   string            `json:"ms_hub_url"`
	OMHubURL   string            `json:"om_hub_url"`
	ScriptURL  string            `json:"script_url"`
	CloudFile  string            `json:"cloud_file_name"`
	FileName   string            `json:"file_name"`
	FileSHA1   string            `json:"file_sha1"`
	LoadFrom   string            `json:"load_from"`
	Revision   string            `json:"revision"`
	Formatting string            `json:"formatting"`
	Ranking    bool              `json:"ranking"`
	Subset     string            `json:"subset"`
	Split      string            `json:"split"`
	Folder     string            `json:"folder"`
	NumSamples int               `json:"num_samples"`
	Columns    map[string]string `json:"columns"`
	Tags       map[string]string `json:"tags"`
}

var (
	catalogColumns = map[string]string{
		"prompt": "instruction", "query": "input", "response": "output", "messages": "conversations",
		"history": "", "system": "", "tools": "", "chosen": "", "rejected": "", "kto_tag": "",
		"images": "", "videos": "", "audios": "",
	}
	catalogTags = map[string]string{
		"role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt",
		"observation_tag": "observation", "function_tag": "function_call", "system_tag": "system",
	}
	tagRoles = map[string]string{
		"user_tag": "user", "assistant_tag": "assistant", "observation_tag": "tool", "function_tag": "assistant",
		"system_tag": "system",
	}
)

// Described is the dataset with what its info says in the place of info: files or from, format, fields, roles. What the
// dataset says itself goes before.
func Described(ds recipe.Dataset, root string) (recipe.Dataset, error) {
	if ds.Info == "" {
		return ds, nil
	}
	file := ds.Info
	if !filepath.IsAbs(file) {
		file = filepath.Join(root, file)
	}
	entry, err := readCatalog(file, ds.Entry)
	if err == nil {
		ds, err = entry.describe(ds)
	}
	if err != nil {
		return ds, fmt.Errorf("%s: %w", file, err)
	}
	ds.Info, ds.Entry = "", ""
	return ds, nil
}

func readCatalog(file, name string) (entry catalogEntry, err error) {
	f, err := os.Open(file)
	if err != nil {
		return entry, errors.Unwrap(err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxCatalog+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return entry, err
	}
	if len(text) > maxCatalog {
		return entry, fmt.Errorf("longer than %d MiB", maxCatalog>>20)
	}
	return catalogEntryOf(text, name)
}

// catalogEntryOf reads one entry; of the others only that they are JSON.
func catalogEntryOf(text []byte, name string) (entry catalogEntry, err error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return entry, err
	}
	one, ok := all[name]
	if !ok {
		return entry, fmt.Errorf("no entry %q%s", name, didYouMean(name, slices.Sorted(maps.Keys(all))))
	}
	d := json.NewDecoder(bytes.NewReader(one))
	d.DisallowUnknownFields()
	if err := d.Decode(&entry); err != nil {
		return entry, fmt.Errorf("entry %s: %s", name, strings.TrimPrefix(err.Error(), "json: "))
	}
	if err := entry.check(); err != nil {
		return entry, fmt.Errorf("entry %s: %w", name, err)
	}
	return entry, nil
}

// check refuses what is not read here.
func (e catalogEntry) check() error {
	switch {
	case e.HubURL == "" && (e.MSHubURL != "" || e.OMHubURL != ""):
		return errors.New("it is on a hub other than Hugging Face's, which is not read: get its files, and name them")
	case e.HubURL == "" && e.ScriptURL != "":
		return errors.New("script_url is a program, which is never run: name the files that it makes")
	case e.HubURL == "" && e.FileName == "" && e.CloudFile != "":
		return errors.New("cloud_file_name is not read: get the file, and name it in file_name")
	case e.HubURL == "" && e.FileName == "":
		return errors.New("neither file_name nor hf_hub_url says where it is")
	case !slices.Contains([]string{"", "alpaca", "sharegpt", "openai"}, e.Formatting):
		return fmt.Errorf("formatting %q is none of alpaca, sharegpt, openai", e.Formatting)
	case e.NumSamples < 0:
		return fmt.Errorf("num_samples is %d", e.NumSamples)
	}
	return errors.Join(knownNames("columns", e.Columns, catalogColumns), knownNames("tags", e.Tags, catalogTags),
		e.media())
}

func knownNames(what string, given, known map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := known[name]; !ok {
			return fmt.Errorf("%s: %q is not known%s", what, name, didYouMean(name, slices.Sorted(maps.Keys(known))))
		}
	}
	return nil
}

func (e catalogEntry) media() error {
	for _, name := range []string{"images", "videos", "audios"} {
		if e.Columns[name] != "" {
			return fmt.Errorf("columns: %s are not read, only text is", name)
		}
	}
	return nil
}

// fields are those that a column names, none when the entry has no such column.
func (e catalogEntry) fields(columns ...string) recipe.Fields {
	named := recipe.Fields{}
	from := catalogColumns
	if e.Columns != nil {
		from = e.Columns
	}
	for _, c := range columns {
		if from[c] != "" {
			named = append(named, from[c])
		}
	}
	return named
}

// describe lays the entry under the dataset.
func (e catalogEntry) describe(ds recipe.Dataset) (recipe.Dataset, error) {
	e.locate(&ds)
	ds.Limit = cmp.Or(ds.Limit, e.NumSamples)
	format, fields, err := e.alpaca()
	roles := map[string]string{}
	if e.Formatting == "sharegpt" || e.Formatting == "openai" {
		format, fields, roles, err = e.messages()
	}
	switch {
	case err != nil:
		return ds, err
	case ds.Format == "auto":
		err = refuseSilentLabel(format)
	case ds.Format != format:
		return ds, nil // what the dataset says
	}
	ds.Format = format
	maps.Copy(fields, ds.Fields)
	maps.Copy(roles, ds.Roles)
	ds.Fields, ds.Roles = fields, roles
	return ds, err
}

// locate says where the files are.
func (e catalogEntry) locate(ds *recipe.Dataset) {
	if e.HubURL == "" {
		name := filepath.Join(filepath.Dir(ds.Info), e.FileName)
		ds.Files = []string{name}
		if filepath.Ext(strings.TrimSuffix(name, ".gz")) == "" {
			ds.Files = []string{filepath.Join(name, "*")} // a folder
		}
		if filepath.Ext(name) == ".txt" {
			ds.Record = cmp.Or(ds.Record, "^") // each line is a document
		}
		return
	}
	ds.From = hub.Scheme + "datasets/" + e.HubURL
	if e.Revision != "" {
		ds.From += "@" + e.Revision
	}
	if e.Folder != "" {
		ds.From += "/" + e.Folder
	}
	ds.Config, ds.Split = cmp.Or(ds.Config, e.Subset), cmp.Or(ds.Split, e.Split)
}

// alpaca is the format of an entry with a question and its answer in columns of their own.
func (e catalogEntry) alpaca() (string, map[string]recipe.Fields, error) {
	question := e.fields("prompt", "query")
	all := map[string]recipe.Fields{"system": e.fields("system"), "tools": e.fields("tools")}
	history := e.fields("history")
	switch {
	case len(question) == 0:
		return "", nil, errors.New("columns: no prompt is named")
	case e.Columns["kto_tag"] != "" && len(history) == 0:
		all["messages"], all["prompt"] = recipe.Fields{}, question
		all["completion"], all["label"] = e.fields("response"), e.fields("kto_tag")
		return "labelled", all, nil
	case e.Ranking && len(history) == 0:
		all["prompt"], all["chosen"], all["rejected"] = question, e.fields("chosen"), e.fields("rejected")
		return "preference", all, nil
	case e.Ranking || e.Columns["kto_tag"] != "":
		return "", nil, errors.New("columns: history is not read where answers are compared: use sharegpt")
	case len(e.fields("response")) == 0:
		return "text", map[string]recipe.Fields{"text": question}, nil
	}
	if all["history"] = history; e.Columns != nil {
		all["instruction"], all["input"], all["output"] = e.fields("prompt"), e.fields("query"), e.fields("response")
	}
	return "alpaca", all, nil
}

// messages is the format of an entry with a list of messages.
func (e catalogEntry) messages() (string, map[string]recipe.Fields, map[string]string, error) {
	tags := catalogTags
	if e.Tags != nil {
		tags = e.Tags
	}
	roles := map[string]string{}
	for tag, role := range tagRoles {
		if tags[tag] != "" {
			roles[tags[tag]] = role
		}
	}
	all := map[string]recipe.Fields{
		"system": e.fields("system"), "tools": e.fields("tools"),
		"role": {tags["role_tag"]}, "content": {tags["content_tag"]},
	}
	switch {
	case tags["role_tag"] == "" || tags["content_tag"] == "":
		return "", nil, nil, errors.New("tags: want role_tag and content_tag, and those of the roles")
	case len(e.fields("messages")) == 0:
		return "", nil, nil, errors.New("columns: no messages are named")
	case e.Ranking:
		all["prompt"], all["chosen"], all["rejected"] = e.fields("messages"), e.fields("chosen"), e.fields("rejected")
		return "preference", all, roles, nil
	case e.Columns["kto_tag"] != "":
		all["messages"], all["label"] = e.fields("messages"), e.fields("kto_tag")
		return "labelled", all, roles, nil
	}
	all["messages"] = e.fields("messages")
	return "messages", all, roles, nil
}
