"""Houdini's package files: the JSON files that add directories to HOUDINI_PATH.

Read are ``enable``, ``hpath`` and ``path``, ``package_path`` and ``env`` with values, methods and conditions. Where
Houdini's version is not known, a condition on it neither holds nor fails, and what hangs on it is taken.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from topcook.errors import Problem
from topcook.factory.houdiniconditions import holds
from topcook.factory.houdinipath import expanded, split_path
from topcook.lean import dataclass, field

__all__ = ["Packages", "read_packages"]

_LARGEST = 1 << 20
_MOST = 500
_OUTSIDE_TEXTS = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[\]}])')
_OS_NAMES = {"win32": "windows", "darwin": "macos"}


@dataclass(slots=True)
class Packages:
    """What the package files of an environment say: directories for HOUDINI_PATH, each with the file that adds it.

    Of each it is also said whether the user stands behind that file: nobody else could have written it.
    """

    roots: list[tuple[str, str, bool]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    """The state while files are read: each may use variables that an earlier one set."""

    environ: dict[str, str]
    facts: dict[str, object]
    read: Packages
    files: list[str]
    doubtful: set[str]
    named: bool = True


def read_packages(directories: Sequence[str], environ: Mapping[str, str], version: tuple[int, ...]) -> Packages:
    """Read the package files of directories in order, in each by name. A broken file is a problem, and no more."""
    facts: dict[str, object] = {
        "houdini_version": version or None,
        "houdini_os": _OS_NAMES.get(sys.platform, "linux"),
    }
    texts = [(name, ".".join(map(str, version[:length]))) for name, length in (("HOUDINI_VERSION", 3),) if version]
    for name, value in zip(("HOUDINI_MAJOR_RELEASE", "HOUDINI_MINOR_RELEASE"), version, strict=False):
        texts.append((name, str(value)))
    reader = _Reader(dict(texts) | dict(environ), facts, Packages(), [], set())
    waiting = list(directories)
    for directory in waiting:
        more = [path for file in _files(directory) for path in _read(file, directory, reader)]
        waiting += [path for path in dict.fromkeys(more) if path not in waiting]
    return reader.read


def _files(directory: str) -> list[str]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    return [os.path.join(directory, name) for name in names if name.endswith(".json")]


def _read(file: str, directory: str, reader: _Reader) -> list[str]:
    """Read one package file; returns the further directories of packages that it names."""
    if file in reader.files or len(reader.files) >= _MOST:
        return []
    reader.files.append(file)
    data, problem = _parsed(file)
    if problem is not None:
        reader.read.problems.append(problem)
        return []
    reader.named = directory not in reader.doubtful and _is_the_owners(file, directory)
    # Inside a package file this is where the file is.
    reader.environ["HOUDINI_PACKAGE_PATH"] = os.path.dirname(file)
    if not _enabled(data.get("enable", True), file, reader):
        return []
    for entry in _listed(data.get("env")):
        for name, value in _assignments(entry):
            _set(name, value, file, reader)
    for key in ("hpath", "path"):
        if key in data:
            _set("HOUDINI_PATH", data[key], file, reader)
    paths = (expanded(text, reader.environ) for text, _ in _values(data.get("package_path"), file, reader))
    found = [path for path in paths if path]
    reader.doubtful.update(found if not reader.named else ())
    return found


def _is_the_owners(file: str, directory: str) -> bool:
    """Whether only root, the user and the owner of the directory, which the user named, could have written a file."""
    if not hasattr(os, "geteuid"):
        return True
    try:
        own, around = os.stat(file), os.stat(directory)
    except OSError:
        return False
    everybody = (own.st_mode | around.st_mode) & stat.S_IWOTH
    return not everybody and own.st_uid in {0, os.geteuid(), around.st_uid}


def _parsed(file: str) -> tuple[dict[str, Any], Problem | None]:
    """The object in a file; comments and commas before a closing bracket do not count."""
    hint = "mend it or move it away; Houdini reads it too"
    try:
        if not os.path.isfile(file):
            return {}, Problem("package-broken", "a Houdini package that is no file", file, hint=hint)
        with open(file, encoding="utf-8-sig") as stream:
            text = stream.read(_LARGEST)
        try:
            data = json.loads(text)
        except json.JSONDecodeError:
            plain = _OUTSIDE_TEXTS.sub(_kept, text)
            data = json.loads(_TRAILING_COMMA.sub(_kept, plain))
    except json.JSONDecodeError as error:
        message = f"this Houdini package is no JSON: {error.msg}"
        return {}, Problem("package-broken", message, file, error.lineno, error.colno, hint)
    except (OSError, ValueError, RecursionError) as error:
        return {}, Problem("package-broken", f"this Houdini package cannot be read: {error}", file, hint=hint)
    if not isinstance(data, dict):
        return {}, Problem("package-broken", "a Houdini package must be a JSON object", file, 1, 1, hint)
    return data, None


def _kept(match: re.Match[str]) -> str:
    """A text as it is; of a comment only its line ends, so that places stay right."""
    return match.group(1) or re.sub(r"[^\n]", " ", match.group())


def _enabled(value: object, file: str, reader: _Reader) -> bool:
    if isinstance(value, str):
        return _condition(value, file, reader) is not False
    return bool(value)


def _condition(text: str, file: str, reader: _Reader) -> bool | None:
    """Whether a condition holds; None when that cannot be known here, which is noted when it cannot be read either."""
    try:
        return holds(text, reader.facts, reader.environ)
    except ValueError as error:
        message = f'the condition "{text}" cannot be understood ({error}); it is taken to hold'
        reader.read.notes.append(Problem("package-condition", message, file))
        return None


def _listed(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _assignments(entry: object) -> Iterator[tuple[str, Any]]:
    """The variables that one entry of ``env`` sets: {"NAME": value}, or {"var": "NAME", "value": value}."""
    if not isinstance(entry, dict):
        return
    if isinstance(entry.get("var"), str) and "value" in entry:
        yield entry["var"], {key: value for key, value in entry.items() if key != "var"}
        return
    for name, value in entry.items():
        if name != "method":
            yield name, value


def _values(value: object, file: str, reader: _Reader, method: str = "") -> Iterator[tuple[str, str]]:
    """The texts in a value whose conditions do not fail, each with the method that goes for it."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value), method
    elif isinstance(value, list):
        for each in value:
            yield from _values(each, file, reader, method)
    elif isinstance(value, dict):
        if "value" in value:
            yield from _values(value["value"], file, reader, str(value.get("method") or method))
            return
        for condition, each in value.items():
            if _condition(condition, file, reader) is not False:
                yield from _values(each, file, reader, method)


def _set(name: str, value: object, file: str, reader: _Reader) -> None:
    found = list(_values(value, file, reader))
    if name == "HOUDINI_PATH":
        _add_roots(found, file, reader)
        return
    for number, (written, method) in enumerate(found):
        text = _substituted(written, reader.environ)
        old = reader.environ.get(name, "")
        if not old or method == "replace" or (not number and not method):
            reader.environ[name] = text
        elif method == "prepend":
            reader.environ[name] = f"{text};{old}"
        else:
            reader.environ[name] = f"{old};{text}"


def _add_roots(values: list[tuple[str, str]], file: str, reader: _Reader) -> None:
    """Add to HOUDINI_PATH, at its front unless the method says otherwise; values of one list keep their order."""
    front: list[tuple[str, str, bool]] = []
    for text, method in values:
        if method == "replace":
            front.clear()
            reader.read.roots.clear()
        for entry in split_path(_substituted(text, reader.environ)):
            if entry in {"&", "$HOUDINI_PATH", "${HOUDINI_PATH}"}:
                continue
            path = expanded(entry, reader.environ)
            if path:
                (reader.read.roots if method == "append" else front).append(
                    (path, f"Houdini package {file}", reader.named)
                )
            else:
                message = f'"{text}" names a variable that is not set here, so it is left out'
                reader.read.notes.append(Problem("package-variable", message, file))
    reader.read.roots[:0] = front


def _substituted(text: str, environ: Mapping[str, str]) -> str:
    """A text with those variables put in that are set."""

    def value(found: re.Match[str]) -> str:
        return environ.get(found.group(1) or found.group(2)) or found.group()

    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, text)
