"""Compares quality-rules with DataTrove's filters for Gopher, C4 and FineWeb: speed, and verdicts rule by rule.

    pip install datatrove==0.10.1 spacy
    carebot plugin run quality-rules DOCS.jsonl --format text > ANSWERS.jsonl
    python3 compare.py DOCS.jsonl ANSWERS.jsonl [--show RULE]

DOCS.jsonl holds {"text": ...}, one document a line, in English. DataTrove's filters stop at the first rule that a
document breaks; here each rule is a filter in which the others are switched off. Times are of the whole filters, on one
core, without what happens once.
"""
import argparse
import contextlib
import functools
import json
import time

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter)
from datatrove.pipeline.filters import (
    c4_filters, fineweb_quality_filter, gopher_quality_filter, gopher_repetition_filter)


def quality(**one):
    off = dict.fromkeys((
        "min_doc_words", "max_doc_words", "min_avg_word_length", "max_avg_word_length", "max_symbol_word_ratio",
        "max_bullet_lines_ratio", "max_ellipsis_lines_ratio", "max_non_alpha_words_ratio", "min_stop_words"))
    return GopherQualityFilter(**off | one)


def repetition(**one):
    off = dict.fromkeys(("dup_line_frac", "dup_para_frac", "dup_line_char_frac", "dup_para_char_frac"))
    return GopherRepetitionFilter(**off | {"top_n_grams": (), "dup_n_grams": ()} | one)


def c4(**one):
    off = dict.fromkeys(("remove_citations", "filter_no_terminal_punct", "filter_lorem_ipsum", "filter_javascript",
                         "filter_curly_bracket", "filter_policy"), False)
    off |= dict.fromkeys(("min_num_sentences", "min_words_per_line", "max_word_length"), -1)
    return C4QualityFilter(**off | one)


def fineweb(**one):
    off = {"line_punct_thr": 0, "short_line_thr": 1, "char_duplicates_ratio": 1, "new_line_ratio": 1e9}
    return FineWebQualityFilter(**off | one)


# Each rule of quality-rules, its threshold, and DataTrove's filter for it.
RULES = {
    "words": ((50, 100_000), quality(min_doc_words=50, max_doc_words=100_000)),
    "mean_word_length": ((3, 10), quality(min_avg_word_length=3, max_avg_word_length=10)),
    "symbol_ratio": ((None, 0.1), quality(max_symbol_word_ratio=0.1)),
    "bullet_lines": ((None, 0.9), quality(max_bullet_lines_ratio=0.9)),
    "ellipsis_lines": ((None, 0.3), quality(max_ellipsis_lines_ratio=0.3)),
    "alpha_words": ((0.8, None), quality(max_non_alpha_words_ratio=0.8)),
    "stop_words": ((2, None), quality(min_stop_words=2)),
    "duplicate_line_ratio": ((None, 0.3), repetition(dup_line_frac=0.3)),
    "duplicate_line_chars": ((None, 0.1), fineweb(char_duplicates_ratio=0.1)),
    "duplicate_paragraph_ratio": ((None, 0.3), repetition(dup_para_frac=0.3)),
    "duplicate_paragraph_chars": ((None, 0.2), repetition(dup_para_char_frac=0.2)),
    **{f"top_{n}_gram": ((None, most), repetition(top_n_grams=((n, most),)))
       for n, most in ((2, 0.2), (3, 0.18), (4, 0.16))},
    **{f"duplicate_{n}_gram": ((None, most), repetition(dup_n_grams=((n, most),)))
       for n, most in ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.1))},
    "sentences": ((3, None), c4(min_num_sentences=3)),
    "curly_braces": ((None, 0), c4(filter_curly_bracket=True)),
    "lorem_ipsum": ((None, 0), c4(filter_lorem_ipsum=True)),
    "terminal_punctuation_lines": ((0.12, None), fineweb(line_punct_thr=0.12)),
    "short_lines": ((None, 0.67), fineweb(short_line_thr=0.67)),
    "newline_ratio": ((None, 0.3), fineweb(new_line_ratio=0.3)),
}

# The filters as FineWeb strings them together.
PIPELINE = [GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(filter_no_terminal_punct=False),
            FineWebQualityFilter()]


def keeps(rule, text):
    verdict = rule.filter(Document(text=text, id=""))
    return verdict if isinstance(verdict, bool) else verdict[0]


def timed(texts, whole):
    """CPU seconds for all documents. The pipeline ends with the first filter that drops a document; whole asks all."""
    for rule in PIPELINE:
        keeps(rule, texts[0])
    start = time.process_time()
    for text in texts:
        doc = Document(text=text, id="")
        for rule in PIPELINE:
            verdict = rule.filter(doc)
            if not whole and verdict is not True:
                break
    return time.process_time() - start


@contextlib.contextmanager
def words_split_once():
    """All rules see the same words: a document is split once instead of by each of them."""
    patched = []
    for module, name in ((gopher_quality_filter, "split_into_words"), (gopher_repetition_filter, "split_into_words"),
                         (fineweb_quality_filter, "split_into_words"), (c4_filters, "split_into_sentences")):
        plain = getattr(module, name)
        patched.append((module, name, plain))
        setattr(module, name, functools.lru_cache(4)(plain))
    yield
    for module, name, plain in patched:
        setattr(module, name, plain)


def inside(bounds, value):
    least, most = bounds
    return (least is None or value >= least) and (most is None or value <= most)


def compare(texts, answers, show):
    print("| rule | both drop | only DataTrove | only quality-rules | agreement |\n|---|---|---|---|---|")
    counts = {name: [0, 0, 0] for name in RULES}
    for line, (text, answer) in enumerate(zip(texts, answers), 1):
        for name, (bounds, rule) in RULES.items():
            theirs, ours = keeps(rule, text), inside(bounds, answer["scores"][name])
            if not theirs or not ours:
                counts[name][0 if theirs == ours else 1 if ours else 2] += 1
            if name == show and theirs != ours:
                print(f"line {line}: {name} is {answer['scores'][name]}, DataTrove {'keeps' if theirs else 'drops'}")
    for name, (both, theirs, ours) in counts.items():
        print(f"| {name} | {both} | {theirs} | {ours} | {100 * (1 - (theirs + ours) / len(texts)):.2f} % |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("docs")
    parser.add_argument("answers", nargs="?")
    parser.add_argument("--show", help="a rule: print the lines on which verdicts differ")
    args = parser.parse_args()
    texts = [json.loads(line)["text"] for line in open(args.docs, encoding="utf-8")]
    if args.answers:
        answers = [json.loads(line) for line in open(args.answers, encoding="utf-8")]
        with words_split_once():
            compare(texts, answers, args.show)
        return
    size = sum(len(text.encode()) for text in texts)
    ways = (("pipeline", False, contextlib.nullcontext), ("all four filters", True, contextlib.nullcontext),
            ("all four filters, words split once", True, words_split_once))
    for name, whole, context in ways:
        with context():
            took = timed(texts, whole)
        print(f"{name}: {len(texts) / took:.0f} documents/s, {size / took / 1e6:.2f} MB/s")


if __name__ == "__main__":
    main()
