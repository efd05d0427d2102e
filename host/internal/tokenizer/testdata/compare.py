"""Compares this package with the libraries that tokenizers were made for, on the tokenizers and texts of a data pack.

    python compare.py DATA OUT        # DATA holds tokenizers/ and folders of texts; OUT is made

It writes to OUT, for each tokenizer, a directory as users have it and what the library makes of all texts, and lets the
Go test TestTokenizersOfADataPackAgree compare. Needs tokenizers, transformers, sentencepiece, tiktoken and go.
"""

import csv
import json
import os
import random
import shutil
import subprocess
import sys

import numpy
import sentencepiece
import tiktoken
import tiktoken.load
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer, convert_slow_tokenizer

DATA, OUT = sys.argv[1:]
HERE = os.path.dirname(os.path.abspath(__file__))
TOKENIZERS = os.path.join(DATA, "tokenizers")
DOCUMENTS, FUZZED = 5000, 1500
rng = random.Random(11)


def strings(value):
    """All texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for v in value.values() if isinstance(value, dict) else value:
            yield from strings(v)


def chunks(text):
    at = 0
    while at < len(text):
        n = rng.choice([30, 200, 700, 2000, 6000])
        yield text[at : at + n]
        at += n


def texts_of(path):
    with open(path, encoding="utf-8", errors="replace", newline="") as f:
        raw = f.read(3 << 20)
    try:
        if path.endswith(".json"):
            return [s for s in strings(json.loads(raw)) if len(s) > 20]
        if path.endswith(".jsonl"):
            return [s for line in raw.splitlines() for s in strings(json.loads(line)) if len(s) > 20]
        if path.endswith(".csv"):
            return [s for row in csv.reader(raw.splitlines(True)) for s in row if len(s) > 20]
    except ValueError:
        pass  # cut off: as text
    return list(chunks(raw))


def documents():
    """Documents of all folders alike: medical, general, dialogue, noise, in English and Chinese; and code."""
    folders = [os.path.join(DATA, d) for d in sorted(os.listdir(DATA)) if d != "tokenizers"]
    folders.append(os.path.join(HERE, "..", "..", "..", "internal"))
    piles = []
    for folder in folders:
        files = [os.path.join(d, f) for d, _, names in os.walk(folder) for f in sorted(names)
                 if f.endswith((".json", ".jsonl", ".csv", ".txt", ".xml", ".nxml", ".cnxml", ".go", ".py"))]
        rng.shuffle(files)
        pile = [t for f in files[:40] for t in texts_of(f)]
        rng.shuffle(pile)
        piles.append(pile)
    out = []
    while len(out) < DOCUMENTS:
        for pile in piles:
            if pile:
                out.append(pile.pop().encode("utf-8", "replace").decode()[:20000])
    return out[:DOCUMENTS]


def fuzzed():
    pool = list("  \n\n\r\t'''sStTmMdDrReEvVlL019.,!?-_<>|/\\\"()[]{}") + list("aZéßſж中文医五½٣ﬁ１Ａ①㍿") + [
        "\u0301", "\u0323", "\u0345", "\u200d", "\u200b", "\u3000", "\u00a0", "\u2028", "\u0085", "\u00ad", "\u2581", "\ufffd",
        "\x00", "\x01", "\x7f", "\U0001f600", "\U0001f468\u200d\U0001f469", "\uac00", "\u1161", "\u11a8", "İ", "Σ", "ς", "K", "\ufeff",
        "<s>", "</s>", "<unk>", "[MASK]", "[UNK]", "[SEP]", "<|endoftext|>", "<|im_start|>", "<tool_call>", "<0x0A>", "##ing", "##", "``", "''"]
    wide = lambda: chr(rng.choice([rng.randrange(0x20, 0x250), rng.randrange(0x300, 0x3000), rng.randrange(0x3000, 0xD800), rng.randrange(0xE000, 0x110000)]))
    out = []
    for i in range(FUZZED):
        if i % 3 == 0:
            out.append("".join(rng.choices(pool, k=rng.randint(1, 60))))
        elif i % 3 == 1:
            out.append("".join(wide() for _ in range(rng.randint(1, 40))))
        else:
            out.append("".join(rng.choice([wide(), rng.choice(pool), rng.choice(pool)]) for _ in range(rng.randint(1, 80))))
    return out


def write(path, value):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f)


def tokens(path, rows):
    """Writes rows of ids: the length of each, then the ids."""
    numpy.array([x for row in rows for x in (len(row), *row)], dtype="<i4").tofile(path)


class Pack:
    def __init__(self, texts):
        self.texts, self.names = texts, []

    def add(self, name, files, oracle, encode, decode, every=None):
        """files: name in the directory -> path or content. encode gives the ids of a plain text; every recognises
        special tokens in it."""
        print(name, "by", oracle, flush=True)
        folder = os.path.join(OUT, name)
        os.makedirs(folder)
        for file, source in files.items():
            if os.path.exists(source):
                shutil.copyfile(source, os.path.join(folder, file))
            else:
                with open(os.path.join(folder, file), "w", encoding="utf-8") as f:
                    f.write(source)
        rows = [encode(t) for t in self.texts]
        tokens(os.path.join(folder, "expected.ids"), rows)
        write(os.path.join(folder, "expected.texts"), [decode(r) for r in rows])
        if every:
            tokens(os.path.join(folder, "expected.all"), [every(t) for t in self.texts])
        self.names.append([name, oracle])

    def fast(self, name, files, tok):
        """A tokenizer of the tokenizers library."""
        tok.no_padding()
        tok.no_truncation()

        def encode(text, special):
            tok.encode_special_tokens = not special
            return tok.encode(text, add_special_tokens=False).ids

        self.add(name, files, "tokenizers", lambda t: encode(t, False), lambda ids: tok.decode(ids), lambda t: encode(t, True))

    def converted(self, name, tok):
        self.fast(name, {"tokenizer.json": tok.to_str()}, tok)

    def directory(self, name, files):
        """A directory that transformers reads."""
        folder = os.path.join(OUT, "source-" + name)
        os.makedirs(folder)
        for file, source in files.items():
            if os.path.exists(source):
                shutil.copyfile(source, os.path.join(folder, file))
            else:
                with open(os.path.join(folder, file), "w") as f:
                    f.write(source)
        self.fast(name, files, AutoTokenizer.from_pretrained(folder).backend_tokenizer)


def sentencepieces(pack, name, path):
    sp = sentencepiece.SentencePieceProcessor(model_file=path)
    pack.add(name, {"spiece.model": path}, "sentencepiece", sp.encode, sp.decode)
    proto = sentencepiece_model_pb2.ModelProto()
    with open(path, "rb") as f:
        proto.ParseFromString(f.read())
    pieces = [(p.piece, p.score) for p in proto.pieces]
    tok = convert_slow_tokenizer.SpmConverter.build_tokenizer_from_spm_proto(proto, pieces)
    tok.add_special_tokens([p.piece for p in proto.pieces if p.type == 3])
    pack.converted(name + ".json", tok)


def trained_sentencepieces(pack, texts):
    """Small models of kinds that the pack lacks."""
    corpus = os.path.join(OUT, "corpus.txt")
    with open(corpus, "w", encoding="utf-8") as f:
        f.writelines(t.replace("\n", " ").replace("\x00", "")[:3000] + "\n" for t in texts[:1500])
    for name, options in {
        "spm_bpe_bytes": {"model_type": "bpe", "byte_fallback": True, "user_defined_symbols": ["<tool>", "医生", "ab"]},
        "spm_bpe_plain": {"model_type": "bpe", "normalization_rule_name": "identity", "remove_extra_whitespaces": False,
                          "add_dummy_prefix": False},
        "spm_bpe_suffix": {"model_type": "bpe", "treat_whitespace_as_suffix": True, "split_digits": True},
        "spm_unigram_bytes": {"model_type": "unigram", "byte_fallback": True, "user_defined_symbols": ["<tool>", "医生", "ab"],
                              "normalization_rule_name": "nmt_nfkc_cf"},
        "spm_unigram_across": {"model_type": "unigram", "split_by_whitespace": False, "remove_extra_whitespaces": False},
    }.items():
        sentencepiece.SentencePieceTrainer.train(input=corpus, model_prefix=os.path.join(OUT, name), vocab_size=4000, character_coverage=0.99,
                                                 max_sentence_length=20000, minloglevel=2, **options)
        sp = sentencepiece.SentencePieceProcessor(model_file=os.path.join(OUT, name + ".model"))
        pack.add(name, {"tokenizer.model": os.path.join(OUT, name + ".model")}, "sentencepiece", sp.encode, sp.decode)


def ranks(pack, name, path, files):
    pattern = convert_slow_tokenizer.TikTokenConverter.__init__.__defaults__[1]
    bpe = tiktoken.load.load_tiktoken_bpe(path)
    enc = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=bpe, special_tokens={})
    pack.add(name, {"tokenizer.model": path, **files}, "tiktoken", enc.encode_ordinary, enc.decode)
    tok = convert_slow_tokenizer.TikTokenConverter(path).converted()
    pack.converted(name + ".json", tok)


def main():
    os.makedirs(OUT)
    real = documents()
    texts = real + fuzzed()
    write(os.path.join(OUT, "texts.json"), texts)
    pack = Pack(texts)
    at = lambda *names: os.path.join(TOKENIZERS, *names)
    for folder in ("mistral", "all_minilm_l6_v2", "torchtune_small"):
        file = at(folder, "tokenizer.json")
        pack.fast(folder, {"tokenizer.json": file}, Tokenizer.from_file(file))
    pack.fast("tiny_bpe", {"tokenizer.json": at("torchtune_small", "tiny_bpe_tokenizer.json")},
              Tokenizer.from_file(at("torchtune_small", "tiny_bpe_tokenizer.json")))
    named = lambda kind: json.dumps({"tokenizer_class": kind})
    bpe = lambda vocab, merges, config: {"vocab.json": vocab, "merges.txt": merges, "tokenizer_config.json": config}
    pack.directory("gpt2", bpe(at("gpt2", "vocab.json"), at("gpt2", "merges.txt"), named("GPT2Tokenizer")))
    pack.directory("qwen2_5", bpe(at("qwen2_5", "vocab.json"), at("qwen2_5", "merges.txt"), at("qwen2_5", "tokenizer_config.json")))
    pack.directory("tiny_bpe_files", bpe(at("torchtune_small", "tiny_bpe_vocab.json"), at("torchtune_small", "tiny_bpe_merges.txt"), json.dumps(
        {"tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": {str(2000 + i): {"content": t, "special": True} for i, t in enumerate(
            ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])}})))
    for kind in ("bert_base_uncased", "bert_base_chinese"):
        pack.directory(kind, {"vocab.txt": at(kind, "vocab.txt"), "tokenizer_config.json": named("BertTokenizer")})
    pack.directory("bert_cased", {"vocab.txt": at("bert_base_chinese", "vocab.txt"), "tokenizer_config.json": json.dumps(
        {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "tokenize_chinese_chars": False})})
    ranks(pack, "llama3", at("llama3", "tokenizer.model"), {"tokenizer_config.json": at("llama3", "Meta-Llama-3-8B", "tokenizer_config.json")})
    ranks(pack, "tiktoken_small", at("torchtune_small", "tiktoken_small.model"), {})
    with open(at("llama3", "bpe_form", "encoder.json")) as f, open(at("llama3", "bpe_form", "vocab.bpe")) as g:
        merges = [tuple(line.split()) for line in g if not line.startswith("#version")]
        tok = Tokenizer(models.BPE(json.load(f), merges, ignore_merges=True))
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(convert_slow_tokenizer.TikTokenConverter.__init__.__defaults__[1]), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    pack.converted("llama3_bpe_form", tok)
    for folder, file in (("t5_sentencepiece", "spiece.model"), ("cluecorpussmall_spm", "cluecorpussmall_spm.model"),
                         ("sentencepiece_tests", "albert_spiece.model"), ("sentencepiece_tests", "test_model.model"),
                         ("sentencepiece_tests", "test_ja_model.model"), ("torchtune_small", "m.model")):
        sentencepieces(pack, file.removesuffix(".model") if file != "spiece.model" else "t5", at(folder, file))
    for name, source in (("t5_fast", at("t5_sentencepiece", "spiece.model")), ("albert_fast", at("sentencepiece_tests", "albert_spiece.model"))):
        folder = os.path.join(OUT, "source-" + name)
        os.makedirs(folder)
        shutil.copyfile(source, os.path.join(folder, "spiece.model"))
        kind = "T5Tokenizer" if name == "t5_fast" else "AlbertTokenizer"
        with open(os.path.join(folder, "tokenizer_config.json"), "w") as f:
            f.write(named(kind))
        pack.converted(name, AutoTokenizer.from_pretrained(folder).backend_tokenizer)
    trained_sentencepieces(pack, real)
    write(os.path.join(OUT, "index.json"), pack.names)


main()
sys.exit(subprocess.run(["go", "test", "-count=1", "-timeout=1h", "-v", "-run", "^TestTokenizersOfADataPackAgree$", ".", "-args", "-compare",
                         os.path.abspath(OUT)], cwd=os.path.dirname(HERE)).returncode)
