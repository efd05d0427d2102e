"""What a plugin implements, and what it is given."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from carebot.answers import Judgement, Rating, Verdict
from carebot.errors import Error
from carebot.model import Model
from carebot.records import Dialogue, Document, Sample


class Env:
    """What the host gives a plugin when it opens it. Tests make their own: `MyScorer(Env({"low": 0.5}))`.

    `config` is the recipe's `with` block, `seed` that of the run, equal in all instances.
    """

    def __init__(
        self, config: Optional[Mapping[str, Any]] = None, seed: int = 0, models: Optional[Mapping[str, Model]] = None
    ) -> None:
        self.config = dict(config or {})
        self.seed = seed
        self._models = dict(models or {})

    def model(self, name: str) -> Model:
        """The model that the recipe binds to a name that the manifest requests."""
        if name not in self._models:
            raise Error(f'model "{name}" is not granted')
        return self._models[name]


class _Plugin:
    """A plugin is made once for each instance. One that overrides __init__ to read its configuration takes the Env."""

    def __init__(self, env: Env) -> None:
        self.env = env


class Scorer(_Plugin, abc.ABC):
    """Rates documents."""

    @abc.abstractmethod
    def score(self, documents: list[Document]) -> Sequence[Rating]:
        """Answers every document, in order."""


class Filter(_Plugin, abc.ABC):
    """Judges dialogues."""

    @abc.abstractmethod
    def filter(self, dialogues: list[Dialogue]) -> Sequence[Verdict]:
        """Answers every dialogue, in order."""

    def flush(self) -> Sequence[Verdict]:
        """At the end of the data, the verdicts that were postponed, in their order.

        A filter that postpones declares purity "stateful", and is run as one instance, in the order of the data.
        """
        return []


class Reward(_Plugin, abc.ABC):
    """Judges answers."""

    @abc.abstractmethod
    def reward(self, samples: list[Sample]) -> Sequence[Judgement]:
        """Answers every sample, in order."""
