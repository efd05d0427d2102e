"""Writes sentences/: a small random encoder as sentence-transformers saves it, which takes the first token and makes it of length 1,
and what it makes of some texts.

    python make_sentences.py

Needs torch, transformers 5 and sentence-transformers 6.
"""

import json
import pathlib
import shutil
import tempfile

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

HERE = pathlib.Path(__file__).parent / "sentences"
WORDS = ["<s>", "<pad>", "</s>", "<unk>", "the", "patient", "has", "fever", "and", "a", "cough", "water", "rest"]
TEXTS = ["the patient has fever", "water", "rest and water and rest and a cough", "unknown words"]

torch.manual_seed(1)
words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
words.pre_tokenizer = pre_tokenizers.Whitespace()
words.post_processor = processors.TemplateProcessing(
    single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>",
                                    pad_token="<pad>", unk_token="<unk>", model_max_length=30)
config = XLMRobertaConfig(vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
                          max_position_embeddings=32, type_vocab_size=1, initializer_range=0.3)
shutil.rmtree(HERE, ignore_errors=True)
with tempfile.TemporaryDirectory() as base:
    XLMRobertaModel(config).eval().save_pretrained(base)
    tokenizer.save_pretrained(base)
    encoder = Transformer(base)
    whole = SentenceTransformer(modules=[encoder, Pooling(16, pooling_mode="cls"), Normalize()], device="cpu")
    whole.save(str(HERE), create_model_card=False)
expected = {"texts": TEXTS, "embeddings": whole.encode(TEXTS).tolist()}
(HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", newline="\n")
