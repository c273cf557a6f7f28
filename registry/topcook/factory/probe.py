"""Execute a candidate and report what it registers.

The one door through which types code is first executed. What comes out is records, whatever happens inside.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from topcook.errors import Problem
from topcook.factory.describe import describe
from topcook.factory.faults import NEEDS_HOUDINI, problems_of
from topcook.factory.hooks import Hook, TypesHook
from topcook.factory.imports import content_hash, execute, forget, private_name
from topcook.factory.records import Kind, Record, State
from topcook.factory.sources import HOOK, Candidate, why_skipped
from topcook.factory.typeregistry import Registration, TypeRegistry

__all__ = ["probe"]

_TEMPLATE_NAME = re.compile(
    rb"def[ \t]+templateName\b[^\n]*\n(?:[^\n]*\n){0,8}?[ \t]*return[ \t]+[urb]*[\"']([\w.-]+)[\"']"
)
_REGISTERED_NAME = re.compile(rb"register(?:Scheduler|Node)\([^)]*\bname[ \t]*=[ \t]*[\"']([\w.-]+)[\"']")
_CLASS = re.compile(rb"^class[ \t]+(\w+)", re.MULTILINE)


def probe(candidate: Candidate, registry: TypeRegistry, hook: TypesHook) -> list[Record]:
    """The records of a candidate: one for each type, or one that says why there is none. Never empty.

    Whatever its code raises, SystemExit included, becomes a problem; only Ctrl-C goes through.
    """
    if candidate.skipped:
        return [Record(candidate.stem, candidate.origin, State.SKIPPED, Kind.UNKNOWN, reason=candidate.skipped)]
    source = b""
    started = time.perf_counter()
    try:
        source = _source(candidate)
        # While it is executed too: a file may ask for the registry at its top level.
        with _kept_surroundings(), registry.collecting() as registrations:
            function = _load(candidate, source)
            if function is not None:
                hook.register(_plugin_name(candidate), function, candidate.path)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - author code may raise anything; its record says what
        records = [_failed(candidate, source, problems_of(error, candidate.path))]
        if candidate.entry_point is None:
            forget(private_name(candidate.path, candidate.stem, _digest(candidate, source)))
    else:
        records = list(_described(candidate, registrations, source))
        if function is None and not registrations:
            reason = why_skipped(candidate.path) or f"it has no {HOOK}"
            records = [Record(candidate.stem, candidate.origin, State.SKIPPED, Kind.UNKNOWN, reason=reason)]
    milliseconds = (time.perf_counter() - started) * 1000
    for record in records:
        record.import_ms = milliseconds
        record.content_hash = record.content_hash or _digest(candidate, source)
    return records


def _source(candidate: Candidate) -> bytes:
    """The bytes of a file; none for an entry point, whose module is an ordinary one."""
    return b"" if candidate.entry_point is not None else _read(candidate.path)


def _load(candidate: Candidate, source: bytes) -> Hook | None:
    """Execute the candidate; returns its hook."""
    if candidate.entry_point is not None:
        found: object = importlib.import_module(candidate.entry_point.module)
        for name in filter(None, candidate.entry_point.attr.split(".")):
            found = getattr(found, name)
        return _hook_of(found)
    digest = _digest(candidate, source)
    return _hook_of(execute(candidate.path, candidate.stem, source, digest, is_package=candidate.is_package))


def _hook_of(thing: object) -> Hook | None:
    """The hook of a module or object; a function given by an entry point is one itself."""
    function: Hook | None = getattr(thing, HOOK, None)
    if callable(function):
        return function
    return thing if callable(thing) and not isinstance(thing, type) else None


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def _digest(candidate: Candidate, content: bytes) -> str:
    """The version of a candidate; a package's is that of all its source files, a distribution's its own."""
    if candidate.entry_point is not None:
        return candidate.origin.version
    if not candidate.is_package:
        return content_hash(content)
    more = []
    for directory, folders, files in os.walk(os.path.dirname(candidate.path)):
        folders.sort()
        paths = (os.path.join(directory, name) for name in sorted(files) if name.endswith(".py"))
        more += [_read(path) for path in paths if os.path.isfile(path)]
    return content_hash(content, *more)


def _plugin_name(candidate: Candidate) -> str:
    return f"{candidate.origin.tier.value}:{candidate.path}:{candidate.stem}"


def _described(candidate: Candidate, registrations: list[Registration], source: bytes) -> Iterator[Record]:
    """A record for each registration; a second one of the same name is invalid, unless it is the very same."""
    seen: dict[tuple[object, str], Registration] = {}
    for registration in registrations:
        key = (registration.kind, registration.name.lower())
        first = seen.get(key)
        if first is not None and first.type_object is registration.type_object:
            continue
        record = describe(registration, candidate.origin)
        # Whoever asks for the file's name is told what its types lack.
        record.aliases = () if record.usable else (candidate.stem.lower(),)
        if first is None:
            seen[key] = registration
        else:
            message = f'"{registration.name}" is registered twice, by different classes; the first one counts'
            line = registration.line
            hint = "give one of them another name"
            record.problems.insert(0, Problem("registered-twice", message, candidate.path, line, None, hint))
            record.state = State.INVALID
        yield record
    if not registrations:
        yield _failed(candidate, source, [_registers_nothing(candidate)], State.INVALID)


def _registers_nothing(candidate: Candidate) -> Problem:
    hint = f"in {HOOK}(type_registry): type_registry.registerScheduler(YourClass)"
    return Problem("registers-nothing", f"{HOOK} registers nothing", candidate.path, hint=hint)


def _failed(candidate: Candidate, content: bytes, problems: list[Problem], state: State = State.FAILED) -> Record:
    """The record of a file that gave no type. It answers to every name that the file might have given."""
    origin, names = candidate.origin, _likely_names(content)
    record = Record(names[0] if len(names) == 1 else candidate.stem, origin, state, Kind.UNKNOWN, problems=problems)
    classes = [name.decode().lower() for name in _CLASS.findall(content)]
    record.aliases = tuple(dict.fromkeys([*(name.lower() for name in names), candidate.stem.lower(), *classes]))
    if any(problem.code == "needs-houdini" for problem in problems):
        record.reason = NEEDS_HOUDINI
    if b"registerScheduler" in content or b"registerNode" not in content:
        record.kind, record.category = Kind.SCHEDULER, "Schedulers"
    else:
        record.kind, record.category = Kind.NODE, "Processors"
    record.line = next((problem.line for problem in problems if problem.path == candidate.path), None)
    return record


def _likely_names(content: bytes) -> list[str]:
    found = [*_TEMPLATE_NAME.findall(content), *_REGISTERED_NAME.findall(content)]
    return list(dict.fromkeys(name.decode() for name in found))


@contextmanager
def _kept_surroundings() -> Iterator[None]:
    """Undo a change of directory, and let no file put its directories before the standard library's.

    What files add to ``sys.path`` stays, at its end: they may import from there later. Before the standard
    library, a drop-in called ``queue.py`` would become everybody's ``queue``.
    """
    directory, path = os.getcwd(), list(sys.path)
    try:
        yield
    finally:
        if sys.path != path:
            added = [each for each in dict.fromkeys(map(str, sys.path)) if each not in path]
            sys.path[:] = [*path, *added]
        try:
            moved = os.getcwd() != directory
        except OSError:
            moved = True
        if moved:
            os.chdir(directory)
