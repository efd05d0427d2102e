"""What plugins are asked about."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Role(str, enum.Enum):
    """Who speaks. RAW marks text that a chat template must not wrap."""

    RAW = ""
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass
class Turn:
    """One utterance of a dialogue."""

    role: Role
    text: str


@dataclass
class Document:
    """One text of a corpus. `language` is a BCP 47 tag or empty, `meta` a JSON object or empty."""

    id: str = ""
    text: str = ""
    language: str = ""
    source: str = ""
    meta: str = ""


@dataclass
class Dialogue:
    """A conversation in the order it was held."""

    id: str = ""
    turns: list[Turn] = field(default_factory=list)
    language: str = ""
    source: str = ""


@dataclass
class Sample:
    """One answer to be judged.

    `history` ends with the turn that the response answers; `reference` is the known right answer, or empty.
    """

    id: str = ""
    history: list[Turn] = field(default_factory=list)
    response: str = ""
    reference: str = ""
