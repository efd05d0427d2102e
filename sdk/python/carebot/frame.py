"""Frames: batches of records and answers in columns, little endian, as package sdk/wire describes them."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Optional

from carebot.columns import BYTES, CHILD, F32, F64, I64, LIST, MAX_COLUMNS, MAX_FRAME, MAX_ROWS, U8, U16, U32

_MAGIC = b"DPF1"
_VERSION = 1
_HEADER = struct.Struct("<4sHHIHHIIQ")  # magic, version, kind, rows, columns, flags, length, reserved, batch
_ENTRY = struct.Struct("<HBBIIIII")  # column, type, flags, child rows, data, its length, offsets, validity
_NULLABLE = 1
_CHILD = 2

# The codes of module array for the types of columns. They have the same width on every system that Python runs on.
_CODES = {U8: "B", U16: "H", U32: "I", I64: "q", F32: "f", F64: "d"}


class FrameError(ValueError):
    """A frame is malformed, or too large."""


class _Column(NamedTuple):
    type: int
    rows: int
    children: int
    data: memoryview
    offsets: Optional[memoryview]
    validity: Optional[memoryview]


class Frame:
    """A validated view of a received frame. A column that was not sent reads as empty texts, empty lists and zeros."""

    def __init__(self, data: memoryview) -> None:
        if not _HEADER.size <= len(data) <= MAX_FRAME:
            raise FrameError(f"frame of {len(data)} bytes")
        magic, version, self.kind, self.rows, count, _, length, _, self.batch = _HEADER.unpack_from(data)
        if magic != _MAGIC or version != _VERSION or length != len(data) or self.rows > MAX_ROWS:
            raise FrameError(f"frame of {len(data)} bytes has a wrong header")
        if count > MAX_COLUMNS or _HEADER.size + count * _ENTRY.size > len(data):
            raise FrameError(f"frame of {len(data)} bytes says {count} columns")
        self._data = data
        self._columns: dict[int, _Column] = {}
        directory = data[_HEADER.size : _HEADER.size + count * _ENTRY.size]
        for entry in _ENTRY.iter_unpack(directory):
            self._admit(*entry)

    def _admit(
        self, column: int, kind: int, flags: int, children: int, data: int, size: int, offsets: int, validity: int
    ) -> None:
        """Checks one directory entry and keeps it."""
        child = bool(column & CHILD)
        if column in self._columns or bool(flags & _CHILD) != child or not U8 <= kind <= LIST or children > MAX_FRAME:
            raise FrameError(f"column {column:#x}: wrong directory entry")
        rows = children if child else self.rows
        if kind in _CODES and size != rows * array(_CODES[kind]).itemsize:
            raise FrameError(f"column {column:#x}: {size} bytes for {rows} values of type {kind}")
        self._columns[column] = _Column(
            kind, rows, children,
            memoryview(b"") if kind == LIST else self._span(data, size),
            None if kind in _CODES else self._span(offsets, 4 * (rows + 1)),
            self._span(validity, (rows + 7) // 8) if flags & _NULLABLE else None,
        )

    def _span(self, start: int, size: int) -> memoryview:
        if start % 8 or start < _HEADER.size or start + size > len(self._data):
            raise FrameError(f"{size} bytes from {start} do not fit a frame of {len(self._data)}")
        return self._data[start : start + size]

    def expect(self, kind: int) -> None:
        """Makes another kind of frame an error."""
        if self.kind != kind:
            raise FrameError(f"frame of kind {self.kind:#x}, not {kind:#x}")

    def columns(self) -> dict[int, int]:
        """The numbers and types of the columns, in their order."""
        return {number: column.type for number, column in self._columns.items()}

    def children(self, column: int) -> int:
        """The rows of the child columns of a list, or of a child column itself."""
        found = self._columns.get(column)
        return found.children if found else 0

    def _find(self, column: int, kind: int, rows: int) -> Optional[_Column]:
        found = self._columns.get(column)
        if found and (found.type != kind or found.rows != rows) or not found and column & CHILD and rows:
            raise FrameError(f"column {column:#x} is missing, or has another type or number of rows")
        return found

    def values(self, column: int, kind: int, rows: Optional[int] = None) -> Sequence[Any]:
        """The values of a column of fixed width."""
        rows = self.rows if rows is None else rows
        found = self._find(column, kind, rows)
        return _unpacked(_CODES[kind], found.data) if found else [0] * rows

    def texts(self, column: int, rows: Optional[int] = None) -> list[str]:
        """The values of a column of texts."""
        rows = self.rows if rows is None else rows
        found = self._find(column, BYTES, rows)
        if not found:
            return [""] * rows
        data, ends = bytes(found.data), _offsets(found, len(found.data))
        return [data[a:b].decode("utf-8", "replace") for a, b in zip(ends, ends[1:])]

    def lists(self, column: int) -> list[int]:
        """List i of a column are the elements lists[i] to lists[i+1] of its child columns."""
        found = self._find(column, LIST, self.rows)
        return _offsets(found, found.children) if found else [0] * (self.rows + 1)


def _offsets(column: _Column, end: int) -> list[int]:
    """The offsets of a column, which never fall and stay within what they point into."""
    offsets = _unpacked("I", column.offsets).tolist()
    if offsets != sorted(offsets) or offsets[-1] > end:
        raise FrameError("the offsets of a column are out of order")
    return offsets


def _unpacked(code: str, data: Any) -> array[Any]:
    values = array(code)
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _packed(code: str, values: Iterable[Any]) -> bytes:
    packed = array(code, values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


class Builder:
    """Writes one frame. Columns are added in the order in which they are to stand."""

    def __init__(self, kind: int, rows: int, batch: int = 0) -> None:
        self._kind, self._rows, self._batch = kind, rows, batch
        self._entries: list[list[int]] = []  # as in the directory, with places that count from its end
        self._parts: list[bytes] = []
        self._size = 0  # of all parts; the directory's own size is a multiple of 8

    def values(self, column: int, kind: int, values: Sequence[Any]) -> None:
        """Adds a column of fixed width."""
        entry = self._enter(column, kind, len(values))
        data = _packed(_CODES[kind], values)
        entry[4], entry[5] = self._add(data), len(data)

    def texts(self, column: int, texts: Sequence[str]) -> None:
        """Adds a column of texts."""
        self.blobs(column, [text.encode("utf-8", "replace") for text in texts])

    def blobs(self, column: int, blobs: Sequence[bytes]) -> None:
        """Adds a column of byte strings."""
        entry = self._enter(column, BYTES, len(blobs))
        entry[6] = self._add(_packed("I", _ends(map(len, blobs))))
        data = b"".join(blobs)
        entry[4], entry[5] = self._add(data), len(data)

    def lists(self, column: int, lengths: Sequence[int]) -> None:
        """Adds a column of lists of the given lengths. The child columns follow."""
        entry = self._enter(column, LIST, len(lengths))
        ends = _ends(lengths)
        entry[3], entry[6] = ends[-1], self._add(_packed("I", ends))

    def validity(self, exists: Sequence[bool]) -> None:
        """Marks which values of the latest column exist."""
        bits = bytearray((len(exists) + 7) // 8)
        for i, there in enumerate(exists):
            bits[i >> 3] |= there << (i & 7)
        entry = self._entries[-1]
        entry[2] |= _NULLABLE
        entry[7] = self._add(bytes(bits))

    def finish(self) -> bytes:
        """Returns the frame."""
        start = _HEADER.size + _ENTRY.size * len(self._entries)
        length = start + self._size
        if length > MAX_FRAME or self._rows > MAX_ROWS or len(self._entries) > MAX_COLUMNS:
            raise FrameError(f"frame of {self._rows} rows is larger than {MAX_FRAME >> 20} MiB")
        header = _HEADER.pack(
            _MAGIC, _VERSION, self._kind, self._rows, len(self._entries), 0, length, 0, self._batch
        )
        directory = []
        for column, kind, flags, children, data, size, offsets, validity in self._entries:
            places = [start + place if place >= 0 else 0 for place in (data, offsets, validity)]
            directory.append(_ENTRY.pack(column, kind, flags, children, places[0], size, places[1], places[2]))
        return b"".join([header, *directory, *self._parts])

    def _enter(self, column: int, kind: int, rows: int) -> list[int]:
        """Begins a directory entry: column, type, flags, child rows, and no places yet."""
        child = bool(column & CHILD)
        entry = [column, kind, _CHILD * child, rows * child, -1, 0, -1, -1]
        self._entries.append(entry)
        return entry

    def _add(self, part: bytes) -> int:
        """Adds bytes at the next multiple of 8 and returns their place."""
        padding = -self._size % 8
        place = self._size + padding
        self._parts += (bytes(padding), part)
        self._size = place + len(part)
        return place


def _ends(lengths: Iterable[int]) -> list[int]:
    """Where things of these lengths begin, and where the last ends."""
    ends = [0]
    for length in lengths:
        ends.append(ends[-1] + length)
    return ends
