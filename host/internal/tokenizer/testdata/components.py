"""Writes what the libraries make of each component of a tokenizer: components.json, formats.json and ../properties.txt.

    python components.py

Needs tokenizers, transformers, sentencepiece and tiktoken, and texts.json and corpus.json, which fixtures.py writes.
"""

import base64
import hashlib
import json
import os
import random
import tempfile

import sentencepiece
import tiktoken
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
rng = random.Random(5)
POINTS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def read(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        return json.load(f)


def write(name, value):
    with open(os.path.join(HERE, name), "w", encoding="utf-8", newline="\n") as f:
        f.write(value if isinstance(value, str) else json.dumps(value, separators=(",", ":")) + "\n")


LINES = read("corpus.json")
TEXTS = read("texts.json")
TEXTS = [t for t in TEXTS[:75] if len(t) < 90] + TEXTS[75:95] + [
    "<x>", " <x> ", "a <x>  b", "a<x>b", "the  café  ", "cafécafé café", "CAFE\u0301", "x [M] y[M]z", "word words word", "sword word", "##ing",
    "İstanbul ΣΑΣ", "a\x00b\u200bc\ufeffd", "\u0001 x", "\u3000 x", "① ㍿ ﬁ Å e\u0301\u0301", "x\r\ny\r\n", "don't do not . ? ! , ' n't"]


def ranges(points):
    out = []
    for c in map(ord, points):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return " ".join("%x-%x" % (a, b) for a, b in out)


def properties():
    bert = lambda **on: normalizers.BertNormalizer(**{"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False, **on})
    gone = lambda n: [c for c in POINTS if n.normalize_str(c) == ""]
    parts = lambda p, n: [c for c in POINTS if len(p.pre_tokenize_str("a" + c + "a")) == n]
    nfd = normalizers.NFD()
    moves = lambda c: nfd.normalize_str("a\u0345" + c)[1:2] != "\u0345" and nfd.normalize_str(c) == c
    return "".join(f"{name} {ranges(points)}\n" for name, points in [
        ("control", gone(bert(clean_text=True))),
        ("punctuation", parts(pre_tokenizers.Punctuation(), 3)),
        ("nonspacing", gone(bert(strip_accents=True))),
        ("mark", gone(normalizers.StripAccents())),
        ("word", parts(pre_tokenizers.Whitespace(), 1)),
        ("numeric", parts(pre_tokenizers.Digits(individual_digits=True), 3)),
        ("space", parts(pre_tokenizers.WhitespaceSplit(), 2)),
        ("combining", [c for c in POINTS if c == "\u0345" or moves(c)]),
    ])


def categories():
    """Digests of the code points of each category and script that patterns may name."""
    with open(os.path.join(HERE, "..", "categories.txt")) as f:
        names = [line.split()[0] for line in f]
    out = {}
    for name in names:
        removed = pre_tokenizers.Split(Regex(r"\p{%s}" % name), "removed")
        points = []
        for at in range(0, len(POINTS), 4096):
            part = POINTS[at : at + 4096]
            left = {i for _, span in removed.pre_tokenize_str("".join(part)) for i in range(*span)}
            points += [c for i, c in enumerate(part) if i not in left]
        out[name] = hashlib.sha256("".join(points).encode()).hexdigest()
    return out


def forms():
    """Digests of what each code point becomes."""
    kinds = {n: getattr(normalizers, n)() for n in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt")}
    kinds["BertNormalizer"] = normalizers.BertNormalizer()
    return [{"element": element(n), "digest": hashlib.sha256("\n".join(map(n.normalize_str, POINTS)).encode()).hexdigest()} for n in kinds.values()]


def element(part):
    """The JSON of a component."""
    state = part.__getstate__()
    return json.loads(state)


def spm(name, rules="", **options):
    """A small SentencePiece model."""
    with tempfile.TemporaryDirectory() as d:
        with open(os.path.join(d, "corpus"), "w") as f:
            f.writelines(line.replace("\n", " ").replace("\r", " ") + "\n" for line in LINES)
        if rules:
            with open(os.path.join(d, "rules"), "w") as f:
                f.write(rules)
            options["normalization_rule_tsv"] = os.path.join(d, "rules")
        else:
            options["normalization_rule_name"] = "identity"
        sentencepiece.SentencePieceTrainer.train(input=os.path.join(d, "corpus"), model_prefix=os.path.join(d, "m"), hard_vocab_limit=False,
                                                 minloglevel=2, character_coverage=0.98, **options)
        with open(os.path.join(d, "m.model"), "rb") as f:
            return f.read()


RULES = "".join("%s\t%s\n" % (" ".join("%X" % ord(c) for c in a), " ".join("%X" % ord(c) for c in b)) for a, b in [
    ("\t", " "), ("\n", " "), ("\r", " "), ("\u3000", " "), ("\u00a0", " "), ("ﬁ", "fi"), ("①", "1"), ("㍿", "株式会社"), ("e\u0301", "é"),
    ("\u212b", "\u00c5"), ("A\u030a", "\u00c5"), ("\x01", ""), ("\u200b", ""), ("１", "1"), ("Ａ", "a"), ("A", "a"), ("B", "b"), ("İ", "i\u0307"), ("ab", "AB")])


def charsmap():
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(spm("rules", RULES, vocab_size=600))
    return proto.normalizer_spec.precompiled_charsmap


def normalizer_rows():
    n = normalizers
    return [{"element": element(x), "texts": [x.normalize_str(t) for t in TEXTS]} for x in [
        n.NFKC(), n.NFKD(), n.NFD(), n.Lowercase(), n.Strip(), n.Strip(left=False), n.Strip(right=False), n.StripAccents(), n.Nmt(),
        n.Replace("a", "bb"), n.Replace("  ", ""), n.Replace(Regex(" {2,}"), "_"), n.Replace(Regex(r"\s+"), " "), n.Replace(Regex(r"\A +| +\z"), ""),
        n.Replace(Regex(r"(?=x)"), "-"), n.Prepend("_"), n.BertNormalizer(), n.BertNormalizer(lowercase=False), n.BertNormalizer(strip_accents=False, clean_text=False),
        n.BertNormalizer(handle_chinese_chars=False, lowercase=False, strip_accents=True), n.ByteLevel(), n.Precompiled(charsmap()),
        n.Sequence([n.NFKD(), n.StripAccents(), n.Lowercase(), n.Replace(" ", "▁")]),
    ]]


def pre_tokenizer_rows():
    p = pre_tokenizers
    behaviors = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
    return [{"element": element(x), "pieces": [[s for s, _ in x.pre_tokenize_str(t)] for t in TEXTS]} for x in [
        p.ByteLevel(add_prefix_space=True), p.ByteLevel(add_prefix_space=False, use_regex=False), p.BertPreTokenizer(), p.Whitespace(),
        p.WhitespaceSplit(), p.Digits(True), p.Digits(False), p.CharDelimiterSplit("a"), p.Metaspace(), p.Metaspace(prepend_scheme="never"),
        p.Metaspace(prepend_scheme="first"), p.Metaspace(replacement="_", split=False), *(p.Punctuation(b) for b in behaviors),
        *(p.Split(Regex(r"\d+|\s"), b) for b in behaviors), *(p.Split(" ", b, invert=True) for b in behaviors),
        p.Sequence([p.WhitespaceSplit(), p.Metaspace()]), p.Sequence([p.Digits(True), p.ByteLevel(add_prefix_space=False)]),
        p.Sequence([p.ByteLevel(add_prefix_space=False), p.Digits(True)]),
        p.Sequence([p.Split(Regex(r"\p{N}{1,3}"), "isolated"), p.Split(Regex("[一-龥぀-ゟ゠-ヿ]+"), "isolated"), p.Split(Regex(
            r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"),
            "isolated"), p.ByteLevel(add_prefix_space=False, use_regex=False)]),
    ]]


def decoder_rows():
    d = decoders
    lists = [["▁Hello", "▁", "▁▁world", "!"], ["▁", "▁a"], ["Ġthe", "Ã©", "中", "ĠÃ"], ["<0xE4>", "<0xB8>", "<0xAD>", "x", "<0xFF>", "<0xFE>"], ["he", "##llo", ",", "don", "'", "t", "do", "not", ".", "##ing"],
             ["  x  ", " ", "y "], ["low</w>", "er</w>", "est"], [], ["a"], ["▁x▁", "<0x0>", "<0xG1>", "<0x41>"], ["##", "n't", "'s"]]
    return [{"element": element(x), "tokens": lists, "texts": [x.decode(tokens) for tokens in lists]} for x in [
        d.ByteLevel(), d.Metaspace(), d.Metaspace(prepend_scheme="never"), d.ByteFallback(), d.Fuse(), d.WordPiece(), d.WordPiece(cleanup=False), d.BPEDecoder(),
        d.Strip(" ", 1, 0), d.Strip("▁", 2, 0), d.Strip("▁", 0, 1), d.Replace("▁", " "), d.Replace(Regex(r"\s"), "_"),
        d.Sequence([d.Replace("▁", " "), d.ByteFallback(), d.Fuse(), d.Strip(" ", 1, 0)]), d.Sequence([d.Fuse(), d.ByteLevel()]),
    ]]


# Lines of few different characters, for small vocabularies.
SOME = [line[:60] for line in LINES if max(line) < "\u0250"] + [line[:20] for line in LINES if max(line) > "\u4e00"][:4]


def trained(model, trainer, pre=None, normalizer=None, decoder=None, post=None):
    tok = Tokenizer(model)
    if pre:
        tok.pre_tokenizer = pre
    if normalizer:
        tok.normalizer = normalizer
    tok.train_from_iterator(SOME, trainer)
    if decoder:
        tok.decoder = decoder
    if post:
        tok.post_processor = post(tok)
    return tok


def tokenizer_rows():
    t, m, p, n, d = trainers, models, pre_tokenizers, normalizers, decoders
    special = ["<unk>", "<s>", "</s>"]
    quiet = {"show_progress": False}
    around = lambda tok: processors.RobertaProcessing(("</s>", tok.token_to_id("</s>")), ("<s>", tok.token_to_id("<s>")))
    bert = lambda tok: processors.Sequence([processors.ByteLevel(), processors.BertProcessing(("</s>", tok.token_to_id("</s>")), ("<s>", tok.token_to_id("<s>")))])
    byte_tokens = ["<0x%02X>" % b for b in range(256)]
    toks = {
        "bpe unk": trained(m.BPE(unk_token="<unk>"), t.BpeTrainer(vocab_size=300, special_tokens=special, limit_alphabet=60, **quiet), p.Whitespace(), post=around),
        "bpe fuse": trained(m.BPE(unk_token="<unk>", fuse_unk=True), t.BpeTrainer(vocab_size=300, special_tokens=special, limit_alphabet=60, **quiet), p.BertPreTokenizer()),
        "bpe no unk": trained(m.BPE(), t.BpeTrainer(vocab_size=300, limit_alphabet=60, **quiet), p.WhitespaceSplit()),
        "bpe suffix": trained(m.BPE(unk_token="<unk>", end_of_word_suffix="</w>"), t.BpeTrainer(
            vocab_size=400, special_tokens=special, end_of_word_suffix="</w>", limit_alphabet=60, **quiet), p.BertPreTokenizer(), n.Lowercase(), d.BPEDecoder()),
        "bpe prefix": trained(m.BPE(unk_token="<unk>", continuing_subword_prefix="##"), t.BpeTrainer(
            vocab_size=400, special_tokens=special, continuing_subword_prefix="##", limit_alphabet=60, **quiet), p.Whitespace(), None, d.WordPiece()),
        "bpe bytes": trained(m.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True), t.BpeTrainer(
            vocab_size=600, special_tokens=special + byte_tokens, limit_alphabet=60, **quiet), p.Metaspace(split=False),
            None, d.Sequence([d.Replace("▁", " "), d.ByteFallback(), d.Fuse(), d.Strip(" ", 1, 0)])),
        "bpe first": trained(m.BPE(unk_token="<unk>", ignore_merges=True), t.BpeTrainer(vocab_size=300, special_tokens=special, **quiet), p.Metaspace(prepend_scheme="first"), None, d.Metaspace()),
        "bpe normal bytes": trained(m.BPE(), t.BpeTrainer(vocab_size=400, initial_alphabet=p.ByteLevel.alphabet(), **quiet), p.Split(Regex(r"Ġ"), "merged_with_next"), n.ByteLevel(), d.ByteLevel()),
        "unigram": trained(m.Unigram(), t.UnigramTrainer(vocab_size=300, special_tokens=special, unk_token="<unk>", **quiet), p.Metaspace(), n.NFKC(), d.Metaspace()),
        "unigram bytes": trained(m.Unigram([("<unk>", 0.0)], 0, True), t.UnigramTrainer(vocab_size=600, special_tokens=special + byte_tokens, unk_token="<unk>", **quiet), p.Metaspace(), n.Precompiled(charsmap()),
                                 d.Sequence([d.ByteFallback(), d.Metaspace()])),
        "unigram spelt": trained(m.Unigram(), t.UnigramTrainer(vocab_size=400, special_tokens=special, unk_token="<unk>", initial_alphabet=p.ByteLevel.alphabet(), **quiet), p.ByteLevel(), None, d.ByteLevel()),
        "wordpiece": trained(m.WordPiece(unk_token="<unk>", max_input_chars_per_word=12), t.WordPieceTrainer(vocab_size=400, special_tokens=special, **quiet), p.BertPreTokenizer(), n.BertNormalizer(), d.WordPiece(), bert),
        "wordlevel": trained(m.WordLevel(unk_token="<unk>"), t.WordLevelTrainer(vocab_size=300, special_tokens=special, **quiet), p.Whitespace()),
    }
    toks["unigram bytes"].model = m.Unigram([tuple(x) for x in json.loads(toks["unigram bytes"].to_str())["model"]["vocab"]], 0, True)
    out = []
    for name, tok in toks.items():
        tok.add_tokens([AddedToken("word", single_word=True, normalized=False), AddedToken("<x>", lstrip=True, rstrip=True, normalized=False), AddedToken("Café", normalized=True),
                        AddedToken("[M]", lstrip=True, normalized=False)])
        tok.add_special_tokens([AddedToken("<pad>"), AddedToken("<tool_call>", rstrip=True)])
        ids = {}
        for special_as_text in (True, False):
            tok.encode_special_tokens = special_as_text
            ids[special_as_text] = [tok.encode(t, add_special_tokens=False).ids for t in TEXTS]
        plain, both = tok.encode("a", add_special_tokens=False).ids, tok.encode("a").ids
        some = [[rng.randrange(tok.get_vocab_size()) for _ in range(9)] for _ in range(12)]
        out.append({"name": name, "file": json.loads(tok.to_str()), "ids": ids[True], "all": ids[False], "around": both if both != plain else None, "plain": plain,
                    "random": some, "decoded": [tok.decode(r) for r in some], "decoded_all": [tok.decode(r, False) for r in some]})
    return out


def formats():
    """Directories without tokenizer.json."""
    rows = []

    def add(name, files, encode, decode, around=None, size=0):
        ids = [encode(t) for t in TEXTS]
        some = [[rng.randrange(size) for _ in range(9)] for _ in range(12)] if size else ids
        rows.append({"name": name, "files": {k: base64.b64encode(v).decode() for k, v in files.items()}, "ids": ids, "around": around,
                     "random": some, "decoded": [decode(r) for r in some]})

    for name, options in {
        "spm unigram": {"rules": RULES},
        "spm unigram bytes": {"byte_fallback": True, "user_defined_symbols": ["<tool_call>", "##", "ab"]},
        "spm unigram plain": {"remove_extra_whitespaces": False, "add_dummy_prefix": False, "split_by_whitespace": False, "unk_surface": "?"},
        "spm bpe": {"model_type": "bpe", "rules": RULES, "user_defined_symbols": ["<tool_call>", "##", "ab"]},
        "spm bpe bytes": {"model_type": "bpe", "byte_fallback": True, "remove_extra_whitespaces": False},
        "spm bpe suffix": {"model_type": "bpe", "treat_whitespace_as_suffix": True, "pad_id": 3},
    }.items():
        model = spm(name, vocab_size=700, **options)
        sp = sentencepiece.SentencePieceProcessor(model_proto=model)
        add(name, {"tokenizer.model": model}, sp.encode, sp.decode, size=sp.vocab_size())

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=500, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    model = json.loads(bpe.to_str())["model"]
    chars = alphabet()
    ranks = {bytes(chars[c] for c in token): i for token, i in model["vocab"].items()}
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    enc = tiktoken.Encoding("small", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    add("tiktoken", {"tokenizer.model": b"".join(base64.b64encode(t) + b" %d\n" % i for t, i in ranks.items())}, enc.encode_ordinary, enc.decode, size=len(ranks))

    files = {"vocab.json": json.dumps(model["vocab"]).encode(), "merges.txt": b"#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in model["merges"]).encode()}
    words = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.train_from_iterator(LINES, trainers.WordPieceTrainer(vocab_size=500, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    vocab = "".join(t + "\n" for t, _ in sorted(words.get_vocab().items(), key=lambda e: e[1])).encode()
    roberta = {"<s>": 500, "<pad>": 501, "</s>": 502, "<unk>": 503, "<mask>": 504}
    for name, content, config in [
        ("gpt2", files, {"tokenizer_class": "GPT2Tokenizer"}),
        ("gpt2 prefix", files, {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True}),
        ("qwen2", files, {"tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": {
            "500": {"content": "<|im_end|>", "lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True},
            "501": {"content": "<tool_call>", "lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": False}}}),
        ("roberta", {**files, "vocab.json": json.dumps({**model["vocab"], **roberta}).encode()}, {"tokenizer_class": "RobertaTokenizer"}),
        ("bert", {"vocab.txt": vocab}, {"tokenizer_class": "BertTokenizer"}),
        ("bert cased", {"vocab.txt": vocab}, {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "tokenize_chinese_chars": False, "strip_accents": True}),
    ]:
        content = {**content, "tokenizer_config.json": json.dumps(config).encode()}
        with tempfile.TemporaryDirectory() as d:
            for file, raw in content.items():
                with open(os.path.join(d, file), "wb") as f:
                    f.write(raw)
            tok = AutoTokenizer.from_pretrained(d).backend_tokenizer
        tok.encode_special_tokens = True
        plain, both = tok.encode("a", add_special_tokens=False).ids, tok.encode("a").ids
        around = [both[: both.index(plain[0])], both[both.index(plain[0]) + len(plain):]] if both != plain else None
        add(name, content, lambda t: tok.encode(t, add_special_tokens=False).ids, tok.decode, around)
    return rows


def alphabet():
    """The byte of each character of byte-level vocabularies."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in own]
    return {chr(b): b for b in own} | {chr(256 + i): b for i, b in enumerate(others)}


write("../properties.txt", properties())
write("components.json", {"texts": TEXTS, "forms": forms(), "categories": categories(), "normalizers": normalizer_rows(), "pre_tokenizers": pre_tokenizer_rows(), "decoders": decoder_rows(),
                          "tokenizers": tokenizer_rows()})
write("formats.json", {"texts": TEXTS, "formats": formats()})
