"""Calls of author callbacks: arity, return values and exceptions by the contract table."""

from __future__ import annotations

import inspect
import time
from typing import TYPE_CHECKING, Any

from topcook.contract.callbacks import BY_NAME
from topcook.contract.returns import read_return, wrong_return
from topcook.errors import CallbackError
from topcook.runtime.faults import describe, full_text
from topcook.runtime.trace import called, shown

if TYPE_CHECKING:
    from collections.abc import Callable


class Caller:
    """Calls the callbacks of one instance; everything author code may do ends as a value or a ``CallbackError``."""

    def __init__(self, owner: str, instance: object, log: Callable[[str], None], *, traced: bool = False) -> None:
        """``owner`` names the scheduler in errors; ``log`` takes tracebacks, and each call when it is ``traced``."""
        self._traced = traced
        self._owner = owner
        self._instance = instance
        self._log = log
        self._arity: dict[str, int] = {}

    def has(self, name: str) -> bool:
        """Whether the instance has a method of that name."""
        return callable(getattr(self._instance, name, None))

    def call(self, name: str, *args: Any) -> Any:
        """Call it and read its answer; raises ``CallbackError`` with the author's place.

        A class that derives from nothing of ours may lack optional callbacks: they answer as one that returns None.
        """
        row = BY_NAME[name]
        method = getattr(self._instance, name, None)
        if not callable(method):
            return read_return(row, None)
        began = time.perf_counter()
        try:
            value = method(*args[: self._takes(name, method, len(args), row.may_omit)])
            if self._traced:
                self._log(called(name, args, f"-> {shown(value)}", began))
        except BaseException as error:  # author code: sys.exit and KeyboardInterrupt in it must not end a host thread
            if self._traced:
                self._log(called(name, args, f"raised {type(error).__name__}", began))
            self._log(full_text(error))
            if isinstance(error, CallbackError):
                raise
            text = describe(error) + self._missing(error)
            raise CallbackError(f'scheduler "{self._owner}": {name} raised {text}') from error
        try:
            return read_return(row, value)
        except CallbackError:
            text = wrong_return(row, value, _place(method))
            self._log(text + "\n")
            raise CallbackError(f'scheduler "{self._owner}": {text}') from None

    def _missing(self, error: BaseException) -> str:
        """Which parms were read that nobody set, when ``error`` may come from one (the log alone would hide it)."""
        missed = sorted(getattr(self._instance, "_topcook_missed", ()))
        if not missed or not isinstance(error, (AttributeError, TypeError)) or "NoneType" not in str(error):
            return ""
        return "".join(
            f'\n    self["{parm}"] is None: it is neither declared nor set\n'
            f"    give it a value: [schedulers.{self._owner}.parms] {parm} = ..."
            for parm in missed
        )

    def _takes(self, name: str, method: Callable[..., Any], given: int, may_omit: int) -> int:
        """How many of the arguments the author's method takes (old files leave out the last one of some)."""
        if not may_omit:
            return given
        count = self._arity.get(name)
        if count is None:
            count = self._arity[name] = _positional(method, given)
        return max(count, given - may_omit)


def _positional(method: Callable[..., Any], given: int) -> int:
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):
        return given
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return given
    return min(given, sum(1 for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}))


def _place(method: Callable[..., Any]) -> str:
    code = getattr(method, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else ""
