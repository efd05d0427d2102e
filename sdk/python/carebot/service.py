"""The Plugin service of dp1.proto, and the Host service as its client."""

from __future__ import annotations

import json
import mmap
import os
import threading
import traceback
from collections.abc import Callable
from typing import Any, Optional

import grpc

from carebot import columns as c
from carebot.errors import Error, ModelError
from carebot.guest import Factory, Guest
from carebot.manifest import Manifest
from carebot.protobuf import Message, decode, encode

# A message is a frame and what is around it. gRPC's own limit is lower.
MESSAGE_SIZES = [
    ("grpc.max_receive_message_length", c.MAX_FRAME + (64 << 10)),
    ("grpc.max_send_message_length", c.MAX_FRAME + (64 << 10)),
]

_MODEL_METHODS = {c.LOGLIK: "ModelLogLik", c.TEXTS: "ModelScore", c.EMBED: "ModelEmbed"}


class Service:
    """The methods of the Plugin service, on encoded messages. The host makes one call at a time."""

    def __init__(self, factory: Factory, manifest: Manifest) -> None:
        self._factory, self._manifest = factory, manifest
        self._guest: Optional[Guest] = None
        self._shared: Optional[memoryview] = None
        self._lock = threading.Lock()

    def methods(self) -> dict[str, Callable[[bytes], bytes]]:
        """The methods by their full names."""
        methods = {"Describe": self.describe, "Open": self.open, "Run": self.run, "Flush": self.flush}
        return {f"/carebot.dp1.Plugin/{name}": method for name, method in methods.items()}

    def describe(self, _: bytes) -> bytes:
        """Returns the manifest."""
        return encode({1: json.dumps(self._manifest.to_json())})

    def open(self, request: bytes) -> bytes:
        """Makes the instance: frame 1, socket 2 and token 3 of the host, shared memory 4 -> error 1, shares 2."""
        with self._lock:
            try:
                r = decode(request)
                call = _host(r.text(2), r.text(3))
                self._guest = Guest(self._factory, self._manifest, r.data(1), call)
                self._shared = _mapped(decode(r.data(4)))
            except Exception as e:
                return encode({1: explained(e)})
            return encode({2: int(self._shared is not None)})

    def run(self, request: bytes) -> bytes:
        """Answers a frame: kind 1, frame 2 or shared length 3 -> frame 1 or shared length 3, or else error 2."""
        with self._lock:
            try:
                r = decode(request)
                answer = self._opened().run(r.number(1), self._frame(r))
            except Exception as e:
                return encode({2: explained(e)})
            return self._reply(answer, r.number(3) > 0)

    def flush(self, request: bytes) -> bytes:
        """Answers what was postponed: kind 1 -> frame 1, or else error 2."""
        with self._lock:
            try:
                return encode({1: self._opened().flush(decode(request).number(1))})
            except Exception as e:
                return encode({2: explained(e)})

    def _opened(self) -> Guest:
        if self._guest is None:
            raise Error("the instance is not open")
        return self._guest

    def _frame(self, r: Message) -> memoryview:
        """The frame of a request. One in shared memory, the first half, is valid until its reply."""
        length = r.number(3)
        if not length:
            return r.data(2)
        if self._shared is None or length > len(self._shared) // 2:
            raise Error(f"a frame of {length} bytes does not lie in the shared memory")
        return self._shared[:length]

    def _reply(self, answer: bytes, shared: bool) -> bytes:
        """A reply goes the way that the request has come, when it fits the second half."""
        if not shared or self._shared is None or len(answer) > len(self._shared) // 2:
            return encode({1: answer})
        half = len(self._shared) // 2
        self._shared[half : half + len(answer)] = answer
        return encode({3: len(answer)})


def _mapped(offer: Message) -> Optional[memoryview]:
    """The memory that the host offers: descriptor 1, size 2. A process that cannot map it gets messages."""
    size = offer.number(2)
    if not 0 < size <= 2 * c.MAX_FRAME:
        return None
    try:
        return memoryview(mmap.mmap(offer.number(1), size))
    except (OSError, ValueError):
        return None


def _host(socket: str, token: str) -> Any:
    """Carries model requests to the host. There is no socket without models."""
    if not socket:
        return None
    channel = grpc.insecure_channel(f"unix:{socket}", options=MESSAGE_SIZES)
    methods = {kind: channel.unary_unary(f"/carebot.dp1.Host/{name}") for kind, name in _MODEL_METHODS.items()}

    def call(kind: int, model: int, frame: bytes) -> memoryview:
        try:
            return decode(methods[kind](encode({1: token, 2: model, 3: frame}))).data(1)
        except grpc.RpcError as e:
            raise ModelError(f"ask the host's model: {e.details()}") from e

    return call


_PACKAGE = os.path.dirname(os.path.abspath(__file__))


def explained(e: Exception) -> str:
    """An exception as the host is to be told it: with its type and the last place in the plugin's own files."""
    if isinstance(e, Error):
        return str(e)
    what = "".join(traceback.format_exception_only(type(e), e)).strip()
    places = [f for f in traceback.extract_tb(e.__traceback__) if not f.filename.startswith(_PACKAGE)]
    return f"{what} ({os.path.basename(places[-1].filename)}, line {places[-1].lineno})" if places else what
