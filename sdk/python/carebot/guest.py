"""An instance of a plugin, spoken to in frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from carebot import columns as c
from carebot.errors import Error
from carebot.frame import Frame
from carebot.manifest import Manifest
from carebot.model import Call
from carebot.plugin import Env, Filter, Reward, Scorer
from carebot.replies import Replies
from carebot.requests import read_dialogues, read_documents, read_opening, read_samples

Factory = Callable[[Env], Any]

KINDS = {"scorer": Scorer, "filter": Filter, "reward": Reward}


class Guest:
    """An opened instance. It is used by one thread at a time."""

    def __init__(self, factory: Factory, manifest: Manifest, opening: memoryview, call: Call) -> None:
        self._replies = Replies(manifest)
        self._plugin = factory(read_opening(Frame(opening), call))
        for kind in manifest.kinds:
            if not isinstance(self._plugin, KINDS[kind]):
                raise Error(f"{type(self._plugin).__name__} is not a {kind}, which the manifest says")

    def run(self, kind: int, request: memoryview) -> bytes:
        """Answers a request."""
        frame = Frame(request)
        if kind == c.DOCUMENTS:
            ratings = self._as(Scorer).score(read_documents(frame))
            return self._replies.ratings(frame.batch, _complete(ratings, frame))
        if kind == c.DIALOGUES:
            verdicts = self._as(Filter).filter(read_dialogues(frame))
            return self._replies.verdicts(frame.batch, _complete(verdicts, frame))
        if kind == c.SAMPLES:
            judgements = self._as(Reward).reward(read_samples(frame))
            return self._replies.judgements(frame.batch, _complete(judgements, frame))
        raise Error(f"unknown kind of request {kind:#x}")

    def flush(self, kind: int) -> bytes:
        """Answers what the plugin has postponed, at the end of the data."""
        if kind != c.DIALOGUES:
            raise Error(f"requests of kind {kind:#x} have nothing to flush")
        return self._replies.verdicts(0, self._as(Filter).flush())

    def _as(self, interface: Any) -> Any:
        if not isinstance(self._plugin, interface):
            raise Error(f"the plugin is not a {interface.__name__.lower()}")
        return self._plugin


def _complete(answers: Sequence[Any], frame: Frame) -> Sequence[Any]:
    """Raises unless there is one answer for each record."""
    if len(answers) != frame.rows:
        raise Error(f"{len(answers)} answers to {frame.rows} records")
    return answers
