"""Starting a keeper, and finding one again that an earlier engine left behind."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile

from topcook.errors import CookRefusedError
from topcook.lean import dataclass
from topcook.runtime.alive import Process, process_start
from topcook.runtime.keeper.program import wire
from topcook.runtime.keeper.program.record import boot_id

_MAIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "program", "main.py")
#: The kernel's limit for a socket's path is 108 bytes on Linux, 104 on macOS.
_LONGEST_SOCKET_PATH = 100
_HELLO_TIME = 10.0
_DOOR_PREFIX = "topcook-"

RECORD_NAME, CARD_NAME, ERRORS_NAME = "keeper.record", "keeper.json", "keeper.err"


@dataclass(frozen=True, slots=True)
class Connection:
    """A connected keeper; ``process`` is None when an earlier engine started it."""

    socket: socket.socket
    keeper_id: str
    pid: int
    process: subprocess.Popen[bytes] | None


def start_keeper(directory: str, *, die_with_parent: bool = False) -> Connection:
    """Start a keeper whose files live in ``directory`` (made when missing, 0700); returns at once.

    It is in a session of its own, so that Ctrl-C reaches the engine only. Raises CookRefusedError where processes
    cannot be kept (Windows) or the directory cannot be written.
    """
    if not hasattr(socket, "AF_UNIX") or not hasattr(os, "posix_spawn"):
        raise CookRefusedError("jobs cannot be started on this machine\n  cooking needs Linux or macOS")
    directory = os.path.abspath(directory)
    try:
        os.makedirs(directory, 0o700, exist_ok=True)
        listener, socket_path = _listen()
    except OSError as error:
        raise CookRefusedError(
            f'the keeper cannot be started: "{error.filename or directory}": {error.strerror}\n'
            "  it keeps its record in the state directory and its socket in the temporary directory\n"
            "  for another one set TOPCOOK_STATE_DIR=DIR or TMPDIR=DIR"
        ) from error
    ours, theirs = socket.socketpair()
    with listener, theirs:
        process = _launch(directory, theirs, listener)
    secret, keeper_id = secrets.token_hex(16), secrets.token_hex(6)
    record = os.path.join(directory, RECORD_NAME)
    config = [secret, keeper_id, record, socket_path, "1" if die_with_parent else "0"]
    ours.sendall(wire.pack([wire.CONFIG, *map(os.fsencode, config)]))
    card = {"pid": process.pid, "keeper": keeper_id, "socket": socket_path, "secret": secret}
    dated = {"boot": boot_id(), "began": process_start(process.pid), "engine": Process.own().facts()}
    _write_card(directory, {**card, **dated})
    return Connection(ours, keeper_id, process.pid, process)


def find_keeper(directory: str, *, die_with_parent: bool = False) -> Connection | None:
    """Connect to the keeper that an earlier engine started in ``directory``; None when it has ended.

    ``die_with_parent`` holds from now on, whatever the earlier engine had said.
    """
    try:
        with open(os.path.join(directory, CARD_NAME), encoding="utf-8") as file:
            card = json.load(file)
        path, secret, keeper_id, pid = card["socket"], card["secret"], card["keeper"], int(card["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(_HELLO_TIME)
        connection.connect(path)
        connection.sendall(wire.pack([wire.HELLO, os.fsencode(secret), b"1" if die_with_parent else b"0"]))
        answer = _read_answer(connection)
    except ConnectionRefusedError:
        connection.close()
        forget_keeper(directory)
        return None
    except OSError:
        connection.close()
        return None
    if answer != [wire.WELCOME, os.fsencode(keeper_id)]:
        connection.close()
        return None
    connection.settimeout(None)
    return Connection(connection, keeper_id, pid, None)


def forget_keeper(directory: str) -> None:
    """Remove the door of a keeper that was killed and could not do so itself."""
    try:
        with open(os.path.join(directory, CARD_NAME), encoding="utf-8") as file:
            path = str(json.load(file)["socket"])
        os.unlink(os.path.join(directory, CARD_NAME))
        if os.path.basename(os.path.dirname(path)).startswith(_DOOR_PREFIX):
            os.unlink(path)
            os.rmdir(os.path.dirname(path))
    except (OSError, ValueError, KeyError, TypeError):
        # Nothing there, or nothing of ours.
        return


def _read_answer(connection: socket.socket) -> list[bytes]:
    """The keeper's first message, no byte more."""
    head = _read_exactly(connection, 4)
    return _read_exactly(connection, min(int.from_bytes(head, "big"), 8192)).split(b"\0")


def _read_exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionResetError("the keeper left")
        data += part
    return data


def _listen() -> tuple[socket.socket, str]:
    """A listening socket in a directory that is only ours; its path is short, whatever TMPDIR says."""
    home = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    if not os.access(home, os.W_OK) or len(os.fsencode(home)) > _LONGEST_SOCKET_PATH - 24:
        home = "/tmp"  # noqa: S108 - mkdtemp makes a directory there that nobody else may enter
    path = os.path.join(tempfile.mkdtemp(prefix=_DOOR_PREFIX, dir=home), "keeper")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(4)
    return listener, path


def _launch(directory: str, engine: socket.socket, listener: socket.socket) -> subprocess.Popen[bytes]:
    fds = (engine.fileno(), listener.fileno())
    with open(os.path.join(directory, ERRORS_NAME), "ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", _MAIN, *map(str, fds)],
            pass_fds=fds,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
            cwd="/",
        )


def _write_card(directory: str, card: dict[str, object]) -> None:
    """Leave what a later engine needs to connect, readable by the owner only."""
    path = os.path.join(directory, CARD_NAME)
    draft = f"{path}.{os.getpid()}"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(card, file)
    os.replace(draft, path)
