"""What wrappers have written down of the ends of their jobs, and how a cook is told of it after all."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

from topcook.author.farm.job import SECRET_FILE, ends_dir
from topcook.author.host import host_of

__all__ = ["Ends", "JobEnding", "tell_cook"]

#: What a job came to by itself; any other end (signaled, orphaned, its wrapper killed) is the engine's to explain.
FINAL = frozenset({"succeeded", "failed", "canceled"})
#: How the files are called in which a program that runs many jobs keeps their ends.
_MANY = ".ends"
_ANSWER = 10.0
#: So many calls are told before the first is answered: what comes together is recorded together.
_TOGETHER = 200


@dataclass(frozen=True, slots=True)
class JobEnding:
    """An end as its wrapper wrote it down.

    ``state``: succeeded, failed, canceled; or signaled, orphaned, lost, which say how the wrapper ended, not why.
    ``began`` and ``at`` are seconds since the epoch by the node's clock. Raises ``TypeError`` for what is no number.
    """

    token: str
    state: str
    reason: str = ""
    exit_status: int | None = None
    began: float | None = None
    at: float | None = None
    host: str = ""
    job: str = ""

    def __post_init__(self) -> None:
        """A job may write here, too: what no wrapper writes is no end."""
        if self.exit_status is not None and type(self.exit_status) is not int:
            raise TypeError(f"an exit status is a number: {self.exit_status!r}")
        if not isfinite((self.began or 0.0) + (self.at or 0.0)):
            raise TypeError("no time is endless")

    @property
    def final(self) -> bool:
        """Whether the job itself came to this end."""
        return self.state in FINAL

    @property
    def seconds(self) -> float:
        """How long it took; 0 where that is not known."""
        return max(0.0, self.at - self.began) if self.at is not None and self.began is not None else 0.0


class Ends:
    """The directory of ends of one scheduler, in this machine's view.

    An end is a file of its own, or a line in one of a program that runs many jobs: these are read as they grow.
    """

    def __init__(self, scheduler: Any) -> None:
        """Look into the present cook's temp directory."""
        self._folder = Path(ends_dir(scheduler, local=True))
        #: Those in files of many, as they stand there, until they are removed; how far each file was read.
        self._lines: dict[str, bytes] = {}
        self._read_to: dict[str, int] = {}

    def there(self) -> set[str]:
        """The tokens of which there is an end; none where the directory cannot be read."""
        names = self._names()
        self._take_in(names)
        return {*self._lines, *(name.removesuffix(".json") for name in names if name.endswith(".json"))}

    def _names(self) -> list[str]:
        with suppress(OSError):
            return os.listdir(self._folder)
        return []

    def _take_in(self, names: Iterable[str]) -> None:
        """Read what has been added to files of many: ``"TOKEN"<tab>END`` a line, among empty ones and cut ones."""
        for name in names:
            if not name.endswith(_MANY):
                continue
            with suppress(OSError), open(f"{self._folder}/{name}", "rb", opener=_plain) as stream:
                stream.seek(self._read_to.get(name, 0))
                whole, newline, _ = stream.read().rpartition(b"\n")
                self._read_to[name] = self._read_to.get(name, 0) + len(whole) + len(newline)
                for line in whole.split(b"\n"):
                    token, _, said = line.partition(b"\t")
                    if said:
                        self._lines[_read_name(token)] = said

    def read(self, token: str) -> JobEnding | None:
        """The end of this job; ``None`` when there is none that can be read.

        From a file of its own as it is now, from one of many as it was when ``there`` was asked last.
        """
        own = None
        with suppress(OSError), open(f"{self._folder}/{_name(token)}.json", "rb", opener=_plain) as stream:
            own = _ending(token, stream.read())
        if own is not None and own.final:
            return own
        # What ended and was killed before it could say so is no loss.
        return _ending(token, self._lines.get(token, b"")) or own

    def reports(self, token: str) -> list[list[Any]]:
        """What the job could not report itself, in order: method, attempt, arguments."""
        found: list[list[Any]] = []
        with suppress(OSError), open(f"{self._folder}/{_name(token)}.reports", "rb", opener=_plain) as stream:
            for line in stream:
                # A disk that was full has cut some; a job that may write here may write anything.
                with suppress(ValueError, RecursionError):
                    said = json.loads(line)
                    if isinstance(said, list) and len(said) > 1:
                        found.append(said)
        return found

    def remove(self, token: str) -> None:
        """The cook has recorded it."""
        self._lines.pop(token, None)
        for kind in ("reports", "json"):
            self._unlink(f"{_name(token)}.{kind}")

    def remove_all(self, tokens: Iterable[str]) -> None:
        """The cook has recorded these: of thousands those that have files are found by one look into the directory."""
        names = self._names()
        self._take_in(names)
        wanted = set()
        for token in tokens:
            self._lines.pop(token, None)
            wanted.add(_name(token))
        for name in names:
            if name.rpartition(".")[0] in wanted:
                self._unlink(name)

    def tidy(self, in_flight: Iterable[str]) -> None:
        """Remove the files of many, unless there is an end in one of a job that is in flight still."""
        names = self._names()
        self._take_in(names)
        if self._lines.keys().isdisjoint(in_flight):
            for name in names:
                if name.endswith(_MANY):
                    self._unlink(name)

    def _unlink(self, name: str) -> None:
        with suppress(OSError):
            os.unlink(f"{self._folder}/{name}")


def _plain(path: str, flags: int) -> int:
    """Open a file: a pipe that a job has put there would have the cook wait for ever, a device would have no end."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no file")
    return descriptor


def _read_name(text: bytes) -> str:
    if b"\\" in text:
        # A disk that was full has cut some.
        with suppress(ValueError):
            return str(json.loads(text))
    return text[1:-1].decode("ascii", "replace")


def _ending(token: str, text: bytes) -> JobEnding | None:
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        said = json.loads(text)
        reason, host, job = (str(said.get(name) or "") for name in ("reason", "host", "job"))
        return JobEnding(
            token, str(said["state"]), reason, said.get("exit"), said.get("began"), said.get("at"), host, job
        )
    return None


def tell_cook(scheduler: Any, calls: Iterable[list[Any]]) -> list[str]:
    """Tell the cook what a job would tell: [method, attempt, arguments…] each; the answers of those it refused.

    It goes the way that the job's own reports go, so all that holds for them holds here. Raises ``OSError`` when the
    result server does not answer.
    """
    refused: list[str] = []
    # Not what jobs are told: that may be a name that means nothing here, or lead through somebody else's network.
    host, _, port = host_of(scheduler).result_server.nearby.rpartition(":")
    if not host:
        raise ConnectionError("the cook's result server does not listen")
    secret = (Path(str(scheduler.scriptDir(True))) / SECRET_FILE).read_text(encoding="utf-8").strip()  # noqa: FBT003 - PDG's word
    with socket.create_connection((host, int(port)), _ANSWER) as connection, connection.makefile("rwb") as stream:
        stream.write(f"PDG1 {secret}\n".encode())
        left = iter(calls)
        while some := [json.dumps(call).encode() + b"\n" for call in islice(left, _TOGETHER)]:
            stream.writelines(some)
            stream.flush()
            for _ in some:
                answer = stream.readline()
                if not answer:
                    raise ConnectionError("the result server closed the connection")
                if not answer.startswith(b"+"):
                    refused.append(answer[1:].decode("utf-8", "replace").strip())
    return refused


def _name(token: str) -> str:
    return token.replace("/", "_")
