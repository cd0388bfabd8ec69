"""The preloaded interpreter: it imports once, then forks a child for every request it gets over a local socket.

A child lives exactly as long as the connection that asked for it, so whatever dies, even by kill -9, takes what it started with it.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import select
import selectors
import shutil
import signal
import socket
import sys
import traceback
from pathlib import Path

from cxlib.errors import WorkbookError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def serve(listener: int, alive: int, modules: list[str], private: str, parent: int) -> None:
    """Import the modules, fork a child for each request, report its exit, end it when its connection closes; end when the command ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wake_in, wake_out = socket.socketpair()
    for end in (wake_in, wake_out):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_out.fileno())
    listener, alive = socket.socket(fileno=listener), socket.socket(fileno=alive)
    selector, pending, children = selectors.DefaultSelector(), list(modules), {}
    waiting: list[tuple[socket.socket, dict]] = []
    for end in (listener, alive, wake_in):
        selector.register(end, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select(0 if pending or waiting else None):
            if key.fileobj is alive:
                for pid in children:
                    _end(pid)
                shutil.rmtree(private, ignore_errors=True)
                os._exit(0)
            elif key.fileobj is wake_in:
                with contextlib.suppress(BlockingIOError):
                    wake_in.recv(4096)
            elif key.fileobj is listener:
                connection = listener.accept()[0]
                waiting.append((connection, json.loads(line(connection))))
            else:  # whoever asked for this child is gone
                for pid, connection in children.items():
                    if connection is key.fileobj:
                        _end(pid)
                selector.unregister(key.fileobj)
        for pid, connection in list(children.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                _end(pid, itself=False)  # only what it left behind in its group
                del children[pid]
                with contextlib.suppress(KeyError, ValueError):
                    selector.unregister(connection)
                with contextlib.suppress(OSError):
                    connection.sendall(f"exit {os.waitstatus_to_exitcode(status)}\n".encode())
                connection.close()
        for connection, request in [item for item in waiting if not pending or item[1]["after"] not in (None, *pending)]:
            waiting.remove((connection, request))
            ours = os.getpid()
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.default_int_handler)
                selector.close()
                for end in (listener, alive, wake_in, wake_out, connection, *children.values(), *(other for other, _ in waiting)):
                    end.close()
                _child(request, ours)
            with contextlib.suppress(OSError):
                connection.sendall(f"pid {pid}\n".encode())
            children[pid] = connection
            selector.register(connection, selectors.EVENT_READ)
        if pending:
            with contextlib.suppress(Exception):  # a module that is missing here is missed by the notebook that needs it
                _load(pending[0])
            pending.pop(0)


def _load(entry: str) -> None:
    """Import a module, or call `module:function` (with what follows a second colon)."""
    module, _, call = entry.partition(":")
    if call:
        function, _, argument = call.partition(":")
        named(f"{module}:{function}")(*[argument] if argument else [])
    else:
        importlib.import_module(module)


def load_package() -> None:
    """The workbook's own modules, with what they import; the command line and the maker of samples are of no use to a notebook."""
    import pkgutil

    import cxlib

    for module in pkgutil.walk_packages(cxlib.__path__, "cxlib.", onerror=lambda name: None):
        if not module.name.startswith(("cxlib.cli", "cxlib.synth")):
            with contextlib.suppress(Exception):
                importlib.import_module(module.name)


def _child(request: dict, parent: int) -> None:
    """The forked child: own session, own log, the asked function; its value or its error goes to the result file. Never returns."""
    code = 1
    try:
        os.setsid()
        _die_with(parent)
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.chdir(request["cwd"])
        try:
            outcome = {"value": named(request["target"])(**request["options"])}
        except WorkbookError as error:
            outcome = {"error": type(error).__name__, "message": str(error)}
        except Exception as error:
            traceback.print_exc()
            full = isinstance(error, OSError) and error.errno in FULL
            outcome = {"error": "PublishError" if full else "WorkbookError", "message": f"{request['name']}: {type(error).__name__}: {error}"}
        if request["result"]:
            Path(request["result"] + "~").write_text(json.dumps(outcome))
            os.replace(request["result"] + "~", request["result"])
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def named(target: str):
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def ask(address: str, request: dict) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    connection.sendall(json.dumps(request).encode() + b"\n")
    return connection


def line(connection: socket.socket) -> bytes:
    """One line, byte by byte: what follows it stays in the socket."""
    line = b""
    while (byte := connection.recv(1)) not in (b"", b"\n"):
        line += byte
    return line


def exit_code(connection: socket.socket) -> int | None:
    """The exit code once the child has ended, else None; an interpreter that is gone took its children with it."""
    while select.select([connection], [], [], 0)[0]:
        try:
            word = line(connection).split()
        except ConnectionError:
            word = []
        if not word:
            return -signal.SIGKILL
        if word[0] == b"exit":
            return int(word[1])
    return None


def _end(pid: int, itself: bool = True) -> None:
    for end in (os.killpg, os.kill) if itself else (os.killpg,):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            end(pid, signal.SIGKILL)


def _die_with(parent: int) -> None:
    """On Linux the system itself ends a child whose interpreter is gone; elsewhere ipykernel's watch does, within a second."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)


def death(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(-code).name}{', as when memory runs out' if code == -signal.SIGKILL else ''}"
    return f"it exited with code {code}"


def last_line(log: Path) -> str:
    """': ' and the last line of a log, where there is one."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return f": {lines[-1]}" if lines else ""
