"""What the plugin answers, as frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from carebot import columns as c
from carebot.answers import Judgement, Rating, Verdict
from carebot.errors import Error
from carebot.frame import Builder
from carebot.manifest import Manifest

_MAX_DETAIL = 1 << 10


class Replies:
    """Writes answers with the names that a manifest declares. Numbers travel."""

    def __init__(self, manifest: Manifest) -> None:
        self._scores = [score.name for score in manifest.scores]
        self._reasons = {name: number for number, name in enumerate(manifest.reasons)}

    def ratings(self, batch: int, ratings: Sequence[Rating]) -> bytes:
        """Writes the answer to documents."""
        b = Builder(c.DOCUMENTS | c.ANSWER, len(ratings), batch)
        b.values(c.STATUS, c.U8, [r.status for r in ratings])
        b.blobs(c.DETAIL, [_detail(r.detail) for r in ratings])
        self._write_scores(b, [r.scores for r in ratings])
        return b.finish()

    def judgements(self, batch: int, judgements: Sequence[Judgement]) -> bytes:
        """Writes the answer to samples."""
        b = Builder(c.SAMPLES | c.ANSWER, len(judgements), batch)
        b.values(c.STATUS, c.U8, [j.status for j in judgements])
        b.blobs(c.DETAIL, [_detail(j.detail) for j in judgements])
        b.values(c.REWARD, c.F32, [j.reward for j in judgements])
        self._write_scores(b, [j.parts for j in judgements])
        return b.finish()

    def verdicts(self, batch: int, verdicts: Sequence[Verdict]) -> bytes:
        """Writes the answer to dialogues."""
        b = Builder(c.DIALOGUES | c.ANSWER, len(verdicts), batch)
        b.values(c.STATUS, c.U8, [v.status for v in verdicts])
        b.blobs(c.DETAIL, [_detail(v.detail) for v in verdicts])
        b.values(c.ACTION, c.U8, [v.action for v in verdicts])
        b.values(c.SCORE, c.F32, [v.score for v in verdicts])
        b.lists(c.REASONS, [len(v.reasons) for v in verdicts])
        b.values(c.REASON, c.U16, [self._reason(name) for v in verdicts for name in v.reasons])
        _write_edits(b, verdicts)
        return b.finish()

    def _reason(self, name: str) -> int:
        if name not in self._reasons:
            raise Error(f'reason "{name}" is not declared in the manifest')
        return self._reasons[name]

    def _write_scores(self, b: Builder, rows: Sequence[Mapping[str, float]]) -> None:
        """Adds one column for each declared score. What a row lacks is marked as absent."""
        given = 0
        for k, name in enumerate(self._scores):
            there = [name in row for row in rows]
            b.values(c.SCORES + k, c.F32, [row.get(name, 0.0) for row in rows])
            given += sum(there)
            if not all(there):
                b.validity(there)
        if given != sum(map(len, rows)):
            undeclared = min(name for row in rows for name in row if name not in self._scores)
            raise Error(f'score "{undeclared}" is not declared in the manifest')


def _write_edits(b: Builder, verdicts: Sequence[Verdict]) -> None:
    edits = [(row, edit) for row, verdict in enumerate(verdicts) for edit in verdict.edits]
    b.values(c.EDIT_ROW, c.U32, [row for row, _ in edits])
    b.values(c.EDIT_TURN, c.U32, [edit.turn for _, edit in edits])
    b.values(c.EDIT_OP, c.U8, [edit.op for _, edit in edits])
    b.texts(c.EDIT_TEXT, [edit.text for _, edit in edits])


def _detail(text: str) -> bytes:
    """Cuts a text between two characters, as the host does."""
    data = text.encode("utf-8", "replace")
    if len(data) <= _MAX_DETAIL:
        return data
    end = _MAX_DETAIL - 1
    while data[end] & 0xC0 == 0x80:
        end -= 1
    return data[:end]
