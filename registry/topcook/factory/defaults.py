"""What a factory uses for the process's own types: workers to probe in, an index, a stand-in for ``hou``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from topcook.errors import Problem
    from topcook.factory.index import Index
    from topcook.factory.probing import Prober

__all__ = ["offered_hou", "users_index", "workers"]


def offered_hou(environ: Mapping[str, str]) -> list[Problem]:
    """Have a stand-in for ``hou`` where the environment names one; returns what is wrong with it."""
    if not environ.get("TOPCOOK_HOU"):
        return []
    from topcook.factory.houstub import offer_hou

    return offer_hou(environ)


def workers(search_path: Sequence[str]) -> Prober:
    """Workers to probe in; ``search_path`` is what files see as the registry's."""
    from topcook.factory.probing.pool import WorkerPool

    return WorkerPool(types_path=search_path)


def users_index() -> Index | None:
    """The index of the process's own types; None where none is wanted or can be."""
    from topcook.factory.index.open import open_index

    return open_index(os.environ)
