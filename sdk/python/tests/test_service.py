"""The service, on encoded messages: what the host is told, and how."""

import logging
import math
import os
import tempfile
import unittest

import carebot
from carebot import columns as c
from carebot.frame import Builder, Frame
from carebot.guest import Guest
from carebot.model import Model, ModelInfo
from carebot.protobuf import decode, encode
from carebot.serve import _Lines
from carebot.service import Service

MANIFEST = carebot.Manifest("lengths", "1", kinds=["scorer"], scores=[carebot.ScoreInfo("length")])


class Lengths(carebot.Scorer):
    def score(self, documents: list[carebot.Document]) -> list[carebot.Rating]:
        for document in documents:
            if document.text == "bad":
                raise carebot.Error("as asked")
            if document.text == "worse":
                raise KeyError("worse")
            if document.text == "undeclared":
                return [carebot.Rating({"width": 1}) for _ in documents]
        return [carebot.Rating({"length": len(d.text)}) for d in documents if d.text != "none"]


def opening(config: str = "{}") -> bytes:
    b = Builder(c.OPEN, 1)
    b.texts(c.CONFIG, [config])
    b.values(c.SEED, c.I64, [-1])
    return b.finish()


def documents(*texts: str) -> bytes:
    b = Builder(c.DOCUMENTS, len(texts), 9)
    b.texts(c.TEXT, texts)
    return b.finish()


class ServiceTest(unittest.TestCase):
    def setUp(self) -> None:
        self.service = Service(Lengths, MANIFEST)
        self.assertEqual(self.service.open(encode({1: opening()})), b"")

    def ask(self, *texts: str) -> str:
        """What the host is told of a call that fails."""
        reply = decode(self.service.run(encode({1: c.DOCUMENTS, 2: documents(*texts)})))
        self.assertFalse(reply.data(1))
        return reply.text(2)

    def test_answers(self) -> None:
        reply = decode(self.service.run(encode({1: c.DOCUMENTS, 2: documents("a", "bcd")})))
        frame = Frame(reply.data(1))
        self.assertEqual((frame.kind, frame.batch), (c.DOCUMENTS | c.ANSWER, 9))
        self.assertEqual(list(frame.values(c.SCORES, c.F32)), [1, 3])

    def test_failures(self) -> None:
        self.assertEqual(self.ask("a", "bad"), "as asked")
        self.assertRegex(self.ask("worse"), r"^KeyError: 'worse' \(test_service.py, line \d+\)$")
        self.assertEqual(self.ask("undeclared"), 'score "width" is not declared in the manifest')
        self.assertEqual(self.ask("none", "b"), "1 answers to 2 records")
        reply = decode(self.service.run(encode({1: c.SAMPLES, 2: documents()})))
        self.assertEqual(reply.text(2), "the plugin is not a reward")
        self.assertRegex(decode(self.service.run(encode({1: c.DOCUMENTS, 2: b"x"}))).text(2), "frame of 1 bytes")
        self.assertRegex(decode(self.service.run(b"\xff")).text(2), "ends within a number")
        self.assertEqual(decode(Service(Lengths, MANIFEST).run(b"")).text(2), "the instance is not open")

    def test_class_without_the_kind(self) -> None:
        manifest = carebot.Manifest("lengths", "1", kinds=["reward"])
        with self.assertRaisesRegex(carebot.Error, "Lengths is not a reward, which the manifest says"):
            Guest(Lengths, manifest, memoryview(opening()), lambda *_: memoryview(b""))

    def test_shared_memory(self) -> None:
        with tempfile.TemporaryFile() as file:
            file.truncate(8192)
            reply = self.service.open(encode({1: opening(), 4: encode({1: file.fileno(), 2: 8192})}))
            self.assertEqual(decode(reply).number(2), 1)
            request = documents("a", "bcd")
            os.pwrite(file.fileno(), request, 0)
            reply = decode(self.service.run(encode({1: c.DOCUMENTS, 3: len(request)})))
            answer = os.pread(file.fileno(), reply.number(3), 4096)
            self.assertEqual(list(Frame(memoryview(answer)).values(c.SCORES, c.F32)), [1, 3])
            reply = decode(self.service.run(encode({1: c.DOCUMENTS, 3: 4097})))
            self.assertEqual(reply.text(2), "a frame of 4097 bytes does not lie in the shared memory")


class ModelTest(unittest.TestCase):
    def test_long_lists_are_asked_in_parts(self) -> None:
        asked = []

        def call(kind: int, model: int, request: bytes) -> memoryview:
            texts = Frame(memoryview(request)).texts(c.TEXT)
            asked.append(len(texts))
            b = Builder(c.EMBED | c.ANSWER, len(texts))
            b.lists(c.VECTOR, [1] * len(texts))
            b.values(c.VALUE, c.F64, [len(text) for text in texts])
            return memoryview(b.finish())

        texts = ["x" * (i % 7) for i in range(9000)]
        vectors = Model(0, ModelInfo(hidden=1), call).embed(texts)
        self.assertEqual(vectors, [[len(text)] for text in texts])
        self.assertEqual(asked, [4096, 4096, 808])
        asked.clear()
        Model(0, ModelInfo(hidden=1), call).embed(["x" * (1 << 19)] * 5)
        self.assertEqual(asked, [2, 2, 1])
        self.assertEqual(Model(0, ModelInfo(), call).embed([]), [])

    def test_failure(self) -> None:
        b = Builder(c.FAILURE, 1)
        b.texts(c.DETAIL, ["refused"])
        with self.assertRaisesRegex(carebot.ModelError, "^refused$"):
            Model(0, ModelInfo(), lambda *_: memoryview(b.finish())).embed(["a"])


class Values(unittest.TestCase):
    def test_values_beyond_the_width(self) -> None:
        b = Builder(c.DOCUMENTS | c.ANSWER, 3)
        b.values(c.SCORE, c.F32, [1e300, float("nan"), 0.1])
        big, nan, tenth = Frame(memoryview(b.finish())).values(c.SCORE, c.F32)
        self.assertTrue(big == math.inf and math.isnan(nan) and tenth == 0.10000000149011612)

    def test_messages(self) -> None:
        fixed = b"\x29" + bytes(8) + b"\x35" + bytes(4)
        message = decode(encode({1: 300, 2: "é", 3: b"", 15: (1 << 64) - 1, 16: b"x"}) + fixed)
        self.assertEqual((message.number(1), message.text(2), message.number(15)), (300, "é", (1 << 64) - 1))
        self.assertEqual((bytes(message.data(16)), message.text(7), message.number(8)), (b"x", "", 0))
        for bad in (b"\x0b", b"\x0a\x05a", b"\x08" + b"\xff" * 11, b"\x09\x00"):
            with self.assertRaises(ValueError):
                decode(bad)

    def test_log_lines(self) -> None:
        record = logging.LogRecord("x", logging.WARNING, "f", 1, "two\nlines", (), None)
        self.assertEqual(_Lines().format(record), "[WARN] two\\nlines")

    def test_manifest(self) -> None:
        manifest = carebot.Manifest(
            "m", "1", "what", scores=[carebot.ScoreInfo("a", min=0)],
            config={"k": carebot.ConfigKey("integer", default=0)}, required=["k"],
        )
        self.assertEqual(manifest.to_json(), {
            "abi": 1, "name": "m", "version": "1", "summary": "what", "kinds": [], "purity": "pure",
            "scores": [{"name": "a", "min": 0, "higher_is_better": False}],
            "config": {"properties": {"k": {"type": ["integer"], "default": 0}}, "required": ["k"]},
        })


if __name__ == "__main__":
    unittest.main()
