"""Read what a callback returned, sloppy answers included, by its row's rule.

A bool is tested before anything else: it is an int to Python, and the help page of the Python Scheduler
says "returns True" where later versions have an enumeration.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from topcook.contract.callbacks import Callback, Returns
from topcook.errors import CallbackError
from topcook.model.enums import AcceptResult, Result, ScheduleResult, TickResult

__all__ = ["Submission", "read_return"]

Submission = tuple[str, str]

_E = TypeVar("_E")


class _WrongReturnError(Exception):
    """The value is none that the rule allows."""


def _choice(kind: type[_E], yes: _E, no: _E, none: _E) -> Callable[[object], _E]:
    """A reader of one enumeration that also understands a bool and None."""

    def read(value: object) -> _E:
        if isinstance(value, bool):
            return yes if value else no
        if value is None:
            return none
        if isinstance(value, kind):
            return value
        raise _WrongReturnError

    return read


def _boolean(value: object) -> bool:
    if value is None:
        return True
    # numpy's bools and the answers of C libraries are ints in all but type; they count as what they say.
    if isinstance(value, int) or type(value).__name__ in {"bool_", "bool"}:
        return bool(value)
    raise _WrongReturnError


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "__fspath__"):
        return str(value)
    raise _WrongReturnError


def _submission(value: object) -> Submission:
    if isinstance(value, tuple | list):
        if len(value) != 2:  # noqa: PLR2004 - a pair
            raise _WrongReturnError
        job = "" if value[1] is None else str(value[1])
        return _text(value[0]), job
    return _text(value), ""


def _readiness(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, int | float) and math.isfinite(value) and int(value) in {0, 1, 2}:
        return int(value)
    raise _WrongReturnError


def _nothing(_value: object) -> None:
    return None


def _items(value: object) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, list | tuple | set) and all(isinstance(getattr(each, "id", None), int) for each in value):
        return list(value)
    raise _WrongReturnError


#: One reader for each kind of return.
READERS: dict[Returns, Callable[[object], Any]] = {
    Returns.SCHEDULE: _choice(
        ScheduleResult, ScheduleResult.Succeeded, ScheduleResult.Failed, ScheduleResult.Succeeded
    ),
    Returns.TICK: _choice(TickResult, TickResult.SchedulerReady, TickResult.SchedulerBusy, TickResult.SchedulerReady),
    Returns.ACCEPT: _choice(AcceptResult, AcceptResult.Accept, AcceptResult.Reject, AcceptResult.Default),
    Returns.RESULT: _choice(Result, Result.Success, Result.Failure, Result.Success),
    Returns.BOOLEAN: _boolean,
    Returns.TEXT: _text,
    Returns.SUBMISSION: _submission,
    Returns.READINESS: _readiness,
    Returns.ITEMS: _items,
    Returns.NOTHING: _nothing,
}


def read_return(row: Callback, value: object, *, place: str = "") -> Any:
    """What ``value``, returned by the callback of ``row``, means.

    A ``ScheduleResult``, ``TickResult``, ``AcceptResult`` or ``Result`` for the rows that return one; a bool, a
    str, a pair (status URI, job id), 0, 1 or 2, a list of work items, or None for the others. ``place``
    (``path:line``) tells the error where the callback stands. Raises ``CallbackError`` for what the row does not allow.
    """
    try:
        return READERS[row.returns](value)
    except _WrongReturnError:
        raise CallbackError(wrong_return(row, value, place)) from None


def wrong_return(row: Callback, value: object, place: str = "") -> str:
    """The text of the error: what came, where from, what the row allows, what to type."""
    lines = [f'"{row.name}" returned {_shown(value)}']
    if place:
        lines.append(f"at {place}")
    lines.append(f"found {type(value).__name__}, expected {row.returns.value}")
    lines.append(_ADVICE[row.returns])
    return "\n    ".join(lines)


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except BaseException:  # noqa: BLE001 - an author's __repr__ may raise anything, and must not hide the error
        text = f"a {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 - a line's worth


_ADVICE: dict[Returns, str] = {
    Returns.SCHEDULE: "return pdg.scheduleResult.Succeeded (submitted), CookSucceeded or CookFailed (already ended), "
    "Deferred (later) or Failed",
    Returns.TICK: "return pdg.tickResult.SchedulerReady, SchedulerBusy or SchedulerCancelCook",
    Returns.ACCEPT: "return pdg.acceptResult.Accept, Reject or Default",
    Returns.RESULT: "return pdg.result.Success or pdg.result.Failure",
    Returns.BOOLEAN: "return True, or False when it failed",
    Returns.TEXT: "return a string, empty when there is none",
    Returns.SUBMISSION: "return the status URI, or the pair (status URI, job id)",
    Returns.READINESS: "return True or False",
    Returns.ITEMS: "return a list of work items, of those that were given",
    Returns.NOTHING: "return nothing",
}
