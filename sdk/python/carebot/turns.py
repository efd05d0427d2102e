"""Lists of turns in frames."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from carebot import columns as c
from carebot.frame import Builder, Frame
from carebot.records import Role, Turn

_ROLES = (Role.RAW, Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.TOOL)
_NUMBERS = {role: number for number, role in enumerate(_ROLES)}


def read_lists(frame: Frame, columns: tuple[int, int, int]) -> list[list[Turn]]:
    """Reads the turns of each row from the columns of lists, roles and texts."""
    lists, role, text = columns
    ends, n = frame.lists(lists), frame.children(lists)
    roles = [_ROLES[number] for number in frame.values(role, c.U8, n)]
    turns = list(map(Turn, roles, frame.texts(text, n)))
    return [turns[a:b] for a, b in zip(ends, ends[1:])]


def write_lists(b: Builder, columns: tuple[int, int, int], rows: Sequence[Sequence[Turn]]) -> None:
    """Adds the columns of lists, roles and texts."""
    lists, role, text = columns
    b.lists(lists, [len(turns) for turns in rows])
    write_turns(b, role, text, rows)


def write_turns(b: Builder, role: int, text: int, rows: Sequence[Sequence[Turn]]) -> None:
    """Adds the child columns alone."""
    turns = list(chain.from_iterable(rows))
    b.values(role, c.U8, [_NUMBERS[Role(turn.role)] for turn in turns])
    b.texts(text, [turn.text for turn in turns])
