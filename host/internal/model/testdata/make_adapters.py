"""Writes the fixtures of adapters beside this script: what PEFT trains beside the models of make_fixtures.py.

Needs what that script needs, and peft; made with peft 0.21.2, transformers 5.24 and torch 2.15.

    python make_adapters.py

Each case is a folder adapter-*: adapter_config.json and adapter_model.safetensors as save_pretrained writes them after
STEPS steps of AdamW, and expected.safetensors with
  start.NAME   the adapter's tensors before the first step
  tokens       the batch of each step, [STEPS, 2, 9]
  losses       mean of -log p of the next token (or of the outputs squared) at each step
  logits       what the adapted model gives for the first batch in the end, [2*9, vocab] or [2, labels]
"""

import pathlib
import shutil

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
}


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
    model = get_peft_model(auto.from_pretrained(HERE / base, dtype=torch.float32), config)
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
    expected |= {
        "tokens": tokens.int().contiguous(), "losses": torch.tensor(losses),
        "logits": logits.reshape(-1, logits.shape[-1]).contiguous(),
    }
    save_file(expected, folder / "expected.safetensors")
    print(name, losses[0], losses[-1])


for case, (base, config) in CASES.items():
    write(case, base, config)
