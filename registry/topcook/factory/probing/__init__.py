"""Probing: executing types files for the first time, and telling what they register and what they do.

``prober.py`` is the seam. A ``WorkerPool`` (``pool.py``, ``session.py``, ``process.py``) has worker processes
(``boot.py``, ``worker.py``) that execute one candidate after the other (``examine.py``) and compare their process with
what it was (``guard.py``); ``verdict.py`` tells what the end of a worker says of the file it had in work.
``traits.py`` is the table of all that can be said.
"""

from __future__ import annotations

from topcook.factory.probing.pool import WorkerPool
from topcook.factory.probing.prober import InProcessProber, Prober

__all__ = ["InProcessProber", "Prober", "WorkerPool"]
