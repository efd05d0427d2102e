"""Writes pairs.json: what the encoders of the fixtures beside this script answer to pairs of texts, whose tokens are of two types.

    python make_pairs.py

Needs torch and transformers 5, as make_fixtures.py does.
"""

import json
import pathlib

import torch
from transformers import AutoModelForSequenceClassification

HERE = pathlib.Path(__file__).parent
PAIRS = [([5, 9, 31, 7, 6, 22, 41], [0, 0, 0, 0, 1, 1, 1]), ([12, 8, 3], [0, 1, 1])]

made = {}
for name in ["bert", "xlm-roberta"]:
    model = AutoModelForSequenceClassification.from_pretrained(HERE / name).eval()
    rows = []
    for tokens, types in PAIRS:
        types = [min(t, model.config.type_vocab_size - 1) for t in types]
        with torch.no_grad():
            out = model(torch.tensor([tokens]), token_type_ids=torch.tensor([types])).logits[0]
        rows.append({"tokens": tokens, "types": types, "outputs": out.tolist()})
    made[name] = rows
(HERE / "pairs.json").write_text(json.dumps(made, indent=1) + "\n", newline="\n")
