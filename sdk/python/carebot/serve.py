"""serve(), which makes a plugin of a script."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import sys
import tempfile
import threading
from concurrent import futures
from typing import Any, NoReturn

import grpc

from carebot.guest import KINDS, Factory
from carebot.manifest import ABI, Manifest
from carebot.service import MESSAGE_SIZES, Service

_COOKIE = ("CAREBOT_PLUGIN", "dp1")
_SERVING = b"\x08\x01"  # of grpc.health.v1


def serve(plugin: Factory, manifest: Manifest) -> NoReturn:
    """Serves a plugin to the host that has started the script, and returns never.

    `plugin` is the plugin's class; it is called with the Env. With the argument -manifest the script prints its
    manifest. What the script prints while it serves goes to the host's log, as does what module logging is given.
    """
    manifest = _with_kinds(plugin, manifest)
    if sys.argv[1:] == ["-manifest"]:
        print(json.dumps(manifest.to_json(), indent=2, ensure_ascii=False))
        sys.exit(0)
    if os.environ.get(_COOKIE[0]) != _COOKIE[1]:
        sys.exit(f"{manifest.name} is a plugin of CareBot, which starts it: name this file as `use` in a recipe")
    _log_to(sys.stderr)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal, and meant for the host
    server, socket = _listen(Service(plugin, manifest), stopped)
    _shake_hands(socket)
    stopped.wait()
    server.stop(grace=0.2).wait()
    sys.stderr.flush()
    os._exit(0)  # not even a thread that hangs keeps the process


def _with_kinds(plugin: Factory, manifest: Manifest) -> Manifest:
    """The manifest with the kinds that the class has, when it names none."""
    if manifest.kinds or not isinstance(plugin, type):
        return manifest
    kinds = tuple(kind for kind, interface in KINDS.items() if issubclass(plugin, interface))
    return dataclasses.replace(manifest, kinds=kinds)


class _Handlers(grpc.GenericRpcHandler):
    """Finds the methods of all services by their names."""

    def __init__(self, service: Service, stopped: threading.Event) -> None:
        def stop(_: bytes) -> bytes:
            stopped.set()
            return b""

        methods = {
            **service.methods(),
            "/grpc.health.v1.Health/Check": lambda _: _SERVING,
            "/plugin.GRPCController/Shutdown": stop,
        }
        self._handlers = {name: _handler(method) for name, method in methods.items()}

    def service(self, handler_call_details: Any) -> Any:
        return self._handlers.get(handler_call_details.method)


def _handler(method: Any) -> Any:
    return grpc.unary_unary_rpc_method_handler(lambda request, _: method(request))


def _listen(service: Service, stopped: threading.Event) -> tuple[grpc.Server, str]:
    """Listens in the folder that the host gives. One thread answers calls, the others health checks and the end."""
    folder = os.environ.get("PLUGIN_UNIX_SOCKET_DIR") or tempfile.mkdtemp(prefix="carebot-")
    socket = os.path.join(folder, f"python{os.getpid()}")
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=3), options=MESSAGE_SIZES)
    server.add_generic_rpc_handlers((_Handlers(service, stopped),))
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    return server, socket


def _shake_hands(socket: str) -> None:
    """Writes the line that go-plugin waits for. What is printed later goes to standard error."""
    sys.stdout.flush()
    print(f"1|{ABI}|unix|{socket}|grpc", flush=True)
    os.dup2(2, 1)


_LEVELS = ((logging.ERROR, "ERROR"), (logging.WARNING, "WARN"), (logging.INFO, "INFO"), (logging.DEBUG, "DEBUG"))


class _Lines(logging.Formatter):
    """One line for each message, marked so that the host knows the level."""

    def format(self, record: logging.LogRecord) -> str:
        mark = next((name for level, name in _LEVELS if record.levelno >= level), "DEBUG")
        return f"[{mark}] " + super().format(record).replace("\n", "\\n")


def _log_to(stream: Any) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Lines())
    logging.basicConfig(level=logging.DEBUG, handlers=[handler], force=True)
