"""The host's models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Optional, TypeVar

from carebot import columns as c
from carebot.errors import Error, ModelError
from carebot.frame import Builder, Frame
from carebot.records import Turn
from carebot.turns import write_lists, write_turns

# Carries a model request (kind, index of the model, frame) to the host and returns the answer.
Call = Callable[[int, int, bytes], memoryview]

_T = TypeVar("_T")


@dataclass(frozen=True)
class ModelInfo:
    """Describes a model."""

    name: str = ""
    max_tokens: int = 0  # longest input
    outputs: int = 0  # width of score()'s answers, 0 when the model has no head
    hidden: int = 0  # width of embed()'s answers


@dataclass
class LogLikRequest:
    """Asks for the likelihood of a continuation after a context and, when there is one, after a second context.

    Contexts that are too long lose their oldest tokens; the continuation is cut at its end, equally under both.
    """

    context: Sequence[Turn]
    continuation: str
    context2: Optional[Sequence[Turn]] = None


@dataclass
class LogLik:
    """The answer: sums over the same tokens under both contexts (log_prob2 is 0 without a second one)."""

    log_prob: float
    log_prob2: float
    tokens: int


class Model:
    """One of the host's models.

    Requests are answered in order, one answer for each; the host batches them over all instances of all plugins. Turns
    are rendered by the model's chat template, turns of Role.RAW are taken as they are. A model that fails raises
    ModelError.
    """

    def __init__(self, index: int, info: ModelInfo, call: Call) -> None:
        self.info = info
        self._index = index
        self._call = call

    def loglik(self, requests: Sequence[LogLikRequest]) -> list[LogLik]:
        """Sums the log-probabilities (natural logarithm) of the continuations' tokens."""
        answers: list[LogLik] = []
        for part in _parts(requests, 20, _request_size):
            answers += read_logliks(self._ask(c.LOGLIK, write_logliks(part), len(part)))
        return answers

    def score(self, texts: Sequence[Sequence[Turn]]) -> list[list[float]]:
        """Runs the classification, regression or reward head: its raw outputs for each text."""
        answers: list[list[float]] = []
        for part in _parts(texts, 8 * self.info.outputs, _turns_size):
            answers += read_vectors(self._ask(c.TEXTS, write_texts(part), len(part)), c.TEXTS)
        return answers

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text."""
        answers: list[list[float]] = []
        for part in _parts(texts, 8 * self.info.hidden, _text_size):
            answers += read_vectors(self._ask(c.EMBED, write_embed(part), len(part)), c.EMBED)
        return answers

    def _ask(self, kind: int, request: bytes, rows: int) -> Frame:
        frame = Frame(self._call(kind, self._index, request))
        if frame.kind == c.FAILURE:
            raise ModelError(next(iter(frame.texts(c.DETAIL)), "the host gives no reason"))
        if frame.rows != rows:
            raise Error(f"{frame.rows} answers of the model to {rows} requests")
        return frame


# Bounds of one model request. A longer list is asked in parts; answers do not depend on how.
_PART_ROWS = 4096
_PART_BYTES = 4 << 20


def _parts(items: Sequence[_T], answer: int, size: Callable[[_T], int]) -> Iterator[Sequence[_T]]:
    """Splits items into parts that fit a frame. `answer` is what a row takes at most in the answer."""
    start = total = 0
    for i, item in enumerate(items):
        total += size(item) + answer
        if total > _PART_BYTES or i + 1 - start == _PART_ROWS:
            yield items[start : i + 1]
            start, total = i + 1, 0
    if start < len(items):
        yield items[start:]


def _text_size(text: str) -> int:
    return 4 * len(text)


def _turns_size(turns: Sequence[Turn]) -> int:
    return sum(_text_size(turn.text) + 5 for turn in turns)


def _request_size(r: LogLikRequest) -> int:
    return _turns_size(r.context) + _turns_size(r.context2 or ()) + _text_size(r.continuation)


def write_logliks(requests: Sequence[LogLikRequest]) -> bytes:
    """Writes a request for likelihoods. A second context that is None is marked as absent."""
    b = Builder(c.LOGLIK, len(requests))
    write_lists(b, (c.CONTEXT, c.CONTEXT_ROLE, c.CONTEXT_TEXT), [r.context for r in requests])
    second = [r.context2 or () for r in requests]
    b.lists(c.CONTEXT2, [len(turns) for turns in second])
    b.validity([r.context2 is not None for r in requests])
    write_turns(b, c.CONTEXT2_ROLE, c.CONTEXT2_TEXT, second)
    b.texts(c.CONTINUATION, [r.continuation for r in requests])
    return b.finish()


def write_texts(texts: Sequence[Sequence[Turn]]) -> bytes:
    """Writes a request for outputs of the head."""
    b = Builder(c.TEXTS, len(texts))
    write_lists(b, (c.TURNS, c.TURN_ROLE, c.TURN_TEXT), texts)
    return b.finish()


def write_embed(texts: Sequence[str]) -> bytes:
    """Writes a request for embeddings."""
    b = Builder(c.EMBED, len(texts))
    b.texts(c.TEXT, texts)
    return b.finish()


def read_logliks(frame: Frame) -> list[LogLik]:
    """Reads the answer to a request for likelihoods."""
    frame.expect(c.LOGLIK | c.ANSWER)
    first, second = frame.values(c.LOG_PROB, c.F64), frame.values(c.LOG_PROB2, c.F64)
    return list(map(LogLik, first, second, frame.values(c.TOKENS, c.U32)))


def read_vectors(frame: Frame, kind: int) -> list[list[float]]:
    """Reads the answer to a request of kind TEXTS or EMBED."""
    frame.expect(kind | c.ANSWER)
    ends = frame.lists(c.VECTOR)
    values = list(frame.values(c.VALUE, c.F64, frame.children(c.VECTOR)))
    return [values[a:b] for a, b in zip(ends, ends[1:])]
