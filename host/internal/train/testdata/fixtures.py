"""Writes the fixtures beside this script: what PyTorch computes for each objective on one small batch.

Needs Python 3.10+, torch, transformers 5 and safetensors (pip install torch transformers safetensors). From anywhere:

    python fixtures.py

lm, rater and classes are models with random weights: a language model, a head of one output, a head of three. Each
objective has a file OBJECTIVE.safetensors; all its numbers are float32, ids too:
  tokens, offsets     packed sequences; those of pairs are chosen, rejected, chosen, rejected
  targets, weights    next_token, dpo: the token to predict, -1 where it carries no loss; its share in the loss
  labels              regression, classification: one for each sequence
  reference           dpo: log-probability of each sequence under a model with other weights
  loss, hits          mean loss, and how many decisions are right
  grad.NAME           gradient of the loss with respect to each weight

The numbers are the same on every run with the same versions: all random numbers come from one seed.
"""

import pathlib
import shutil

import torch
from safetensors.torch import save_file
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification

HERE = pathlib.Path(__file__).parent
BETA = 0.3
SIZES = dict(
    vocab_size=24, hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2,
    num_key_value_heads=1, max_position_embeddings=16, pad_token_id=0, bos_token_id=1, eos_token_id=2,
)


def make(kind, seed, **sizes):
    """A model with weights large enough that no two tokens are alike."""
    generator = torch.Generator().manual_seed(seed)
    model = kind._from_config(LlamaConfig(**SIZES, **sizes), attn_implementation="eager").eval()
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        p.data = 1 + 0.2 * noise if "norm" in name else 0.4 * noise
    return model


def draw(seed, *lengths):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(3, SIZES["vocab_size"], (n,), generator=generator) for n in lengths]


def shifted(sequences, prompts):
    """Inputs, targets and their weights; targets within a sequence's prompt carry no loss."""
    generator = torch.Generator().manual_seed(9)
    inputs, targets = [s[:-1] for s in sequences], [s[1:].clone() for s in sequences]
    weights = [torch.rand(len(target), generator=generator) for target in targets]
    for target, weight, prompt in zip(targets, weights, prompts):
        target[: prompt - 1] = -1
        weight[: prompt - 1] = 0
    return inputs, targets, weights


def outputs(model, inputs):
    return torch.cat([model(tokens[None]).logits for tokens in inputs])


def log_probabilities(model, inputs, targets, weights):
    sums = []
    for tokens, target, weight in zip(inputs, targets, weights):
        all_log_p = model(tokens[None]).logits[0].log_softmax(-1)
        log_p = all_log_p.gather(1, target.clamp(min=0)[:, None])[:, 0]
        sums.append((weight * log_p).sum())
    return torch.stack(sums)


def next_token():
    inputs, targets, weights = shifted(draw(1, 7, 5, 9), [3, 1, 4])
    logits = torch.cat([MODELS["lm"](tokens[None]).logits[0] for tokens in inputs])
    targets, weights = torch.cat(targets), torch.cat(weights)
    losses = F.cross_entropy(logits, targets, ignore_index=-1, reduction="none")
    return "lm", inputs, (weights * losses).sum() / weights.sum(), dict(targets=targets, weights=weights)


def dpo():
    inputs, targets, weights = shifted(draw(2, 7, 9, 6, 5), [4, 4, 3, 3])
    policy = log_probabilities(MODELS["lm"], inputs, targets, weights)
    reference = log_probabilities(make(LlamaForCausalLM, 5), inputs, targets, weights).detach()
    margins = (policy[0::2] - policy[1::2]) - (reference[0::2] - reference[1::2])
    loss = -F.logsigmoid(BETA * margins).mean()
    more = dict(targets=torch.cat(targets), weights=torch.cat(weights), reference=reference, hits=(margins > 0).sum())
    return "lm", inputs, loss, more


def pairwise():
    inputs = draw(7, 7, 4, 3, 8)
    rewards = outputs(MODELS["rater"], inputs)[:, 0]
    margins = rewards[0::2] - rewards[1::2]
    return "rater", inputs, -F.logsigmoid(margins).mean(), dict(hits=(margins > 0).sum())


def regression():
    inputs, labels = draw(4, 4, 8, 5), torch.tensor([0.5, -2.0, 3.0])
    loss = F.mse_loss(outputs(MODELS["rater"], inputs)[:, 0], labels)
    return "rater", inputs, loss, dict(labels=labels)


def classification():
    inputs, labels = draw(5, 6, 3, 9, 4), torch.tensor([2, 0, 1, 2])
    logits = outputs(MODELS["classes"], inputs)
    hits = (logits.argmax(-1) == labels).sum()
    return "classes", inputs, F.cross_entropy(logits, labels), dict(labels=labels, hits=hits)


def write(objective):
    name, inputs, loss, more = objective()
    model = MODELS[name]
    model.zero_grad()
    loss.backward()
    lengths = torch.tensor([0] + [len(tokens) for tokens in inputs])
    tensors = dict(tokens=torch.cat(inputs), offsets=lengths.cumsum(0), loss=loss, hits=torch.tensor(0)) | more
    tensors |= {"grad." + n: p.grad for n, p in model.named_parameters()}
    tensors = {n: t.detach().float().reshape(t.shape or (1,)).contiguous() for n, t in tensors.items()}
    save_file(tensors, HERE / f"{objective.__name__}.safetensors")


MODELS = {
    "lm": make(LlamaForCausalLM, 1),
    "rater": make(LlamaForSequenceClassification, 2, num_labels=1),
    "classes": make(LlamaForSequenceClassification, 3, num_labels=3),
}

if __name__ == "__main__":
    for name, model in MODELS.items():
        shutil.rmtree(HERE / name, ignore_errors=True)
        model.save_pretrained(HERE / name)
        (HERE / name / "generation_config.json").unlink(missing_ok=True)
    for objective in (next_token, dpo, pairwise, regression, classification):
        write(objective)
