"""Writes the fixtures of this folder: safetensors files by the Python library, and the values in them.

    python fixtures.py

Needs safetensors and torch. Reads, for its own check, what this package writes.
"""

import json
import os
import subprocess
import tempfile

import torch
from safetensors import safe_open
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(7)

tensors = {
    "embed.weight": torch.randn(5, 3),
    "half": torch.randn(2, 2, 2).to(torch.float16),
    "brain": torch.randn(7).to(torch.bfloat16),
    "scalar": torch.tensor(-1.5),
    "empty": torch.zeros(0, 4),
    "extremes": torch.tensor([0.0, -0.0, 65504.0, 6e-8, float("inf"), float("-inf")], dtype=torch.float16),
    "position_ids": torch.arange(4).reshape(1, 4),
    'odd "name"/<ä>': torch.ones(1, 1),
}
save_file(tensors, os.path.join(HERE, "python.safetensors"), metadata={"format": "pt", "by": "python"})
values = {
    name: {"shape": list(t.shape), "dtype": str(t.dtype).removeprefix("torch."),
           "bits": t.float().view(torch.int32).flatten().tolist() if t.is_floating_point() else None}
    for name, t in tensors.items()
}
with open(os.path.join(HERE, "python.json"), "w") as f:
    json.dump(values, f, indent=1, sort_keys=True)
    f.write("\n")

with tempfile.TemporaryDirectory() as d:
    subprocess.run(["go", "test", "-count=1", "-run", "^TestTensorsSurviveWritingAndReading$", ".", "-args", "-save", d],
                   cwd=os.path.dirname(HERE), check=True)
    with open(os.path.join(d, "expected.json")) as f:
        expected = json.load(f)
    with open(os.path.join(d, "sharded.safetensors.index.json")) as f:
        index = json.load(f)
    assert index["metadata"]["total_size"] == sum(4 * len(t["Data"]) for t in expected)
    for t in expected:
        for file in ("single.safetensors", index["weight_map"][t["Name"]]):
            with safe_open(os.path.join(d, file), "pt") as f:
                assert f.metadata() == {"format": "pt", "step": "12"}, f.metadata()
                got = f.get_tensor(t["Name"])
                assert list(got.shape) == t["Shape"] and torch.equal(got.flatten(), torch.tensor(t["Data"])), t["Name"]
