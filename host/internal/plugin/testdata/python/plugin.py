#!/usr/bin/env python3
"""A scorer in Python with nothing but grpcio: it measures documents, and reads a file when the text asks it to."""

import os
import struct
import sys
from concurrent import futures

import grpc

MANIFEST = b"""{"abi": 1, "name": "measure", "version": "1", "kinds": ["scorer"], "purity": "pure", "columns": ["text"],
"scores": [{"name": "length"}]}"""
TEXT, STATUS, DETAIL, SCORE = 0x02, 0x20, 0x21, 0x100
U8, F32, BYTES = 1, 5, 7


def varint(data, at):
    value = shift = 0
    while True:
        byte, at = data[at], at + 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def field(data, wanted):
    """Return a field of bytes of a message."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            if tag >> 3 == wanted:
                return data[at:at + value]
            at += value
    return b""


def message(number, data):
    out, left = bytearray([number << 3 | 2]), len(data)
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    out.append(left)
    return bytes(out) + data


def texts(frame):
    rows, columns = struct.unpack_from("<IH", frame, 8)
    for i in range(columns):
        column, kind, _, _, data, _, offsets, _ = struct.unpack_from("<HBBIIIII", frame, 32 + 24 * i)
        if (column, kind) == (TEXT, BYTES):
            ends = struct.unpack_from("<%dI" % (rows + 1), frame, offsets)
            return [frame[data + a:data + b] for a, b in zip(ends, ends[1:])]
    raise ValueError("no texts")


def ratings(batch, scores, details):
    rows, body, directory = len(scores), bytearray(), b""
    start = 32 + 3 * 24

    def put(data):
        body.extend(bytes(-len(body) % 8))
        body.extend(data)
        return start + len(body) - len(data)

    at = put(bytes(rows))
    directory += struct.pack("<HBBIIIII", STATUS, U8, 0, 0, at, rows, 0, 0)
    ends = [0]
    for detail in details:
        ends.append(ends[-1] + len(detail))
    offsets = put(struct.pack("<%dI" % (rows + 1), *ends))
    at = put(b"".join(details))
    directory += struct.pack("<HBBIIIII", DETAIL, BYTES, 0, 0, at, ends[-1], offsets, 0)
    at = put(struct.pack("<%df" % rows, *scores))
    directory += struct.pack("<HBBIIIII", SCORE, F32, 0, 0, at, 4 * rows, 0, 0)
    total = start + len(body)
    return struct.pack("<IHHIHHIIQ", 0x31465044, 1, 0x81, rows, 3, 0, total, 0, batch) + directory + bytes(body)


def attempt(text):
    what, _, path = text.decode().partition(" ")
    if what != "read":
        return b""
    try:
        with open(path, encoding="utf-8") as f:
            return f.read().encode()
    except OSError as err:
        return str(err).encode()


def run(request, _):
    frame = field(request, 2)
    documents = texts(frame)
    return message(1, ratings(struct.unpack_from("<Q", frame, 24)[0], [len(d) for d in documents],
                              [attempt(d) for d in documents]))


METHODS = {
    "/carebot.dp1.Plugin/Describe": lambda request, _: message(1, MANIFEST),
    "/carebot.dp1.Plugin/Open": lambda request, _: b"",
    "/carebot.dp1.Plugin/Run": run,
    "/grpc.health.v1.Health/Check": lambda request, _: b"\x08\x01",
    "/plugin.GRPCController/Shutdown": lambda request, _: os._exit(0),
}


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        method = METHODS.get(details.method)
        return grpc.unary_unary_rpc_method_handler(method) if method else None


def main():
    if os.environ.get("CAREBOT_PLUGIN") != "dp1":
        sys.exit("this is a plugin; the host starts it")
    limit = (16 << 20) + (64 << 10)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2), options=[
        ("grpc.max_receive_message_length", limit), ("grpc.max_send_message_length", limit)])
    server.add_generic_rpc_handlers((Handler(),))
    path = os.path.join(os.environ["PLUGIN_UNIX_SOCKET_DIR"], "plugin.sock")
    server.add_insecure_port("unix:" + path)
    server.start()
    print("1|1|unix|%s|grpc" % path, flush=True)
    server.wait_for_termination()


main()
