"""When the outcomes that an index keeps were found out, for people who ask."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from topcook.factory.index.store import Index

__all__ = ["checked_at"]


def checked_at(index: Index) -> dict[str, float]:
    """For the path of each file, when it was last known to be as it was probed, in seconds since the epoch."""

    def read(connection: sqlite3.Connection) -> dict[str, float]:
        rows = connection.execute(
            "SELECT c.root, c.path, c.checked_at FROM environment e JOIN candidate c ON c.environment = e.id"
            " WHERE e.key = ?",
            (index.environment,),
        )
        return {os.path.join(os.fsdecode(root), os.fsdecode(path)): float(at) for root, path, at in rows}

    return index.database.read(read, {})
