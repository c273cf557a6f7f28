"""``require = "seed"``: each callback that the help page calls a must stands in the scheduler's own file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from topcook.errors import Problem
from topcook.factory.records import Kind, Record, State, Tier

if TYPE_CHECKING:
    from topcook.config import Config

__all__ = ["hold_to_seed"]


def hold_to_seed(config: Config, records: Iterable[Record]) -> None:
    """Refuse the schedulers that leave a must to their base class, where the configuration asks for that.

    Reports know what a class leaves to its base, so nothing is executed for it. What ships with Topcook, and what a
    program registers itself, is not held to it.
    """
    if config.require != "seed":
        return
    asked = f'require = "seed", {config.origin_of("require")}'
    for record in records:
        if record.kind is not Kind.SCHEDULER or record.state is not State.OK:
            continue
        if record.origin.tier in {Tier.BUILTIN, Tier.PROGRAM}:
            continue
        lacking = list(_lacking(record, asked))
        if lacking:
            record.problems, record.state = [*record.problems, *lacking], State.INVALID


def _lacking(record: Record, asked: str) -> Iterator[Problem]:
    from topcook.contract.callbacks import CALLBACKS, Need

    for row in CALLBACKS:
        if row.need is Need.DEFAULTED and record.callbacks.get(row.name) == "default":
            message = f'"{row.name}" is left to the base class, and has to stand in the file itself ({asked})'
            hint = f"add: def {row.signature}: …"
            yield Problem("required-by-seed", message, record.origin.path, record.line, None, hint)
