"""Types of installed distributions: entry points of group ``pdg.types``, enumerated once and imported one at a time.

Enumerating reads the metadata of everything that is installed, so the outcome is kept as long as no directory of
``sys.path`` changes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any, Protocol

from topcook.errors import Problem
from topcook.factory.records import Origin, Tier
from topcook.lean import NamedTuple, pattern

__all__ = ["ENTRY_POINT_GROUP", "Blobs", "InstalledEntry", "installed_entries"]

ENTRY_POINT_GROUP = "pdg.types"
_KEY = "entry-points"
_FORMAT = 1
_VALUE = pattern(r"[\w.]+(\s*:\s*[\w.]+)?(\s*\[.*\])?\s*")


class Blobs(Protocol):
    """Where small results are kept from one start to the next."""

    def get(self, key: str) -> bytes | None:
        """What was put last under a key; None without."""

    def put(self, key: str, value: bytes) -> None:
        """Keep a value under a key, or do not: nobody counts on it."""


class InstalledEntry(NamedTuple):
    """One entry point: its name, ``module:attribute``, and the distribution with its version."""

    name: str
    value: str
    distribution: str = "unknown"
    version: str = ""

    @property
    def origin(self) -> Origin:
        """Where its types come from."""
        return Origin(Tier.ENTRY_POINT, self.value, ENTRY_POINT_GROUP, self.distribution, self.version)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why it cannot be imported at all; empty when it can be tried."""
        if _VALUE.fullmatch(self.value):
            return ()
        message = f'the entry point "{self.name}" of {self.distribution} names no module: "{self.value}"'
        hint = f'{self.name} = "package.module" or "package.module:registerTypes"'
        return (Problem("entry-point-value", message, hint=hint),)


def installed_entries(cache: Blobs | None = None) -> tuple[list[InstalledEntry], list[Problem]]:
    """All entry points of the group, by distribution and name, and what is wrong with distributions' metadata.

    Of a distribution that is installed twice the one counts that is first on ``sys.path``. Metadata that cannot be
    read hides the entry points of that distribution only.
    """
    fingerprint = _fingerprint() if cache is not None else ""
    kept = _kept(cache.get(_KEY), fingerprint) if cache is not None else None
    if kept is not None:
        return kept
    problems: list[Problem] = []
    found = sorted(_enumerated(problems), key=lambda each: (each.distribution.lower(), each.name))
    if cache is not None:
        import json

        rows = [list(each) for each in found]
        data = [_FORMAT, fingerprint, rows, [[each.message, each.path, each.hint] for each in problems]]
        cache.put(_KEY, json.dumps(data).encode())
    return found, problems


def _fingerprint() -> str:
    """Changes when a distribution comes or goes: the times of the directories in which they lie.

    The first is where a program lies, or where it was started, and changes with every file there: of it the names.
    """
    parts = []
    for at, entry in enumerate(sys.path):
        try:
            if at:
                parts.append(f"{entry}:{os.stat(entry or os.curdir).st_mtime_ns}")
            else:
                names = os.listdir(entry or os.curdir)
                parts += sorted(name for name in names if name.endswith((".dist-info", ".egg-info")))
        except (OSError, ValueError):
            continue
    return "\n".join([sys.version, *parts])


def _kept(blob: bytes | None, fingerprint: str) -> tuple[list[InstalledEntry], list[Problem]] | None:
    if blob is None:
        return None
    import json

    try:
        version, made_for, rows, problems = json.loads(blob)
        if version != _FORMAT or made_for != fingerprint:
            return None
        entries = [InstalledEntry(*map(str, row)) for row in rows]
        return entries, [_problem(*each) for each in problems]
    except (ValueError, TypeError):
        return None


def _enumerated(problems: list[Problem]) -> Iterator[InstalledEntry]:
    from importlib_metadata import distributions

    seen: set[str] = set()
    # The finders are foreign code, too: what one raises must not hide what the others found.
    found = iter(distributions())
    while True:
        try:
            distribution = next(found, None)
        except Exception as error:  # noqa: BLE001 - a finder of sys.meta_path may raise anything
            problems.append(_problem(f"the installed distributions cannot all be read: {_said(error)}", None))
            return
        if distribution is None:
            return
        try:
            yield from _of_distribution(distribution, seen)
        except Exception as error:  # noqa: BLE001 - metadata is foreign data, and raises whatever its reader meets
            place = str(getattr(distribution, "_path", "")) or None
            named = os.path.basename(place or "") or "an installed distribution"
            problems.append(_problem(f"the metadata of {named} cannot be read: {_said(error)}", place))


def _of_distribution(distribution: Any, seen: set[str]) -> Iterator[InstalledEntry]:
    name = getattr(distribution, "_normalized_name", "")
    if name and name in seen:
        return
    seen.add(name)
    # Parsing the entry points of everything would cost more than all the rest.
    if ENTRY_POINT_GROUP not in (distribution.read_text("entry_points.txt") or ""):
        return
    shown, version = _identity(distribution)
    for each in distribution.entry_points:
        if each.group == ENTRY_POINT_GROUP:
            yield InstalledEntry(each.name, each.value, shown, version)


def _identity(distribution: Any) -> tuple[str, str]:
    try:
        return str(distribution.name), str(distribution.version)
    except Exception:  # noqa: BLE001 - metadata that cannot be read has no name; its types may still be good
        return "unknown", ""


def _problem(message: str, path: str | None, hint: str | None = None) -> Problem:
    return Problem("entry-points", message, path, hint=hint or "pip check, or install it again")


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
