"""What plugins answer."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Status(enum.IntEnum):
    """What an answer is worth. A fault is never a score: the host retries it, then sets the record aside."""

    OK = 0
    ABSTAIN = 1  # the plugin does not judge this record
    FAULT = 2  # the plugin failed on this record; detail says why


@dataclass
class Rating:
    """Answers one Document: a value for each score of the manifest, by name. Values travel as 32-bit floats."""

    scores: dict[str, float] = field(default_factory=dict)
    status: Status = Status.OK
    detail: str = ""


class Action(enum.IntEnum):
    """What a filter wants done with a dialogue. LATER postpones the verdict to flush()."""

    KEEP = 0
    DROP = 1
    EDIT = 2
    LATER = 3


class EditOp(enum.IntEnum):
    """A change to one turn. INSERT puts a user or assistant turn, whichever keeps the alternation, before the turn."""

    REPLACE = 0
    DELETE = 1
    INSERT = 2


@dataclass
class Edit:
    """Changes turn `turn` (counted from 0, in the dialogue as it stands after the edits before this one)."""

    turn: int
    op: EditOp
    text: str = ""


@dataclass
class Verdict:
    """Answers one Dialogue. `reasons` are names of the manifest; `edits` hold when the action is EDIT."""

    action: Action = Action.KEEP
    score: float = 0.0
    reasons: list[str] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    status: Status = Status.OK
    detail: str = ""


@dataclass
class Judgement:
    """Answers one Sample. `parts` are scores of the manifest, by name."""

    reward: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    status: Status = Status.OK
    detail: str = ""
