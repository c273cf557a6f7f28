"""Keep what a command printed, for ``answers`` to print again while nothing that it looked at has changed."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from topcook.cli.answers import Stamp, access, folder, key_of, names_in, path_of, stamp
from topcook.factory import State
from topcook.model.userdirs import home_of

if TYPE_CHECKING:
    from topcook.factory import Factory

__all__ = ["Answer", "remembering"]

#: Seconds for which the answer about a file that fails may be repeated: what it failed on may have come back.
_FAILED_SECONDS = 60.0
#: A file changed so recently may change again without another stamp.
_SETTLED = 2.0
#: Files of answers that are kept, and bytes of one.
_MOST, _LARGEST = 64, 8 << 20
#: What says in a directory of the import path that a distribution is installed.
_METADATA = (".dist-info", ".egg-info", ".egg-link", ".pth")
#: Variables of Houdini that say where more is to be looked for than is written down here.
_HARMLESS = "HOUDINI_PDG_TYPE_"


class _Tee:
    """A standard stream whose texts are written down as they go by."""

    def __init__(self, stream: Any, number: int, told: list[tuple[int, str]]) -> None:
        self._stream, self._number, self._told = stream, number, told

    def write(self, text: str) -> Any:
        written = self._stream.write(text)  # raises for what is no text
        self._told.append((self._number, text))
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Answer:
    """What a command has looked at and printed; ``hangs_on`` says that it may be repeated, with what decided it."""

    def __init__(self) -> None:
        """Nothing was looked at yet."""
        self.told: list[tuple[int, str]] = []
        self._factory: Factory | None = None
        self._began = time.time()

    def hangs_on(self, factory: Factory) -> None:
        """Let the answer be kept: it hangs on nothing but this factory, the words typed, and the environment."""
        self._factory = factory

    def _is_young(self, nanoseconds: int) -> bool:
        return nanoseconds / 1e9 > self._began - _SETTLED

    def store(self, words: list[str], status: int) -> None:
        """Write the answer down, where it may be and there is somewhere to."""
        place = folder(os.environ)
        # Only these words are looked up; the command may also be called by another.
        if words[:1] != ["list"] or self._factory is None or not place or not _is_repeatable(self._factory):
            return
        stamps = [
            candidate.stamp for candidate, _ in self._factory.candidates().values() if candidate.stamp is not None
        ]
        if any(self._is_young(max(each.mtime_ns, each.ctime_ns)) for each in stamps):
            # Right after a save, when somebody waits for the answer: the rest need not be looked at to know.
            return
        looked = {path: stamp(path) for path in sorted(_looked_at(self._factory))}
        if any(each is not None and self._is_young(max(each[-2:])) for each in looked.values()):
            return
        above = {path: access(path) for entry in self._factory.entries() for path in _above(entry.path)}
        until = self._began + _FAILED_SECONDS if _has_failed(self._factory) else 0.0
        listed = [(home_of(), "houdini", ("",)), *((each, "", _METADATA) for each in _import_path())]
        found = [(*each, names_in(*each)) for each in listed]
        # A full disk, a folder that may not be written: then it is not kept, and nothing is lost.
        with contextlib.suppress(OSError, ValueError):
            _write(place, (key_of(words), until, looked, above, found, self.told, status))


@contextmanager
def remembering(words: list[str], status: list[int]) -> Iterator[Answer]:
    """Write down what is printed within; ``status`` gets the exit status as its only element."""
    answer = Answer()
    before = sys.stdout, sys.stderr
    tees: tuple[Any, Any] = _Tee(before[0], 1, answer.told), _Tee(before[1], 2, answer.told)
    sys.stdout, sys.stderr = tees
    try:
        yield answer
    finally:
        sys.stdout, sys.stderr = before
    if status:
        sys.stdout.flush()
        answer.store(words, status[0])


def _is_repeatable(factory: Factory) -> bool:
    """Whether what the factory found hangs on nothing but what ``_looked_at`` lists."""
    if any(name.startswith(("HOUDINI_", "HSITE", "HFS")) and not name.startswith(_HARMLESS) for name in os.environ):
        return False
    home = home_of()
    return not names_in(home, "houdini") and all(each.state is not State.NOT_PROBED for each in factory.records)


def _looked_at(factory: Factory) -> Iterator[str]:
    """Every path whose change may change what a factory finds."""
    from topcook.factory.watching.survey import survey

    for entry in factory.entries():
        found = survey(entry.path)
        yield entry.path
        yield from found.files
        yield from found.directories
        yield from (os.path.join(directory, name) for directory, name in found.hops)
    for record in factory.records:
        if record.version is not None:
            yield from (path for path, _digest in record.version.files)
        if record.origin.distribution:
            yield from _installed(record.origin.path)
    yield from (file.path for file in factory.config.files)
    yield from (os.path.join(each, "topcook.toml") for each in (os.getcwd(), *_above(os.getcwd())))
    for directory in _import_path():
        yield from (os.path.join(directory, name) for name in names_in(directory, "", _METADATA))
        if _has_failed(factory):
            # The module that a file missed may appear there.
            yield directory
    yield from _own_sources()


def _import_path() -> list[str]:
    return list(dict.fromkeys(each or os.getcwd() for each in sys.path))


def _has_failed(factory: Factory) -> bool:
    return any(record.state is State.FAILED for record in factory.records)


def _above(path: str) -> Iterator[str]:
    """The directories above a path: who may write to one decides who may put another in its place."""
    while (above := os.path.dirname(path)) != path:
        yield above
        path = above


def _installed(value: str) -> Iterable[str]:
    from topcook.factory.index.entries import distribution_files

    return distribution_files(value)


def _own_sources() -> Iterator[str]:
    """Topcook's own files, and those of the package pdg."""
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for package in ("topcook", "pdg"):
        for directory, folders, names in os.walk(os.path.join(here, package)):
            folders[:] = [each for each in folders if each != "__pycache__"]
            yield directory
            yield from (os.path.join(directory, name) for name in names if name.endswith(".py"))


def _write(place: str, answer: tuple[Any, ...]) -> None:
    import marshal
    import zlib

    content = marshal.dumps(answer)
    if len(content) > _LARGEST:
        return
    os.makedirs(place, mode=0o700, exist_ok=True)
    _tidy(place)
    path = path_of(place, answer[0])
    draft = f"{path}.{os.getpid()}.part"
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(zlib.crc32(content).to_bytes(4, "big") + content)
        os.replace(draft, path)
    finally:
        if os.path.lexists(draft):
            os.unlink(draft)


def _tidy(place: str) -> None:
    """Keep the number of answers small: the oldest go."""
    paths = [entry.path for entry in os.scandir(place) if entry.is_file(follow_symlinks=False)]
    if len(paths) >= _MOST:
        for path in sorted(paths, key=_age)[: len(paths) // 2]:
            with contextlib.suppress(OSError):
                os.unlink(path)


def _age(path: str) -> float:
    found: Stamp | None = stamp(path)
    return found[-2] if found else 0.0
