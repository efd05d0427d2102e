"""Writes the fixtures of adapters beside this script: what PEFT trains beside the models of make_fixtures.py.

Needs what that script needs, peft and bitsandbytes; made with peft 0.21.2, bitsandbytes 0.50.2, transformers 5.24 and
torch 2.15.

    python make_adapters.py

Each case is a folder adapter-*: adapter_config.json and adapter_model.safetensors as save_pretrained writes them after
STEPS steps of AdamW, and expected.safetensors with
  start.NAME   the adapter's tensors before the first step
  tokens       the batch of each step, [STEPS, 2, 9]
  losses       mean of -log p of the next token (or of the outputs squared) at each step
  logits       what the adapted model gives for the first batch in the end, [2*9, vocab] or [2, labels]
  held.NAME    in cases of a base in NF4: what bitsandbytes holds the matrices of the blocks as, and PEFT trained beside

nf4.safetensors has what bitsandbytes holds numbers of a formula as.
"""

import pathlib
import shutil

import bitsandbytes.functional as bnb
import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

HERE = pathlib.Path(__file__).parent
STEPS, ROWS, LENGTH = 20, 2, 9
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

CASES = {
    "adapter-some": ("llama-untied", LoraConfig(r=3, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM")),
    "adapter-rslora": ("qwen2", LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", use_rslora=True, task_type="CAUSAL_LM")),
    "adapter-dora": ("llama-untied", LoraConfig(r=2, lora_alpha=4, target_modules=ALL[1:], use_dora=True, task_type="CAUSAL_LM")),
    "adapter-reward": ("llama-reward", LoraConfig(r=2, lora_alpha=2, target_modules=["q_proj"], task_type="SEQ_CLS")),
    "adapter-nf4": ("llama-untied", LoraConfig(r=3, lora_alpha=6, target_modules="all-linear", task_type="CAUSAL_LM")),
    "adapter-nf4-dora": ("qwen2", LoraConfig(r=2, lora_alpha=4, target_modules=ALL[:5], use_dora=True, task_type="CAUSAL_LM")),
}


def through_nf4(weights):
    """What bitsandbytes holds weights as. As a vector: its kernel for CPUs starts a block anew in each row of a matrix, though
    the weights were packed in blocks across rows."""
    packed, state = bnb.quantize_4bit(weights.reshape(-1), blocksize=64, quant_type="nf4", compress_statistics=True)
    return bnb.dequantize_4bit(packed, state).reshape(weights.shape)


def hold_in_nf4(model):
    held = {}
    for name, module in model.model.layers.named_modules(prefix="model.layers"):
        if isinstance(module, torch.nn.Linear):
            module.weight.data = through_nf4(module.weight.data)
            held[f"held.{name}.weight"] = module.weight.data.clone().contiguous()
    return held


def write_numbers():
    """Enough numbers for two groups of scales."""
    h = torch.arange(64 * 300 - 10, dtype=torch.int64) * 2654435761 % 2**32
    x = h.double() / 2**32 - 0.5
    save_file({"held": through_nf4((x * x * x * 8).float())}, HERE / "nf4.safetensors")


def loss(model, ids, classes):
    if classes:
        # transformers reads a sequence's last token that is not padding
        return model(input_ids=ids).logits.square().mean()
    logits = model(input_ids=ids).logits[:, :-1]
    return torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))


def write(name, base, config):
    torch.manual_seed(3)
    classes = config.task_type == "SEQ_CLS"
    auto = AutoModelForSequenceClassification if classes else AutoModelForCausalLM
    model = auto.from_pretrained(HERE / base, dtype=torch.float32)
    held = hold_in_nf4(model) if name.startswith("adapter-nf4") else {}
    model = get_peft_model(model, config)
    for key, value in model.named_parameters():
        if value.requires_grad and "lora_A" in key:
            value.data.mul_(4)
    expected = {"start." + k: v.clone().contiguous() for k, v in get_peft_model_state_dict(model).items()}
    vocab = model.config.vocab_size
    tokens = torch.randint(3, vocab, (STEPS, ROWS, LENGTH))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=0.01, betas=(0.9, 0.95), eps=1e-8, weight_decay=0)
    losses = []
    for ids in tokens:
        optimizer.zero_grad()
        value = loss(model, ids, classes)
        value.backward()
        optimizer.step()
        losses.append(value.item())
    with torch.no_grad():
        logits = model(input_ids=tokens[0]).logits
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    model.peft_config["default"].base_model_name_or_path = "../" + base
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    expected |= held | {
        "tokens": tokens.int().contiguous(), "losses": torch.tensor(losses),
        "logits": logits.reshape(-1, logits.shape[-1]).contiguous(),
    }
    save_file(expected, folder / "expected.safetensors")
    print(name, losses[0], losses[-1])


write_numbers()
for case, (base, config) in CASES.items():
    write(case, base, config)
