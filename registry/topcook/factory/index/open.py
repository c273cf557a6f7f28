"""Open the index of the user, where he has one."""

from __future__ import annotations

from collections.abc import Mapping

from topcook.factory.index.database import Database
from topcook.factory.index.environment import environment_key
from topcook.factory.index.place import index_path
from topcook.factory.index.rows import SCHEMA
from topcook.factory.index.store import Index

__all__ = ["open_index"]


def open_index(environ: Mapping[str, str]) -> Index | None:
    """The user's index, whether its file is there or not; None where he wants none or has no home."""
    path = index_path(environ)
    return Index(Database(path, SCHEMA), environment_key(environ)) if path else None
