"""Put a types file into a directory of the types path, with the helpers it imports, and take it out again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from topcook.errors import CookRefusedError
from topcook.factory.bundles import home_of, read_bundle, read_file
from topcook.lean import dataclass

__all__ = ["Installation", "main_file", "plan_install", "removable", "write_atomically"]


@dataclass(frozen=True, slots=True)
class Installation:
    """What will lie in ``directory``: ``files`` by their path there, the types file itself last."""

    directory: str
    main: str
    files: dict[str, bytes]

    @property
    def path(self) -> str:
        """Where the types file will lie."""
        return os.path.join(self.directory, self.main)

    def differing(self) -> list[str]:
        """The paths at which something else lies already."""
        return [path for path, content in self._targets() if os.path.lexists(path) and _content(path) != content]

    def missing(self) -> list[str]:
        """The paths that are to be written."""
        return [path for path, content in self._targets() if _content(path) != content]

    def write(self) -> None:
        """Write what is missing or differs, each file at once or not at all; a watcher sees the types file last."""
        for path, content in self._targets():
            if _content(path) != content:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                write_atomically(path, content)

    def _targets(self) -> Iterable[tuple[str, bytes]]:
        return ((os.path.join(self.directory, name), content) for name, content in self.files.items())


def main_file(path: str) -> str:
    """The file that is executed for a types file or package; raises ``CookRefusedError`` when there is none."""
    full = os.path.abspath(path)
    inside = os.path.join(full, "__init__.py")
    found = inside if os.path.isdir(full) else full
    if os.path.isfile(found) and found.endswith(".py"):
        return found
    if not os.path.exists(full):
        raise CookRefusedError(f'there is no file "{path}"')
    what = "a directory without __init__.py" if os.path.isdir(full) else "no Python file"
    raise CookRefusedError(f'"{path}" is {what}\n    name a types file (.py), or a package')


def plan_install(path: str, directory: str) -> Installation:
    """What installing a types file or package means; raises ``OSError`` when it cannot be read."""
    main = main_file(path)
    home = home_of(main)
    bundle = read_bundle(main)
    files = {os.path.relpath(each, home): content for each, content in bundle.files.items()}
    if os.path.basename(main) == "__init__.py":
        # Data that the package reads by its __file__ belongs to it as well.
        files |= dict(_data_of(os.path.dirname(main), home))
    name = os.path.relpath(main, home)
    files[name] = files.pop(name)  # last
    return Installation(os.path.abspath(directory), name, files)


def _data_of(package: str, home: str) -> Iterable[tuple[str, bytes]]:
    for directory, folders, names in os.walk(package):
        folders[:] = [each for each in folders if each != "__pycache__"]
        for name in names:
            full = os.path.join(directory, name)
            if not name.endswith((".pyc", ".py")) and os.path.isfile(full):
                with open(full, "rb") as stream:
                    yield os.path.relpath(full, home), stream.read()


def removable(main: str, others: Iterable[str]) -> list[str]:
    """The files that go when a types file goes: itself, its package, and helpers that no other types file imports.

    Of what is a symbolic link it is the link that goes, a package's, too: nothing that lies elsewhere.
    """
    home = home_of(main)
    package = os.path.dirname(main) if os.path.basename(main) == "__init__.py" else ""
    if os.path.islink(package):
        return [package]
    helpers = set(read_bundle(main).files) - {main}
    for other in others:
        helpers -= _needed(other, helpers)
    own = [os.path.join(home, name) for name, _ in _data_of(package, home)] if package else []
    return [main, *sorted(path for path in helpers if not _behind_a_link(path, home)), *own]


def _needed(other: str, helpers: set[str]) -> set[str]:
    """Which of some files another types file imports; of text that cannot be compiled now, those that it names."""
    try:
        bundle = read_bundle(other)
    except OSError:
        return helpers
    home = home_of(other)
    tops = {each: os.path.relpath(each, home).partition(os.sep)[0].removesuffix(".py") for each in helpers}
    found = set(bundle.files)
    for path, content in bundle.files.items():
        try:
            bundle.code(path)
        except Exception:  # noqa: BLE001 - what author text raises when it is compiled; it may be mended tomorrow
            words = set(re.findall(rb"\w+", content))
            found |= {each for each, top in tops.items() if os.fsencode(top) in words}
    return found


def _behind_a_link(path: str, home: str) -> bool:
    """Whether a directory between is a link to elsewhere."""
    inside = os.path.relpath(os.path.dirname(path), home)
    return os.path.realpath(os.path.dirname(path)) != os.path.normpath(os.path.join(os.path.realpath(home), inside))


def write_atomically(path: str, content: bytes) -> None:
    """Write a file that others may read (0644), at once: who looks sees the old one or the new one."""
    draft = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{os.getpid()}.tmp")
    try:
        with open(draft, "xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    finally:
        if os.path.lexists(draft):
            os.unlink(draft)


def _content(path: str) -> bytes | None:
    try:
        return read_file(path)
    except OSError:
        return None
