"""Writes the fixtures beside this script: tiny models with random weights, and what transformers computes with them.

Needs Python 3.10+, torch, transformers 5 and safetensors (pip install torch transformers safetensors); made with torch
2.15, transformers 5.24 and safetensors 0.8. From anywhere, all cases or those that are named:

    python make_fixtures.py [CASE...]

Each case is a folder: config.json and safetensors as save_pretrained writes them, and expected.safetensors with
  tokens, offsets     two packed sequences
  hidden              last hidden state, [tokens, width]
  logits              language models: [tokens, vocab]
  nll, weights        language models: -log p of the next token within each sequence (0 for the last), and weights
  outputs, weights    classification heads: [sequences, labels], and weights
  grad.NAME           gradient of the loss sum(weights * nll or outputs) with respect to each weight
  answers             language models: tokens that greedy generation adds to each sequence, [sequences, n]
A case of another type than float32 is written in that type, and computed in float32 with the weights as written.
rope.json has the inverse frequencies of the rotary scalings, at sizes of real models.

The numbers are the same on every run with the same versions: all random numbers come from one seed.
"""

import copy
import json
import pathlib
import shutil
import sys

import torch
from safetensors.torch import save_file
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma2ForSequenceClassification,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    Gemma3TextForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    MistralConfig,
    MistralForCausalLM,
    MistralForSequenceClassification,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2ForSequenceClassification,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3ForSequenceClassification,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

HERE = pathlib.Path(__file__).parent
LENGTHS = [7, 5]
ANSWER = 12

SIZES = dict(vocab_size=48, hidden_size=16, intermediate_size=28, num_hidden_layers=2, num_attention_heads=4)
DECODER = dict(SIZES, num_key_value_heads=2, max_position_embeddings=32, pad_token_id=0, bos_token_id=1, eos_token_id=2)
LLAMA3 = dict(
    rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16
)
YARN = dict(rope_type="yarn", factor=2.0, original_max_position_embeddings=16)

CASES = {
    "llama-tied": (LlamaForCausalLM, LlamaConfig(**DECODER, tie_word_embeddings=True)),
    "llama-untied": (
        LlamaForCausalLM,
        LlamaConfig(**DECODER, head_dim=8, attention_bias=True, mlp_bias=True, rope_scaling=LLAMA3, rope_theta=100.0),
    ),
    "llama-reward": (
        LlamaForSequenceClassification,
        LlamaConfig(**DECODER, num_labels=1, rope_scaling=YARN, rope_theta=500.0),
    ),
    "mistral": (MistralForCausalLM, MistralConfig(**DECODER, sliding_window=4, head_dim=6)),
    "mistral-reward": (
        MistralForSequenceClassification,
        MistralConfig(**DECODER, sliding_window=None, num_labels=1, problem_type="regression"),
    ),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**DECODER, tie_word_embeddings=True)),
    "qwen2-window": (
        Qwen2ForCausalLM,
        Qwen2Config(**DECODER, use_sliding_window=True, sliding_window=3, max_window_layers=1, rope_theta=100.0),
    ),
    "qwen2-reward": (Qwen2ForSequenceClassification, Qwen2Config(**DECODER, num_labels=1)),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**DECODER, head_dim=8, tie_word_embeddings=True)),
    "qwen3-window": (
        Qwen3ForCausalLM,
        Qwen3Config(**DECODER, head_dim=6, attention_bias=True, use_sliding_window=True, sliding_window=4,
                    layer_types=["sliding_attention", "full_attention"]),
    ),
    "qwen3-classes": (Qwen3ForSequenceClassification, Qwen3Config(**DECODER, head_dim=8, num_labels=3)),
    "gemma2": (
        Gemma2ForCausalLM,
        Gemma2Config(**DECODER, head_dim=6, query_pre_attn_scalar=4, sliding_window=4, attn_logit_softcapping=2.0,
                     final_logit_softcapping=1.5),
    ),
    "gemma2-reward": (
        Gemma2ForSequenceClassification,
        Gemma2Config(**DECODER, head_dim=8, sliding_window=3, attn_logit_softcapping=None, num_labels=1),
    ),
    "gemma3": (
        Gemma3ForCausalLM,
        Gemma3TextConfig(**DECODER, head_dim=6, query_pre_attn_scalar=9, sliding_window=4,
                         layer_types=["sliding_attention", "full_attention"],
                         rope_parameters=dict(full_attention=dict(rope_type="linear", factor=4.0, rope_theta=500.0),
                                              sliding_attention=dict(rope_type="default", rope_theta=50.0))),
    ),
    "gemma3-classes": (
        Gemma3TextForSequenceClassification,
        Gemma3TextConfig(**DECODER, head_dim=8, sliding_window=3, attention_bias=True, num_labels=3),
    ),
    "bert": (BertForSequenceClassification, BertConfig(**SIZES, max_position_embeddings=16, num_labels=3)),
    "xlm-roberta": (
        XLMRobertaForSequenceClassification,
        XLMRobertaConfig(**SIZES, max_position_embeddings=16, type_vocab_size=1, num_labels=1),
    ),
}

# How weights are stored that are not float32 in one file.
STORED = {"qwen2": (torch.bfloat16, "8KB"), "mistral-reward": (torch.float16, "1GB")}


def randomise(model, generator):
    """Replaces the initial weights by larger ones, so that attention is not flat and no bias is zero."""
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        norm = p.dim() == 1 and "norm" in name.lower() and name.endswith("weight")
        p.data = 1 + 0.2 * noise if norm else 0.25 * noise


def gradients(model):
    for name, p in model.named_parameters():
        if p.grad is not None:
            yield "grad." + name, p.grad


def language_model(model, sequences, generator):
    hidden, logits, nll, answers = [], [], [], []
    for tokens in sequences:
        out = model(tokens[None], output_hidden_states=True)
        hidden.append(out.hidden_states[-1][0])
        logits.append(out.logits[0])
        losses = torch.nn.functional.cross_entropy(out.logits[0, :-1], tokens[1:], reduction="none")
        nll += [losses, torch.zeros(1)]
        made = model.generate(tokens[None], do_sample=False, max_new_tokens=ANSWER, eos_token_id=None)
        answers.append(made[0, len(tokens):])
    nll = torch.cat(nll)
    weights = torch.randn(nll.shape, generator=generator)
    (weights * nll).sum().backward()
    return dict(hidden=torch.cat(hidden), logits=torch.cat(logits), nll=nll, weights=weights,
                answers=torch.stack(answers).int())


def classifier(model, sequences, generator):
    base = getattr(model, model.base_model_prefix)
    hidden = [base(tokens[None]).last_hidden_state[0] for tokens in sequences]
    outputs = torch.cat([model(tokens[None]).logits for tokens in sequences])
    weights = torch.randn(outputs.shape, generator=generator)
    (weights * outputs).sum().backward()
    return dict(hidden=torch.cat(hidden), outputs=outputs, weights=weights)


def write_case(name, make, config):
    generator = torch.Generator().manual_seed(7)
    model = make._from_config(config, attn_implementation="eager").eval()
    randomise(model, generator)
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    dtype, shard = STORED.get(name, (torch.float32, "1GB"))
    for p in model.parameters():
        p.data = p.data.to(dtype).float()
    copy.deepcopy(model).to(dtype).save_pretrained(folder, max_shard_size=shard)
    (folder / "generation_config.json").unlink(missing_ok=True)
    sequences = [torch.randint(3, config.vocab_size, (n,), generator=generator) for n in LENGTHS]
    run = language_model if make.__name__.endswith("ForCausalLM") else classifier
    expected = run(model, sequences, generator)
    expected |= dict(tokens=torch.cat(sequences).int(), offsets=torch.tensor([0, LENGTHS[0], sum(LENGTHS)]).int())
    expected |= dict(gradients(model))
    save_file({k: v.detach().contiguous() for k, v in expected.items()}, folder / "expected.safetensors")


def rope_cases():
    """Yields name, config.json's keys, length of the sequence, and what transformers computes."""
    size = dict(hidden_size=256, num_attention_heads=4, max_position_embeddings=4096, rope_theta=10000.0)
    llama3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                  original_max_position_embeddings=8192)
    yarn = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=1024)
    for name, length, scaling, other in [
        ("default", 1, None, {}),
        ("linear", 1, dict(rope_type="linear", factor=4.0), {}),
        ("dynamic, short", 100, dict(rope_type="dynamic", factor=2.0), {}),
        ("dynamic, long", 6000, dict(rope_type="dynamic", factor=2.0), {}),
        ("llama3", 1, llama3, dict(max_position_embeddings=131072, rope_theta=500000.0)),
        ("yarn", 1, yarn, {}),
        ("yarn with all keys", 1, dict(yarn, beta_fast=16.0, beta_slow=2.0, mscale=0.7, mscale_all_dim=1.1,
                                       truncate=False), {}),
        ("yarn with attention factor", 1, dict(yarn, attention_factor=1.5), {}),
    ]:
        keys = dict(size, **other) | (dict(rope_scaling=scaling) if scaling else {})
        config = LlamaConfig(**json.loads(json.dumps(keys)))
        make = LlamaRotaryEmbedding.compute_default_rope_parameters
        if scaling:
            make = ROPE_INIT_FUNCTIONS[scaling["rope_type"]]
        inverse, factor = make(config, seq_len=length)
        yield dict(name=name, config=dict(keys, model_type="llama"), length=length,
                   inverse=inverse.double().tolist(), factor=float(factor))


def main():
    for name in sys.argv[1:] or CASES:
        write_case(name, *CASES[name])
    (HERE / "rope.json").write_text(json.dumps(list(rope_cases()), indent=1) + "\n")


if __name__ == "__main__":
    main()
