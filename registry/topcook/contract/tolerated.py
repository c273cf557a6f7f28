"""Which problems leave a type usable; nothing else, because whoever lists types needs it and no more."""

from __future__ import annotations

__all__ = ["TOLERATED"]

#: The type is listed with them and can be chosen; `topcook check` warns of them and fails.
TOLERATED = frozenset(
    {
        "mistyped-callback",
        "not-implemented-here",
        "unknown-parm-type",
        "duplicate-parm",
        "parm-value",
        # What a file does to its process besides (factory/probing/traits.py).
        "leaves-threads",
        "leaves-children",
        "forks",
        "patches-library",
        "changes-directory",
        "closes-output",
        "takes-signals",
        "sets-trace",
        "changes-process",
        "deletes-itself",
    }
)
