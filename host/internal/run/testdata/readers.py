"""Loads exported models with readers that are not ours and continues prompts greedily.

    python readers.py DIR GGUF... < prompts.json

DIR is a model directory for transformers (with peft when it holds an adapter, BASE beside it), GGUF files are for
llama.cpp's binding and the gguf package. Prompts are a list of texts. Writes a line of JSON for each reader: its name and
version, for every prompt the token ids and the ids that it adds.
"""
import importlib.metadata
import json
import pathlib
import sys

STEPS = 12


def version(package):
    return f"{package} {importlib.metadata.version(package)}"


def answer(reader, rows):
    print(json.dumps({"reader": reader, "prompts": [r[0] for r in rows], "answers": [r[1] for r in rows]}), flush=True)


def transformers_reader(folder, prompts):
    import torch
    import transformers

    transformers.utils.logging.set_verbosity_error()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    adapter = (pathlib.Path(folder) / "adapter_config.json").exists()
    name = version("transformers")
    if adapter:
        import peft

        model = peft.AutoPeftModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        name = version("peft")
    else:
        model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    rows = []
    for text in prompts:
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
        with torch.no_grad():
            out = model.generate(input_ids=ids, max_new_tokens=STEPS, min_new_tokens=STEPS, do_sample=False)
        rows.append((ids[0].tolist(), out[0, ids.shape[1]:].tolist()))
    answer(name, rows)


def llama_reader(path, prompts):
    import llama_cpp

    llm = llama_cpp.Llama(model_path=path, n_ctx=128, verbose=False, logits_all=False, n_threads=2)
    rows = []
    for text in prompts:
        ids = llm.tokenize(text.encode(), add_bos=False, special=True)
        llm.reset()
        new = []
        llm.eval(ids)
        for _ in range(STEPS):
            token = llm.sample(temp=0.0, top_k=1)
            new.append(token)
            llm.eval([token])
        rows.append((ids, new))
    answer(version("llama_cpp_python"), rows)


def gguf_reader(path):
    import gguf

    reader = gguf.GGUFReader(path)
    total = 0
    for tensor in reader.tensors:
        total += gguf.quants.dequantize(tensor.data, tensor.tensor_type).size
    answer(f"{version('gguf')}: {len(reader.fields)} keys, {len(reader.tensors)} tensors, {total} values", [])


prompts = json.load(sys.stdin)
transformers_reader(sys.argv[1], prompts)
for file in sys.argv[2:]:
    gguf_reader(file)
    llama_reader(file, prompts)
