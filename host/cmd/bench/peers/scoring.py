"""transformers on the CPU: the scores of documents by an XLM-RoBERTa with a classification head."""
import json

import torch
import transformers
from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

import peer

PAD = 1
models = {}


def model(r):
    """The settings of one shape share their random weights."""
    if r["dtype"] not in models:
        config = XLMRobertaConfig(
            vocab_size=r["vocab"], hidden_size=r["width"], num_hidden_layers=r["layers"], num_attention_heads=r["heads"],
            intermediate_size=r["inner"], max_position_embeddings=r["length"] + 2, type_vocab_size=1, pad_token_id=PAD,
            num_labels=1, layer_norm_eps=1e-5, attn_implementation="sdpa")
        made = XLMRobertaForSequenceClassification(config).eval()
        models[r["dtype"]] = made.to(torch.bfloat16) if r["dtype"] == "bf16" else made
    return models[r["dtype"]]


def batches(r):
    """The documents, the longest first, so many together, padded to the longest of them."""
    with open(r["documents"], encoding="utf-8") as lines:
        documents = sorted((json.loads(line)["ids"] for line in lines), key=len, reverse=True)
    for i in range(0, len(documents), r["batch"]):
        some = documents[i:i + r["batch"]]
        ids = torch.full((len(some), len(some[0])), PAD)
        for row, document in zip(ids, some):
            row[:len(document)] = torch.tensor(document)
        yield {"input_ids": ids, "attention_mask": (ids != PAD).long()}


def score(r):
    torch.set_num_threads(r["threads"])
    scorer, inputs = model(r), list(batches(r))

    def run():
        with torch.inference_mode():
            return [scorer(**x).logits for x in inputs]

    return run


peer.serve({"score": score}, f"transformers {transformers.__version__} with PyTorch {torch.__version__}")
