"""Hugging Face's tokenizers: train one of each kind on documents, and encode documents."""
import json
import os

os.environ["RAYON_NUM_THREADS"] = str(os.cpu_count())

import tokenizers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import peer

SPECIAL = ["<unk>", "<s>", "</s>"]


def kinds(vocab):
    options = {"vocab_size": vocab, "special_tokens": SPECIAL, "show_progress": False}
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    unigram = Tokenizer(models.Unigram())
    unigram.normalizer = normalizers.NFKC()
    unigram.pre_tokenizer, unigram.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    words = Tokenizer(models.WordPiece(unk_token="<unk>"))
    words.normalizer, words.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    words.decoder = decoders.WordPiece()
    return {
        "bpe": (bpe, trainers.BpeTrainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), min_frequency=2, **options)),
        "unigram": (unigram, trainers.UnigramTrainer(unk_token="<unk>", **options)),
        "wordpiece": (words, trainers.WordPieceTrainer(**options)),
    }


def texts(r):
    with open(r["documents"], encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def train(r):
    documents = texts(r)
    tok, trainer = kinds(r["n"])[r["form"]]

    def run():
        tok.train_from_iterator(documents, trainer)
        tok.save(r["file"])

    return run


def encode(r):
    """The fastest call, which leaves out where in the text a token is."""
    documents, tok = texts(r), Tokenizer.from_file(r["file"])

    def run():
        os.environ["TOKENIZERS_PARALLELISM"] = "true" if r.get("threads", 1) > 1 else "false"
        tok.encode_batch_fast(documents, add_special_tokens=False)

    return run


peer.serve({"train": train, "encode": encode}, f"Hugging Face tokenizers {tokenizers.__version__}")
