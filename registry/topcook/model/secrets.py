"""Secret parms: a network says where the value is, never the value itself."""

from __future__ import annotations

from typing import Any

from topcook.lean import dataclass, field

#: What a network says instead of a secret's value: ``{env = "NAME"}``, ``{file = "path"}``, ``{command = "…"}``.
SOURCES: tuple[str, ...] = ("env", "file", "command")
#: What stands in the place of a secret wherever something is shown or written down.
MASK = "***"


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret's value comes from: ``kind`` is one of ``SOURCES``, ``ref`` the variable, path or command.

    Of kind ``given`` it is a value that a callback set, and ``ref`` that value. Its text is always the mask.
    """

    kind: str
    ref: str = field(repr=False)

    def __str__(self) -> str:
        """The mask."""
        return MASK

    __repr__ = __str__

    @property
    def told(self) -> str:
        """Where it comes from, for people: ``env FARM_PASSWORD``; of a value that was given, nothing more."""
        return self.kind if self.kind == "given" else f"{self.kind} {self.ref}"


def secret_of(value: object) -> Secret | None:
    """The secret that a table names, ``None`` for anything else."""
    if isinstance(value, Secret):
        return value
    if isinstance(value, dict) and len(value) == 1:
        kind, ref = next(iter(value.items()))
        if kind in SOURCES and isinstance(ref, str) and ref.strip():
            return Secret(kind, ref)
    return None


def held(value: Any) -> Any:
    """A value as a secret parm keeps it: what is set by a callback is wrapped, nothing stays nothing."""
    if value is None or value == "":
        return ""
    return secret_of(value) or Secret("given", str(value))
