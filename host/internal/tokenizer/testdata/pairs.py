"""Writes pairs.json: what tokenizers makes of two texts by each post-processor. Needs tokenizers (pip install tokenizers).

    python pairs.py
"""

import json
import os

from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = ["[UNK]", "[CLS]", "[SEP]", "what", "pumps", "blood", "the", "heart"]
TEMPLATES = [
    ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"),
    ("[CLS] $A", "[CLS] $B:1 $A:0"),
    ("$A [SEP]", "[CLS] $A [SEP] [CLS] $B [SEP]"),
]
names = [("[CLS]", 1), ("[SEP]", 2)]
rows = []
for processor in [
    processors.BertProcessing(names[1], names[0]),
    processors.RobertaProcessing(names[1], names[0]),
    *(processors.TemplateProcessing(single=s, pair=p, special_tokens=names) for s, p in TEMPLATES),
    processors.Sequence([
        processors.ByteLevel(),
        processors.TemplateProcessing(single=TEMPLATES[0][0], pair=TEMPLATES[0][1], special_tokens=names),
    ]),
]:
    tokenizer = Tokenizer(models.WordPiece({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processor
    made = tokenizer.encode("what pumps blood", "the heart")
    rows.append({"tokenizer": json.loads(tokenizer.to_str()), "ids": made.ids, "types": made.type_ids})
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pairs.json"), "w", newline="\n") as f:
    f.write("[\n" + ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows) + "\n]\n")
