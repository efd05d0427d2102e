"""The few messages of dp1.proto, written and read by hand: their fields are numbers, bytes and strings."""

from __future__ import annotations

from typing import Union

_VARINT = 0
_FIXED64 = 1
_BYTES = 2
_FIXED32 = 5

Value = Union[int, bytes, memoryview, str]


class Message(dict[int, Union[int, memoryview]]):
    """The fields of a message by their number; the last of a number counts."""

    def number(self, field: int) -> int:
        """A field of numbers, 0 when it is absent."""
        value = self.get(field, 0)
        if not isinstance(value, int):
            raise ValueError(f"field {field} is not a number")
        return value

    def data(self, field: int) -> memoryview:
        """A field of bytes, empty when it is absent."""
        value = self.get(field, memoryview(b""))
        if isinstance(value, int):
            raise ValueError(f"field {field} is not bytes")
        return value

    def text(self, field: int) -> str:
        """A field of a string, empty when it is absent."""
        return str(self.data(field), "utf-8")


def decode(data: Union[bytes, memoryview]) -> Message:
    """Reads a message. It raises ValueError when the message is malformed."""
    view, message, at = memoryview(data), Message(), 0
    while at < len(view):
        tag, at = _varint(view, at)
        wire = tag & 7
        if wire == _VARINT:
            message[tag >> 3], at = _varint(view, at)
            continue
        if wire == _BYTES:
            size, at = _varint(view, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"a field of wire type {wire}")
        if at + size > len(view):
            raise ValueError("a message ends within a field")
        if wire == _BYTES:
            message[tag >> 3] = view[at : at + size]
        at += size
    return message


def encode(fields: dict[int, Value]) -> bytes:
    """Writes a message. Fields that are 0 or empty are left out."""
    parts: list[Union[bytes, memoryview]] = []
    for field, value in fields.items():
        if isinstance(value, str):
            value = value.encode("utf-8", "replace")
        if isinstance(value, int):
            if value:
                parts += (_tag(field, _VARINT), _uvarint(value))
        elif len(value):
            parts += (_tag(field, _BYTES), _uvarint(len(value)), value)
    return b"".join(parts)


def _tag(field: int, wire: int) -> bytes:
    return _uvarint(field << 3 | wire)


def _uvarint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    """Reads a number of at most 64 bits and returns the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(view):
            raise ValueError("a message ends within a number")
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
    raise ValueError("a number of more than 64 bits")
