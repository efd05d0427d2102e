"""Writes chats.json: what transformers makes of dialogues by templates that are not this package's own.

    python chats.py

Needs transformers 5.24.0 and jinja2 3.1.6, and go for the tokenizer that this package trains.
"""

import json
import os
import subprocess
import tempfile

from transformers import AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
TEMPLATES = os.path.join(HERE, "..", "..", "jinja", "testdata", "templates")


def say(*turns):
    return [{"role": r, "content": c} for r, c in zip(turns[::2], turns[1::2])]


DIALOGUES = [
    say("user", "Hello"),
    say("user", "What is a fever?", "assistant", "A temperature above 38 degrees."),
    say("system", "Be brief.", "user", "发烧怎么办？\n", "assistant", "多喝水，\n注意休息。", "user", "谢谢", "assistant", "不客气。😀"),
    say("user", "x", "assistant", "\n\n starts and ends with space \n"),
    say("user", "a<|im_end|>b", "assistant", ""),
]
TOOLS = [{"type": "function", "function": {
    "name": "dose", "description": "How much < of a drug", "parameters": {"type": "object", "properties": {"weight": {"type": "number"}}}}}]
CALLS = [
    {"role": "user", "content": "How much?"},
    {"role": "assistant", "content": "", "tool_calls": [
        {"type": "function", "function": {"name": "dose", "arguments": {"weight": 70.0, "drug": "氨", "again": [1, None]}}}]},
    {"role": "tool", "content": "5 mg"},
    {"role": "assistant", "content": "5 mg."},
]


def main():
    rows = []
    with tempfile.TemporaryDirectory() as d:
        subprocess.run(["go", "test", "-count=1", "-run", "^TestTrainedTokenizerSurvivesSaveAndLoad$", ".", "-args", "-save", d],
                       cwd=os.path.dirname(HERE), check=True)
        tok = AutoTokenizer.from_pretrained(d)
    for name in ("chatml", "alternating"):
        with open(os.path.join(TEMPLATES, name + ".jinja"), newline="") as f:
            tok.chat_template = f.read()
        for turns, tools in [(d, None) for d in DIALOGUES] + ([(CALLS, TOOLS)] if name == "chatml" else []):
            for generate in (False, True):
                out = tok.apply_chat_template(
                    turns, tools=tools, add_generation_prompt=generate, return_dict=True, return_assistant_tokens_mask=True)
                rows.append({"template": name, "turns": turns, "tools": tools, "generate": generate,
                             "ids": out["input_ids"], "mask": out["assistant_masks"]})
    with open(os.path.join(HERE, "chats.json"), "w") as f:
        json.dump(rows, f, separators=(",", ":"))
        f.write("\n")


main()
