"""Writes dynamic8.json: the maps of eight bits of bitsandbytes, and the weights that its AdamW8bit makes of 4,096 zeros in
20 steps. Run it in this folder; it needs bitsandbytes."""

import json

import torch
from bitsandbytes.functional import create_dynamic_map
from bitsandbytes.optim import AdamW8bit

COUNT, STEPS = 4096, 20


def gradient(step):
    """Numbers from -1 to 1, most of them small, as the test makes them too."""
    i = torch.arange(COUNT, dtype=torch.int64)
    return ((((i * 7919 + step * 104729) % 2003).double() / 1001 - 1) ** 3).float()


weights = torch.nn.Parameter(torch.zeros(COUNT))
optimizer = AdamW8bit([weights], lr=0.01, betas=(0.9, 0.95), eps=1e-8, weight_decay=0)
for step in range(1, STEPS + 1):
    weights.grad = gradient(step)
    optimizer.step()
assert optimizer.state[weights]["state1"].dtype == torch.uint8
with open("dynamic8.json", "w") as out:
    json.dump({
        "signed": create_dynamic_map(True).tolist(),
        "unsigned": create_dynamic_map(False).tolist(),
        "weights": [round(w, 7) for w in weights.tolist()[::16]],
    }, out)
    out.write("\n")
