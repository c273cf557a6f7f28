"""What is left of a document when its mistakes are taken out, so that further checks can go on with the rest."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from topcook.model.graphfile.locate import KeyPath
from topcook.model.graphfile.shapes import Fault

#: Taking a value out may leave its table without something it must have; a table that stays wrong goes as a whole.
_ROUNDS = 4
#: How deep a path is cut in each round: the value itself, then ever more around it.
_TABLE_DEPTH = 2


def healthy_part(document: Any, faults: Sequence[Fault], check: Callable[[Any], list[Fault]]) -> dict[str, Any] | None:
    """A copy of ``document`` without what the faults point at; ``None`` when nothing that checks well is left."""
    rest = copy.deepcopy(document)
    for number in range(_ROUNDS):
        # Later list entries first, so that the indices of earlier ones hold.
        paths = sorted({fault.path for fault in faults}, key=repr, reverse=True)
        for path in paths:
            _take_out(rest, path[:_TABLE_DEPTH] if number else path)
        faults = check(rest)
        if not faults:
            return rest if isinstance(rest, dict) else None
    return None


def _take_out(document: Any, path: KeyPath) -> None:
    holder = document
    for key in path[:-1]:
        try:
            holder = holder[key]
        except (KeyError, IndexError, TypeError):
            return
    if path and isinstance(holder, dict):
        holder.pop(path[-1], None)
    elif path and isinstance(holder, list) and isinstance(path[-1], int) and path[-1] < len(holder):
        del holder[path[-1]]
