"""``[profiles.NAME]`` of a network file: the same network cooked elsewhere."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from topcook.errors import GraphFileError, Problem
from topcook.lean import NamedTuple

if TYPE_CHECKING:
    from topcook.model.graphfile.specs import GraphFile, ProfileSpec

__all__ = ["ProfileRow", "profile_named", "profile_rows"]


class ProfileRow(NamedTuple):
    """A parm that a profile sets: where in its table that stands, of what, which, to what."""

    path: tuple[str, ...]
    owner: str
    parm: str
    value: Any


def profile_named(file: GraphFile, name: str) -> ProfileSpec:
    """The profile; raises ``GraphFileError`` with the closest names when the file has none of that name."""
    found = file.profiles.get(name)
    if found is not None:
        return found
    there = list(file.profiles)
    from difflib import get_close_matches

    close = get_close_matches(name, there, 2, 0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(there)}"
    if not there:
        hint = f'the network has none; add one: [profiles.{name}] with scheduler = "NAME" below it'
    problem = Problem("unknown-profile", f'--profile: there is no profile "{name}"', hint=hint)
    raise GraphFileError([problem], f'network file "{file.path}" has no profile "{name}"; nothing was run')


def profile_rows(values: Mapping[str, Any], owners: Container[str]) -> Iterator[ProfileRow]:
    """The parms of a profile's table: ``"render.count" = 3``, or ``render.count = 3``, which TOML reads as a table.

    ``owners`` are the names of nodes and schedulers, which may have dots themselves. A key that is neither comes with
    an empty ``owner``.
    """
    for key, value in values.items():
        if isinstance(value, dict) and key in owners:
            for parm, each in value.items():
                yield ProfileRow((key, parm), key, parm, each)
            continue
        owner, _, parm = key.rpartition(".")
        if not owner and isinstance(value, dict):
            # A table of something that is not there: whoever sets its parms says so.
            for inner, each in value.items():
                yield ProfileRow((key, inner), key, inner, each)
        else:
            yield ProfileRow((key,), owner, parm, value)
