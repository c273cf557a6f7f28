"""The index: what probes found, kept from one start to the next, with the sources that they executed.

``entries.py`` says when a kept outcome still holds, ``environment.py`` what else it hangs on, ``store.py`` keeps
outcomes in SQLite, ``rows.py`` turns them into records, ``place.py`` says where the files are and whether they may be
believed, ``site.py`` makes the sealed index of a shared types directory.
"""

from __future__ import annotations

from topcook.factory.index.store import Index

__all__ = ["Index"]
