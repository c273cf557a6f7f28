"""Look at types files before something is done with them: executed and checked, never taken from what is known."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from topcook.errors import SchedulerContractError

if TYPE_CHECKING:
    from topcook.factory import Record

__all__ = ["examined", "sound"]


def examined(path: str) -> list[Record]:
    """The records of a types file or package, as a fresh look at it gives them: executed in a process of its own."""
    from topcook.factory import Factory

    return Factory([]).examine([os.path.abspath(path)])


def sound(path: str, *, force: bool, doing: str) -> list[Record]:
    """The types of a file that has nothing wrong with it; raises ``SchedulerContractError``, with ``force`` never.

    ``doing`` says what is refused: "installed".
    """
    records = examined(path)
    problems = [problem for record in records for problem in record.problems]
    types = [record for record in records if record.usable]
    if force:
        return types
    if problems:
        raise SchedulerContractError(
            problems, f'"{path}" is not {doing}: there are problems; --force does it all the same'
        )
    if not types:
        why = next((record.reason for record in records if record.reason), "it registers no type")
        raise SchedulerContractError([], f'"{path}" is not {doing}: {why}\n    see: topcook check {path}')
    return types
