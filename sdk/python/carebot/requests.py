"""What the host sends: records, and what an instance is opened with."""

from __future__ import annotations

import json

from carebot import columns as c
from carebot.frame import Frame, FrameError
from carebot.model import Call, Model, ModelInfo
from carebot.plugin import Env
from carebot.records import Dialogue, Document, Sample
from carebot.turns import read_lists


def read_documents(frame: Frame) -> list[Document]:
    """Reads a request for ratings. Columns that were not sent are empty."""
    frame.expect(c.DOCUMENTS)
    return list(map(Document, *map(frame.texts, (c.ID, c.TEXT, c.LANGUAGE, c.SOURCE, c.META))))


def read_dialogues(frame: Frame) -> list[Dialogue]:
    """Reads a request for verdicts. Columns that were not sent are empty."""
    frame.expect(c.DIALOGUES)
    turns = read_lists(frame, (c.TURNS, c.TURN_ROLE, c.TURN_TEXT))
    return list(map(Dialogue, frame.texts(c.ID), turns, frame.texts(c.LANGUAGE), frame.texts(c.SOURCE)))


def read_samples(frame: Frame) -> list[Sample]:
    """Reads a request for judgements. Columns that were not sent are empty."""
    frame.expect(c.SAMPLES)
    history = read_lists(frame, (c.HISTORY, c.HISTORY_ROLE, c.HISTORY_TEXT))
    return list(map(Sample, frame.texts(c.ID), history, frame.texts(c.RESPONSE), frame.texts(c.REFERENCE)))


def read_opening(frame: Frame, call: Call) -> Env:
    """Reads what an instance is opened with."""
    frame.expect(c.OPEN)
    if frame.rows != 1:
        raise FrameError(f"{frame.rows} rows instead of one")
    n = frame.children(c.MODELS)
    texts = [frame.texts(column, n) for column in (c.MODEL_NAME, c.MODEL_INFO)]
    numbers = [frame.values(column, c.U32, n) for column in (c.MODEL_TOKENS, c.MODEL_OUTPUTS, c.MODEL_HIDDEN)]
    models = {
        name: Model(i, ModelInfo(*info), call) for i, (name, *info) in enumerate(zip(*texts, *numbers))
    }
    seed = frame.values(c.SEED, c.I64)[0] % (1 << 64)
    return Env(json.loads(frame.texts(c.CONFIG)[0]), seed, models)
