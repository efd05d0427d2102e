"""Loads exported models with readers that are not ours and continues prompts greedily.

    python readers.py PATH... < prompts.json

A PATH is a model directory for transformers (with peft when it holds an adapter that names its base) or a GGUF file for
llama.cpp's binding and the gguf package. Prompts are a list of texts. Writes a line of JSON for each reader of a path: for
every prompt the token ids, the log-probabilities of the whole vocabulary behind them and the ids that follow greedily; the
gguf package tells the SHA-256 of every tensor's values in float32.
"""
import hashlib
import json
import pathlib
import sys

import gguf
import llama_cpp
import numpy
import peft
import torch
import transformers

STEPS = 12

transformers.utils.logging.set_verbosity_error()
torch.set_num_threads(1)  # several wait for each other without end where others use the machine


def tell(reader, path, **what):
    print(json.dumps({"reader": reader, "path": path, **what}), flush=True)


def answers(reader, path, rows):
    tell(reader, path, answers=[dict(zip(("prompt", "chances", "answer"), r)) for r in rows])


def chances(logits):
    return torch.log_softmax(torch.as_tensor(logits, dtype=torch.float64), -1).tolist()


def with_transformers(folder, prompts):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    if (pathlib.Path(folder) / "adapter_config.json").exists():
        base = peft.PeftConfig.from_pretrained(folder).base_model_name_or_path
        model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        reader, model = "peft", peft.PeftModel.from_pretrained(model, folder)
    else:
        reader, model = "transformers", transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    rows = []
    for text in prompts:
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, -1]
            out = model.generate(input_ids=ids, max_new_tokens=STEPS, min_new_tokens=STEPS, do_sample=False)
        rows.append((ids[0].tolist(), chances(logits), out[0, ids.shape[1]:].tolist()))
    answers(reader, folder, rows)


def plain_params(defaults=llama_cpp.llama_cpp.llama_model_default_params):
    params = defaults()
    params.use_extra_bufts = False  # weights repacked for AMX crash it (0.3.36), those that it quantised itself too
    return params


def with_llama(path, prompts):
    llama_cpp.llama_cpp.llama_model_default_params = plain_params
    wide = llama_cpp.GGML_TYPE_F32  # of keys and values, else 16 bits
    llm = llama_cpp.Llama(
        model_path=path, n_ctx=128, verbose=False, logits_all=True, n_threads=1, n_threads_batch=1, type_k=wide, type_v=wide)
    rows = []
    for text in prompts:
        ids = llm.tokenize(text.encode(), add_bos=False, special=True)
        llm.reset()
        llm.eval(ids)
        first, new = chances(llm.scores[llm.n_tokens - 1]), []
        for _ in range(STEPS):
            new.append(int(numpy.argmax(llm.scores[llm.n_tokens - 1])))
            llm.eval([new[-1]])
        rows.append((ids, first, new))
    answers("llama.cpp", path, rows)


def with_gguf(path):
    digests = {}
    for tensor in gguf.GGUFReader(path).tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype("<f4")
        digests[tensor.name] = hashlib.sha256(values.tobytes()).hexdigest()
    tell("gguf", path, digests=digests)


prompts = json.load(sys.stdin)
for path in sys.argv[1:]:
    if pathlib.Path(path).is_dir():
        with_transformers(path, prompts)
    else:
        with_gguf(path)
        with_llama(path, prompts)
