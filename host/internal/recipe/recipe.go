// Package recipe reads recipe files: the declaration of a whole process from data to exported model. The structs here are the
// only definition of the recipe format; decoder, JSON Schema, defaults and the documentation of the keys come from their tags.
//
// Tags: key is the name in the file, doc its one-line description, default its value when absent, required marks keys that must
// be there, enum lists the allowed values; min, above, max and below bound a number, pattern names the form of a text, path
// marks what is a path (always, or when it has a slash), when names the condition without which nothing reads the key, and
// results is "same" for a key that changes none. On a list or a mapping they hold for each element.
//
// Reading order: Recipe, Load (all that happens to a file), tree and layers (YAML and overrides, with positions), shape (the
// tags as data), decoder, checker, and graph.go, which says what comes before what.
package recipe

// A Recipe is one file, with the command line's overrides applied and all defaults filled in.
type Recipe struct {
	Name     string             `key:"name" required:"true" pattern:"name" doc:"name of the recipe and of its run directory"`
	Hub      string             `key:"hub" pattern:"url" doc:"endpoint of a Hugging Face hub that carebot fetch gets hf:// names from; default: HF_ENDPOINT; nothing else goes there"`
	Seed     uint64             `key:"seed" default:"0" min:"0" doc:"seed of every random choice"`
	Device   string             `key:"device" default:"auto" pattern:"device" doc:"auto, cpu, cuda or cuda:N"`
	DataRoot string             `key:"data_root" path:"always" doc:"folder that relative dataset files start from; default: the recipe's folder"`
	Output   string             `key:"output" default:"runs" doc:"folder that holds the run directories"`
	Datasets map[string]Dataset `key:"datasets" doc:"files and what is in them, by name"`
	Models   map[string]Model   `key:"models" doc:"model architectures or model directories, by name"`
	Plugins  map[string]Plugin  `key:"plugins" doc:"scorers, filters and rewards, by name"`
	Stages   map[string]Stage   `key:"stages" required:"true" doc:"the steps of the process, by name; their references order them"`

	File string // path of the recipe file
}

// A Position is a place in the recipe file, counted from 1.
type Position struct {
	File         string
	Line, Column int
}

// A Dataset names files and says how to read them.
type Dataset struct {
	Files      []string          `key:"files" when:"!from" doc:"paths and globs (** crosses folders); sample:// is the embedded data"`
	From       string            `key:"from" path:"always" when:"!info" doc:"a folder laid out as a Hugging Face dataset, or hf://datasets/ORG/NAME[@REVISION][/PATH] in the Hugging Face cache"`
	Config     string            `key:"config" when:"from" doc:"configuration (subset) that the folder's README.md names; default: the one it says, default, or the only one"`
	Split      string            `key:"split" when:"!files" doc:"split of the folder; default: train, or the only one"`
	Info       string            `key:"info" path:"always" when:"!files" doc:"a dataset_info.json of LLaMA-Factory, which says the files and what is in them"`
	Entry      string            `key:"entry" when:"info" doc:"name of the dataset in info; default: the dataset's name"`
	Reader     string            `key:"reader" default:"auto" enum:"auto,jsonl,json,csv,txt,parquet,arrow,xml" doc:"file format; auto goes by the file's ending"`
	Encoding   string            `key:"encoding" default:"auto" enum:"auto,utf-8,gb18030" doc:"character encoding; auto takes UTF-8 and falls back to GB18030 when a whole file is valid in it"`
	Header     *bool             `key:"header" default:"true" when:"reader=auto|csv" doc:"whether a CSV file's first line names the columns; without it they are named 0, 1, 2, ..."`
	Record     string            `key:"record" when:"reader=auto|xml|txt" doc:"XML: the element that is one record; txt: a regular expression that starts a record (default: the whole file is one)"`
	Format     string            `key:"format" default:"auto" enum:"auto,text,rated,messages,sharegpt,alpaca,completion,prompt,transcript,preference,labelled,choice" doc:"what a record is; auto goes by the fields of the first record, as TRL names them, or by info"`
	Fields     map[string]Fields `key:"fields" doc:"where the parts of a record are, as part: field or [fields], when they are named otherwise"`
	Roles      map[string]string `key:"roles" enum:"user,assistant,system,tool" when:"format=auto|messages|sharegpt|completion|prompt|preference|labelled" doc:"messages: names of roles to roles, besides those of OpenAI and ShareGPT"`
	Speakers   map[string]string `key:"speakers" enum:"user,assistant,system" when:"format=transcript|preference" doc:"transcripts, also within pairs: prefix of a turn to its role (user, assistant, system)"`
	AnswerBase int               `key:"answer_base" default:"0" min:"0" when:"format=choice" doc:"choice: what a numeric answer counts from"`
	Language   string            `key:"language" default:"auto" doc:"language of all records, auto to tell zh from en by script, or the name of a field in braces: {lang}"`
	Source     string            `key:"source" doc:"name of the source in reports; default: the dataset's name"`
	MaxBad     float64           `key:"max_bad" default:"0.01" min:"0" max:"1" doc:"share of malformed records above which reading stops"`
	Limit      int               `key:"limit" min:"0" doc:"take this many records, chosen by their hash, not by their order; 0 is all"`

	Pos Position
}

// Fields are the fields of a record that make up one part, joined by a line break. The file may hold a string or a list.
type Fields []string

// A Model is a new architecture, or a model directory in Hugging Face layout (From).
type Model struct {
	From         string  `key:"from" path:"always" doc:"model directory in Hugging Face layout, or hf://ORG/NAME[@REVISION] in the Hugging Face cache; excludes all other keys but adapter and outputs"`
	Arch         string  `key:"arch" enum:"llama,xlm-roberta,bert" when:"!from" doc:"architecture"`
	Layers       int     `key:"layers" min:"1" when:"!from" doc:"number of blocks"`
	Hidden       int     `key:"hidden" min:"1" when:"!from" doc:"width"`
	Heads        int     `key:"heads" min:"1" when:"!from" doc:"attention heads"`
	KVHeads      int     `key:"kv_heads" min:"1" when:"arch=llama" doc:"key-value heads; default: heads"`
	Inner        int     `key:"inner" min:"1" when:"!from" doc:"width of the feed-forward part; default: 8/3 hidden (llama, rounded up to 32) or 4 hidden"`
	Context      int     `key:"context" default:"512" min:"1" when:"!from" doc:"longest sequence in tokens"`
	RopeTheta    float64 `key:"rope_theta" default:"10000" above:"0" when:"arch=llama" doc:"base of the rotary angles"`
	InitRange    float64 `key:"initializer_range" default:"0.02" above:"0" max:"1" when:"!from" doc:"standard deviation of new matrices and embeddings; small models learn faster from more, about 1/sqrt(hidden)"`
	TieEmbedding *bool   `key:"tie_embedding" default:"true" when:"!from" doc:"whether the head shares the token embedding"`
	Adapter      string  `key:"adapter" path:"always" when:"from" doc:"adapter directory in PEFT layout, merged into the weights"`
	Outputs      int     `key:"outputs" default:"1" min:"1" doc:"outputs of a classification head; regression and reward have 1"`

	Pos Position
}

// A Plugin binds a plugin to the recipe.
type Plugin struct {
	Use    string            `key:"use" required:"true" path:"slash" doc:"name of a built-in plugin, path of a .wasm module or of an executable, or an OCI reference by digest"`
	SHA256 string            `key:"sha256" pattern:"sha256" doc:"digest that the file must have"`
	Args   []string          `key:"args" doc:"command-line arguments of an executable"`
	Models map[string]string `key:"models" doc:"the plugin's model names to models or stages of this recipe"`
	BF16   bool              `key:"bf16" doc:"the models that the plugin asks compute matrix products in bfloat16, as in a train stage; what they generate stays float32 on the processor. Default: false"`
	With   map[string]any    `key:"with" doc:"configuration, checked against the plugin's manifest"`
	Grant  Grant             `key:"grant" doc:"what the plugin may do beyond judging; models are granted by binding them"`
	Limits Limits            `key:"limits" doc:"bounds on memory and time"`

	Pos Position
}

// A Grant allows a plugin what its manifest requests.
type Grant struct {
	Network []string `key:"network" doc:"host:port names an executable may connect to"`
	Env     []string `key:"env" doc:"environment variables that an executable sees, such as the name of an API key"`
	Read    []string `key:"read" path:"always" doc:"files and folders that an executable sees besides its own and the recipe's folder"`
	Write   []string `key:"write" path:"always" doc:"files and folders that an executable may write; made when missing, a folder when the name ends in /"`
}

// Limits bound a plugin.
type Limits struct {
	Memory   Bytes    `key:"memory" default:"256MiB" doc:"linear memory of a module; data of a process besides 256MiB for its runtime"`
	Deadline Duration `key:"deadline" default:"30s" doc:"wall time of one call, model time excluded"`
	Fuel     int      `key:"fuel" default:"50000000" min:"1" doc:"instructions of a module for each KB of a request, beside a fixed amount"`
	Batch    int      `key:"batch" default:"256" min:"1" doc:"most records in one call"`
	Faults   int      `key:"faults" default:"10" min:"0" doc:"faulty records after which the stage stops"`
}

// A Stage is one step. Exactly the struct of its kind is set.
type Stage struct {
	Name      string
	Kind      string `key:"kind" required:"true" enum:"tokenizer,curate,train,pairs,evaluate,export" doc:"what the stage does"`
	Tokenizer *Tokenizer
	Curate    *Curate
	Train     *Train
	Pairs     *Pairs
	Evaluate  *Evaluate
	Export    *Export

	Pos Position
}

// Tokenizer trains a tokenizer on bytes.
type Tokenizer struct {
	From  []string `key:"from" required:"true" doc:"datasets to learn from"`
	Vocab int      `key:"vocab" required:"true" min:"1" doc:"size of the vocabulary, special tokens included"`
	Model string   `key:"model" default:"bpe" enum:"bpe,unigram" doc:"byte pairs joined by frequency, or likely pieces of words"`
}

// Curate rates and filters a dataset.
type Curate struct {
	From  Fields `key:"from" required:"true" doc:"dataset, curate or pairs stage, or several of them together"`
	Steps []Step `key:"steps" required:"true" doc:"what is done with each record, in order"`
}

// A Step of a curate stage is one of its fields: a mapping of one key in the file.
type Step struct {
	Dedup  *Dedup `key:"dedup" doc:"drop records whose normalised text was seen before"`
	Score  string `key:"score" doc:"rate documents with this plugin; its scores are named plugin.score afterwards"`
	Filter string `key:"filter" doc:"keep, drop or edit dialogues with this plugin"`
	Reward string `key:"reward" doc:"judge answers with this plugin: pairs get plugin.chosen, plugin.rejected and plugin.margin, dialogues plugin.reward of their last answer"`
	Keep   string `key:"keep" doc:"keep records for which this expression holds, such as: rater.quality >= 3 and rules.words >= 20"`

	Pos Position
}

// Dedup is exact deduplication.
type Dedup struct {
	Normalize *bool `key:"normalize" default:"true" doc:"compare without case, white space and punctuation"`
}

// Train updates a model.
type Train struct {
	Init      string `key:"init" required:"true" doc:"model or train stage whose weights are the start"`
	Tokenizer string `key:"tokenizer" path:"slash" doc:"tokenizer stage, or a directory with tokenizer.json; default: that of init, or the only tokenizer stage"`
	Objective string `key:"objective" required:"true" enum:"next_token,regression,classification,pairwise,dpo" doc:"what is learned"`
	Data      Mix    `key:"data" required:"true" doc:"a dataset, or mix and language"`
	Label     string `key:"label" default:"label" when:"objective=regression|classification" doc:"regression, classification: the score column that is the target"`
	Learn     string `key:"learn" default:"all" enum:"all,assistant,last" when:"objective=next_token" doc:"which tokens carry loss: all, those of assistant turns, or of a dialogue's last assistant turn alone, behind which it ends; for chat templates that rewrite earlier turns"`

	SequenceLen int    `key:"sequence_len" min:"1" doc:"tokens of a sequence; default: the model's context"`
	OverLength  string `key:"over_length" required:"true" enum:"cut,split,drop,error" doc:"what happens to a record that is longer than sequence_len"`
	Packing     *bool  `key:"packing" default:"true" when:"objective=next_token" doc:"put several records into one sequence, attention kept apart (next_token only)"`

	Tokens float64 `key:"tokens" above:"0" doc:"length of the stage in tokens"`
	Epochs float64 `key:"epochs" above:"0" doc:"length of the stage in passes over the data"`
	Steps  int     `key:"steps" min:"1" doc:"length of the stage in optimizer steps"`

	BatchSize      int     `key:"batch_size" required:"true" min:"1" doc:"sequences (pairs, records) of one optimizer step"`
	MicroBatchSize int     `key:"micro_batch_size" min:"1" doc:"sequences of one forward pass; default: batch_size; gradients accumulate under one normaliser"`
	LearningRate   float64 `key:"learning_rate" required:"true" above:"0" doc:"peak learning rate"`
	Scheduler      string  `key:"scheduler" default:"cosine" enum:"cosine,linear,constant,wsd" doc:"course of the learning rate after the warm-up"`
	WarmupRatio    float64 `key:"warmup_ratio" default:"0.05" min:"0" max:"1" doc:"share of the steps in which the rate rises from 0"`
	DecayRatio     float64 `key:"decay_ratio" default:"0.2" min:"0" max:"1" when:"scheduler=wsd" doc:"wsd: share of the steps in which the rate falls at the end"`
	MinRatio       float64 `key:"min_ratio" default:"0.1" min:"0" max:"1" when:"scheduler=cosine|linear|wsd" doc:"final share of the peak rate (cosine, linear, wsd)"`
	WeightDecay    float64 `key:"weight_decay" default:"0.1" min:"0" doc:"decoupled decay of matrices; norms, biases and embeddings have none"`
	Optimizer      string  `key:"optimizer" default:"adamw" enum:"adamw,adamw_bf16,adamw_8bit" doc:"what AdamW keeps its two moments of matrices in: 8 bytes a weight in float32, 4 in bfloat16, 2.03 in blocks of 8-bit codes; those of norms, biases and embeddings stay float32"`
	Beta1          float64 `key:"adam_beta1" default:"0.9" min:"0" below:"1" doc:"decay of the first moment"`
	Beta2          float64 `key:"adam_beta2" default:"0.95" min:"0" below:"1" doc:"decay of the second moment"`
	Epsilon        float64 `key:"adam_epsilon" default:"1e-8" above:"0" doc:"added to the root of the second moment"`
	MaxGradNorm    float64 `key:"max_grad_norm" default:"1" min:"0" doc:"global gradient norm that is clipped to; 0 is no clipping"`
	Beta           float64 `key:"beta" default:"0.1" above:"0" when:"objective=dpo" doc:"dpo: strength of the pull to the reference model"`

	SaveSteps int `key:"save_steps" default:"100" min:"1" doc:"steps between checkpoints"`
	SaveLimit int `key:"save_total_limit" default:"2" min:"1" doc:"checkpoints kept while training"`

	BF16 bool  `key:"bf16" doc:"matrix products in bfloat16 with sums in float32, and on a GPU what lies between them as well; weights, norms, softmax and optimizer stay float32. Slower where the processor has no such instructions; default: false"`
	LoRA *LoRA `key:"lora" doc:"train small matrices beside the weights, which stay as they are"`

	GradientCheckpointing bool `key:"gradient_checkpointing" results:"same" doc:"keep only what enters each block for the way back and compute the rest again: less memory, up to a third more work, the same bits; default: false"`
}

// LoRA declares the low-rank adapter of a train stage.
type LoRA struct {
	Rank    int     `key:"rank" default:"8" min:"1" doc:"rank of the products"`
	Alpha   float64 `key:"alpha" default:"16" above:"0" doc:"the products are scaled by alpha / rank"`
	Targets Fields  `key:"targets" default:"all-linear" doc:"last names of the matrices that get one, such as q_proj and v_proj; all-linear is all but heads and embeddings"`
	RSLoRA  bool    `key:"rslora" doc:"scale by alpha / sqrt(rank); default: false"`
	DoRA    bool    `key:"dora" doc:"train the norms of rows apart from their directions; default: false"`
	Base    string  `key:"base" default:"f32" enum:"f32,nf4" doc:"what the matrices of the blocks are held in: f32, or nf4, 4 bits and a little for scales (QLoRA). What the stage hands on has the values that nf4 holds"`
}

// A Mix is the data of a train stage: one dataset, or several in shares of tokens.
type Mix struct {
	Mix      map[string]float64 `key:"mix" required:"true" above:"0" doc:"datasets, curate or pairs stages and their shares of the tokens; name[score>=4] selects by score"`
	Language map[string]float64 `key:"language" above:"0" doc:"languages and their shares of the tokens"`
}

// Pairs makes preference pairs of a model's own answers.
type Pairs struct {
	Model       string  `key:"model" required:"true" doc:"language model that answers"`
	From        Fields  `key:"from" required:"true" doc:"dataset, curate or pairs stage whose questions, dialogues or pairs are asked again, or several"`
	Reward      string  `key:"reward" required:"true" doc:"reward plugin that ranks the answers; it knows the answer in the data as the reference"`
	N           int     `key:"n" default:"4" min:"2" doc:"answers to each prompt; best and worst become a pair"`
	Temperature float64 `key:"temperature" default:"1" above:"0" doc:"of sampling"`
	TopP        float64 `key:"top_p" default:"1" above:"0" max:"1" doc:"sample among the likeliest tokens of this mass"`
	Tokens      int     `key:"tokens" default:"128" min:"1" doc:"most tokens of an answer; prompts without room for them are dropped"`
	Margin      float64 `key:"margin" default:"0" min:"0" doc:"least difference of the rewards of best and worst; equal rewards never make a pair"`
	BatchSize   int     `key:"batch_size" default:"32" min:"1" results:"same" doc:"prompts that are answered together, after which progress is kept and a reward may be swapped"`
	BF16        bool    `key:"bf16" doc:"the model answers in bfloat16 on a GPU, in float32 on the processor all the same; default: false"`
}

// Evaluate measures models.
type Evaluate struct {
	Models      []string `key:"models" required:"true" doc:"models or train stages"`
	Perplexity  []string `key:"perplexity" doc:"datasets of held-out text"`
	Benchmarks  []string `key:"benchmarks" doc:"datasets of multiple-choice questions"`
	Shots       int      `key:"shots" min:"0" when:"benchmarks" doc:"solved examples before each question, taken from shots_from"`
	ShotsFrom   string   `key:"shots_from" when:"benchmarks" doc:"multiple-choice dataset the examples come from"`
	Scoring     string   `key:"scoring" default:"text" enum:"letter,text" when:"benchmarks" doc:"compare the likelihoods of the letters, or of the answer texts per byte"`
	Preferences []string `key:"preferences" doc:"datasets of preference pairs: share in which the chosen answer is likelier, or rewarded higher"`
	Reference   string   `key:"reference" when:"preferences" doc:"preferences: model against which the likelihoods are taken, as DPO does"`
	Ratings     []string `key:"ratings" doc:"rated datasets: Spearman correlation and mean absolute error of a rater model"`
	Label       string   `key:"label" default:"label" when:"ratings" doc:"ratings: the score column that is the truth"`
	Prompt      string   `key:"prompt" default:"auto" enum:"auto,text,chat" doc:"benchmarks: put questions as plain text or through the chat template; auto: chat for models trained on assistant turns"`
	Rewards     []string `key:"rewards" when:"benchmarks" doc:"reward plugins: mean reward of the models' own answers to the benchmarks"`
	BF16        bool     `key:"bf16" doc:"the models, and the reference, compute matrix products in bfloat16, as in a train stage; what they generate stays float32 on the processor. Default: false"`
}

// Export writes a model for others.
type Export struct {
	Model   string `key:"model" required:"true" doc:"train stage or model"`
	Format  string `key:"format" default:"safetensors" enum:"safetensors,gguf,adapter" doc:"a directory in Hugging Face layout, one file for llama.cpp, or the adapter of a train stage in PEFT layout"`
	OutType string `key:"outtype" default:"f32" enum:"f32,f16,bf16,q8_0,q4_k" when:"format=safetensors|gguf" doc:"what matrices are stored in; q8_0 and q4_k in gguf only, where vectors stay f32"`
	Shard   Bytes  `key:"shard_size" default:"5GiB" when:"format=safetensors" doc:"largest weight file"`
}
