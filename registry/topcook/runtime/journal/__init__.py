"""The journal: one SQLite file per cook, in which everything is kept before anything follows from it.

``Journal`` writes it and ``Past`` reads it; ``docs/journal.md`` describes the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from topcook.runtime.journal.past import Past, PastItem, Session
    from topcook.runtime.journal.writer import Journal

__all__ = ["Journal", "Past", "PastItem", "Session"]


def __getattr__(name: str) -> Any:
    """Import what is asked for: a start that only writes does not wait for what reads."""
    if name not in __all__:
        raise AttributeError(f'module "{__name__}" has no "{name}"')
    import importlib

    module = importlib.import_module(f"{__name__}.{'writer' if name == 'Journal' else 'past'}")
    return getattr(module, name)
