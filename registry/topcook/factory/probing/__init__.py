"""Probing: executing types files for the first time, and telling what they register and what they do.

``prober.py`` is the seam; ``examine.py`` executes one candidate in the process that calls it.
"""

from __future__ import annotations

from topcook.factory.probing.prober import InProcessProber, Prober

__all__ = ["InProcessProber", "Prober"]
