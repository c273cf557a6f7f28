"""``pdg.context``: the graph context, loaded when it is asked for."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """The name of the graph API."""
    if name not in {"CookOptions", "Graph", "GraphContext"}:
        raise AttributeError(f"module 'pdg.context' has no attribute {name!r}")
    from topcook.runtime import api

    return getattr(api, name)
