"""The golden frames are read and written byte for byte, and damaged ones refused."""

import pathlib
import unittest

from carebot import columns as c
from carebot.answers import Action, Edit, EditOp, Judgement, Rating, Status, Verdict
from carebot.frame import Builder, Frame, FrameError
from carebot.manifest import Manifest, ScoreInfo
from carebot.model import LogLik, LogLikRequest, ModelInfo
from carebot.model import read_logliks, read_vectors, write_embed, write_logliks, write_texts
from carebot.records import Dialogue, Document, Role, Sample, Turn
from carebot.replies import Replies
from carebot.requests import read_dialogues, read_documents, read_opening, read_samples

FRAMES = pathlib.Path(__file__).parents[2] / "sdktest" / "testdata" / "frames"
GOLDEN = {path.stem: bytes.fromhex(path.read_text()) for path in FRAMES.glob("*.hex")}

REPLIES = Replies(Manifest("m", "1", scores=[ScoreInfo("a"), ScoreInfo("b")], reasons=["short", "rude"]))
TURNS = [Turn(Role.USER, "头痛？"), Turn(Role.ASSISTANT, "Rest.")]


def frame(name: str) -> Frame:
    return Frame(memoryview(GOLDEN[name]))


READ = {
    "documents": (read_documents, [Document("1", "héllo", "fr", "s", "{}"), Document("2")]),
    "dialogues": (read_dialogues, [Dialogue("1", TURNS, "zh"), Dialogue("2")]),
    "samples": (read_samples, [Sample("1", TURNS[:1], "Rest.", "rest")]),
    "loglik-answer": (read_logliks, [LogLik(-1.5, -2.25, 3)]),
    "vectors": (lambda f: read_vectors(f, c.EMBED), [[1, 0.5], []]),
}

WRITTEN = {
    "ratings": lambda: REPLIES.ratings(
        1,
        [Rating({"a": 0.5}, detail="fine"), Rating(status=Status.ABSTAIN), Rating(status=Status.FAULT, detail="broken")],
    ),
    "verdicts": lambda: REPLIES.verdicts(2, [
        Verdict(score=0.25), Verdict(Action.DROP, -1, ["rude", "short"]),
        Verdict(Action.EDIT, edits=[Edit(1, EditOp.REPLACE, "Sleep."), Edit(0, EditOp.DELETE)]), Verdict(Action.LATER),
    ]),
    "judgements": lambda: REPLIES.judgements(3, [Judgement(1.5, {"a": 1})]),
    "loglik": lambda: write_logliks([LogLikRequest(TURNS, "c", TURNS[:1]), LogLikRequest(TURNS[:1], "d")]),
    "texts": lambda: write_texts([TURNS]),
    "embed": lambda: write_embed(["a", "文"]),
}


def copied(f: Frame) -> bytes:
    """Writes a frame again, column by column."""
    b = Builder(f.kind, f.rows, f.batch)
    for column, kind in f.columns().items():
        if kind == c.BYTES:
            b.texts(column, f.texts(column, f.children(column) if column & c.CHILD else None))
        elif kind == c.LIST:
            ends = f.lists(column)
            b.lists(column, [end - start for start, end in zip(ends, ends[1:])])
        else:
            b.values(column, kind, f.values(column, kind, f.children(column) if column & c.CHILD else None))
        validity = f._columns[column].validity
        if validity is not None:
            rows = f._columns[column].rows
            b.validity([bool(validity[i >> 3] >> (i & 7) & 1) for i in range(rows)])
    return b.finish()


class Golden(unittest.TestCase):
    def test_every_frame_is_read_or_written(self) -> None:
        self.assertEqual(set(GOLDEN), {*READ, *WRITTEN, "open"})

    def test_read(self) -> None:
        for name, (read, want) in READ.items():
            with self.subTest(name):
                self.assertEqual(read(frame(name)), want)

    def test_written(self) -> None:
        for name, write in WRITTEN.items():
            with self.subTest(name):
                self.assertEqual(write().hex(" "), GOLDEN[name].hex(" "))

    def test_copied(self) -> None:
        for name, golden in GOLDEN.items():
            with self.subTest(name):
                self.assertEqual(copied(frame(name)).hex(" "), golden.hex(" "))

    def test_opening(self) -> None:
        env = read_opening(frame("open"), lambda *_: memoryview(b""))
        self.assertEqual((env.config, env.seed), ({"low": 0.5}, 7))
        self.assertEqual(env.model("lm").info, ModelInfo("boost", 512, 1, 64))
        with self.assertRaisesRegex(Exception, 'model "other" is not granted'):
            env.model("other")

    def test_damaged(self) -> None:
        for name, golden in GOLDEN.items():
            for at in range(len(golden)):
                with self.assertRaises(FrameError):
                    Frame(memoryview(golden[:at]))
                for value in (0, 1, 0x7F, 0xFF):
                    damaged = bytearray(golden)
                    damaged[at] = value
                    try:
                        copied(Frame(memoryview(damaged)))
                    except FrameError:
                        pass

    def test_limits(self) -> None:
        with self.assertRaisesRegex(FrameError, "larger than 16 MiB"):
            write_embed(["x" * c.MAX_FRAME])


if __name__ == "__main__":
    unittest.main()
