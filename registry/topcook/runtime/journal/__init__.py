"""The journal: one SQLite file per cook, in which everything is kept before anything follows from it.

``Journal`` writes it and ``Past`` reads it; ``docs/journal.md`` describes the file.
"""

from __future__ import annotations

from topcook.runtime.journal.past import Past, PastItem, Session
from topcook.runtime.journal.writer import Journal

__all__ = ["Journal", "Past", "PastItem", "Session"]
