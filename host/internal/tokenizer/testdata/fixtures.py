"""Writes the fixtures of this folder: what the Hugging Face libraries make of texts, tokenizers and chats.

    python fixtures.py GPT2_DIR        # a folder with GPT-2's vocab.json and merges.txt

Needs tokenizers, transformers and jinja2, and go for the tokenizer that this package trains.
"""

import json
import os
import random
import subprocess
import sys
import tempfile

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
GPT2 = sys.argv[1]
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace("{1,3}", "")
CASED = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
rng = random.Random(7)


def write(name, value):
    with open(os.path.join(HERE, name), "w", encoding="utf-8", newline="\n") as f:
        if isinstance(value, str):
            f.write(value)
        else:
            json.dump(value, f, ensure_ascii=True, separators=(",", ":"))
            f.write("\n")


def corpus():
    """Made-up text with the statistics of language: Zipf's law, two scripts, numbers, code, line breaks."""
    syllables = "ba ce di fo gu ha ker lin mon nas pet ri sol tur ven wis yar zo the ing tion al".split()
    words = ["".join(rng.choices(syllables, k=rng.choice([1, 2, 2, 3, 4]))) for _ in range(700)]
    hanzi = [chr(c) for c in rng.sample(range(0x4E00, 0x9000), 260)]
    terms = ["".join(rng.choices(hanzi, k=rng.choice([1, 2, 2, 3]))) for _ in range(300)]
    weigh = lambda items: [1 / (i + 2) for i in range(len(items))]
    lines = []
    for _ in range(360):
        kind = rng.random()
        if kind < 0.5:
            s = " ".join(rng.choices(words, weigh(words), k=rng.randint(4, 18)))
            s = s[0].upper() + s[1:] + rng.choice([".", "!", "?", " (", "'s", ", don't", ": 37.5", "\r\n", " 1234567"])
        elif kind < 0.85:
            s = "，".join("".join(rng.choices(terms, weigh(terms), k=rng.randint(2, 9))) for _ in range(rng.randint(1, 4))) + "。"
        elif kind < 0.95:
            s = "    if (" + rng.choice(words) + "_" + rng.choice(words) + " != " + str(rng.randint(0, 999)) + ") {\n\t\treturn;\n    }\n"
        else:
            s = "".join(chr(rng.choice([rng.randint(0x20, 0x2FF), rng.randint(0x400, 0x4FF), rng.randint(0x1F300, 0x1F5FF)])) for _ in range(20))
        lines.append(s)
    return lines


def texts(lines):
    fixed = [
        "", " ", "  ", "\n", "\r\n", "\t", "a", "Hello world", " Hello  world ", "it's IT'S they'RE we'Ve I'M you'll 'D 'x ''s 'ſ ' 's",
        "'", "a'", "l'l", "'l", "'ll'll", "x'ſx", "100 1000 10000 100000 3.14 1,000,000 ½²Ⅷ٣४五 12ab34", "\n\n\n", " \n \n x", "\r\r\n\n  y",
        "end  \n", "a   b\u3000c\u00a0d\u2003\u2003e", "tab\t\tx", "\u0085\u2028\u2029x", "\u180ex \u200bx \ufeffx", "a\u001cb\u001f", "\x00\x01\x7f",
        "北京大学第三医院的医生说：“你好！”他答道：好的。", "２０２４年１０月", "ﬁ ﬀ ½ ＡＢＣ", "日本語テキスト、カタカナ。", "한국어 텍스트", "\u1112\u1161\u11ab\u1100\u116e\u11a8",
        "Привет, мир!", "مرحبا بالعالم", "नमस्ते दुनिया", "ภาษาไทย", "e\u0301 o\u0302\u0323 A\u030a \u212b \u2126", "q\u0307\u0323", "\u0344 \u0958 \ufb1f",
        "e" + "\u0301" * 40 + "\u0323", "\u0301\u0301x", "👩‍👩‍👧‍👦 🇨🇳 👍🏽 ❤️", "(a) [b] {c} <d> \"e\" `f` #g @h $i %j ^k &l *m", "---===***///...!!!???",
        "x=1;\ny = x+2; // ok\n\tif(x){}\n", "http://example.org/a?b=c&d=e#f", "user@example.org", "a" * 99, "ab" * 50, " " * 30 + "x", "\n" * 9 + "x", "!" * 30,
        "<|im_start|>user\nhi<|im_end|>", "<|pad|><|eos|>", "<tool_call>{\"a\": 1}</tool_call>", "x<tool_call>y<tool_call", "<|endoftext|>", "<s>a</s>", "Ġ Ċ ĠĠ", "e\u0301<tool_call>e\u0301",
        "\u1c89\ua7cb \U0002ebf0\U0002ee5d \U0001ccf0 \U00010d40\U00016d40", "\ue000\U000f0000\u0378\uffff\U0010ffff", "𝒜𝓑 𠀀𠀁", "ǅ ʰ ª ß ẞ İ ı K", "\u0130's I'\u0130", "3rd 4TH x1y2",
    ]
    pool = list("  \n\n\r\t'''sStTmMdDrReEvVlL019.,!?-_<>|/") + list("aZéßſж中文医五½٣") + ["\u0301", "\u0323", "\u200d", "\u3000", "\u00a0", "\u2028", "\U0001f600", "\uac00", "\u1161"]
    mixed = ["".join(rng.choices(pool, k=rng.randint(1, 60))) for _ in range(55)]
    return fixed + mixed + rng.sample(lines, 12)


def ranges(pattern):
    """The code points that a pattern matches, as the tokenizers library sees it: ranges in hex."""
    removed = pre_tokenizers.Split(Regex(pattern), "removed")
    matched = []
    for base in range(0, 0x110000, 4096):
        points = [c for c in range(base, base + 4096) if not 0xD800 <= c < 0xE000]
        if points:
            left = {points[i] for _, (a, b) in removed.pre_tokenize_str("".join(map(chr, points))) for i in range(a, b)}
            matched += [c for c in points if c not in left]
    out = []
    for c in matched:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return " ".join("%x-%x" % (a, b) for a, b in out)


def bpe(lines, pre_tokenizer, size, special=()):
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizer
    tok.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, special_tokens=list(special), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    model = json.loads(tok.to_str())["model"]
    return model["vocab"], model["merges"]


def encode(tok, strings):
    tok.encode_special_tokens = True
    return [tok.encode(s, add_special_tokens=False).ids for s in strings]


def split(pattern, **byte_level):
    byte_level = {"add_prefix_space": False, "use_regex": False, **byte_level}
    cuts = [pre_tokenizers.Split(Regex(p), "isolated") for p in ([pattern] if isinstance(pattern, str) else pattern)]
    return pre_tokenizers.Sequence(cuts + [pre_tokenizers.ByteLevel(**byte_level)])


def variants(lines, strings):
    """One vocabulary under every pre-tokenizer and option that the package knows."""
    vocab, merges = bpe(lines, split(LLAMA3), 900)
    merges = [m for i, m in enumerate(merges) if i % 9 != 4]  # leaves tokens that only ignore_merges finds
    out = []

    def add(name, pre_tokenizer, normalizer=None, post=None, added=(), **options):
        tok = Tokenizer(models.BPE(vocab, [tuple(m) for m in merges], **options))
        tok.pre_tokenizer, tok.decoder = pre_tokenizer, decoders.ByteLevel()
        if normalizer:
            tok.normalizer = normalizer
        if added:
            tok.add_tokens([AddedToken(a, normalized=n) for a, s, n in added if not s])
            tok.add_special_tokens([AddedToken(a, normalized=n, special=True) for a, s, n in added if s])
        if post:
            tok.post_processor = post
        file = json.loads(tok.to_str())
        del file["model"]["vocab"], file["model"]["merges"]
        text, around = tok.encode("a", add_special_tokens=False).ids, tok.encode("a", add_special_tokens=True).ids
        before, after = (around[:1], around[-1:]) if len(around) > len(text) else ([], [])
        assert before + text + after == around
        some = [[rng.randrange(tok.get_vocab_size()) for _ in range(12)] for _ in range(15)]
        out.append({"name": name, "file": file, "ids": encode(tok, strings), "before": before, "after": after,
                    "random": some, "decoded": [tok.decode(ids) for ids in some], "decoded_all": [tok.decode(ids, False) for ids in some]})

    template = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A $B", special_tokens=[("<s>", 900), ("</s>", 901)])
    chat = [("<|im_start|>", True, False), ("<|im_end|>", True, False), ("<tool_call>", False, False), ("caf\u00e9", False, True)]
    add("gpt2", pre_tokenizers.ByteLevel(add_prefix_space=False), added=[("<|endoftext|>", True, True)])
    add("prefix", pre_tokenizers.ByteLevel(add_prefix_space=True))
    add("llama3", split(LLAMA3), ignore_merges=True, added=[("<s>", True, False), ("</s>", True, False)],
        post=processors.Sequence([processors.ByteLevel(trim_offsets=False), template]))
    add("qwen2", split(QWEN2), normalizer=normalizers.NFC(), added=chat)
    add("cased", split(CASED), normalizer=normalizers.Sequence([normalizers.NFC()]))
    add("two splits", split([r"[\r\n]", r"\p{N}{1,3}", r"[一-龥]+"], use_regex=True))
    add("look around", split([r"(?<=[a-z])(?=[A-Z])", r"(?=(\d{3})+(?!\d))"], add_prefix_space=True))
    return {"vocab": vocab, "merges": merges, "variants": out}


def gpt2(strings):
    """The part of GPT-2's vocabulary that these texts need, under its own ids."""
    with open(os.path.join(GPT2, "vocab.json")) as f:
        vocab = json.load(f)
    with open(os.path.join(GPT2, "merges.txt")) as f:
        merges = [tuple(line.split()) for line in f if line.strip() and not line.startswith("#version")]
    tok = Tokenizer(models.BPE(vocab, merges))
    tok.pre_tokenizer, tok.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    ids = encode(tok, strings)
    rule = {a + b: (a, b) for a, b in merges}
    needed = set(pre_tokenizers.ByteLevel.alphabet())
    waiting = [tok.id_to_token(i) for row in ids for i in row]
    while waiting:
        token = waiting.pop()
        if token not in needed:
            needed.add(token)
            waiting += rule[token]
    file = json.loads(tok.to_str())
    file["model"]["vocab"] = {t: i for t, i in sorted(vocab.items(), key=lambda e: e[1]) if t in needed}
    file["model"]["merges"] = [m for m in merges if m[0] + m[1] in needed]
    del file["model"]["type"]  # as in the file of 2020
    return {"file": file, "ids": ids}


def chats():
    say = lambda role: lambda text: {"role": role, "content": text}
    user, assistant, system, tool = say("user"), say("assistant"), say("system"), say("tool")
    return [
        [user("Hello")],
        [system("You answer briefly."), user("What is a fever?"), assistant("A body temperature above 38 degrees.")],
        [user("  发烧怎么办？\n"), assistant("\n\n 多喝水，\n注意休息。 \n"), user("谢谢"), assistant("不客气。")],
        [user("x"), assistant("")],
        [assistant("I speak first"), tool("{\"t\": 37.5}"), assistant("ok\r\n")],
        [system(""), user(" \n\t "), assistant("\u3000\u00a0\x1fa\x1c\u2028 ")],
        [user("'s"), assistant("'ll"), assistant("\ufeffx")],
    ]


def ours(lines, strings):
    """What transformers makes of the tokenizer that this package trains on the corpus."""
    with tempfile.TemporaryDirectory() as d:
        subprocess.run(["go", "test", "-count=1", "-run", "^TestTrainedTokenizerSurvivesSaveAndLoad$", ".", "-args", "-save", d],
                       cwd=os.path.dirname(HERE), check=True)
        with open(os.path.join(d, "tokenizer.json")) as f:
            file = json.load(f)
        tok = AutoTokenizer.from_pretrained(d)
    vocab, merges = bpe(lines, split(QWEN2), len(file["model"]["vocab"]), [t["content"] for t in file["added_tokens"]])
    assert vocab == file["model"]["vocab"], "the library's own trainer learns another vocabulary"
    assert merges == file["model"]["merges"], "the library's own trainer learns other merges"
    rows = []
    for turns in chats():
        for generate in (False, True):
            text = tok.apply_chat_template(turns, tokenize=False, add_generation_prompt=generate)
            both = tok.apply_chat_template(turns, add_generation_prompt=generate, return_dict=True, return_assistant_tokens_mask=True)
            assert both["input_ids"] == tok(text, add_special_tokens=False)["input_ids"]
            rows.append({"turns": turns, "generate": generate, "text": text, "ids": both["input_ids"], "mask": both["assistant_masks"]})
    named = [tok.bos_token_id, tok.eos_token_id, tok.pad_token_id, tok.convert_tokens_to_ids("<|im_end|>")]
    return {"size": len(tok), "named": named, "ids": encode(tok.backend_tokenizer, strings), "chats": rows}


lines = corpus()
strings = texts(lines)
write("corpus.json", lines)
write("texts.json", strings)
write("classes.txt", "".join(f"{p} {ranges(p)}\n" for p in (r"\p{L}", r"\p{N}", r"\s")))
write("variants.json", variants(lines, strings))
write("gpt2.json", gpt2(strings))
write("ours.json", ours(lines, strings))
