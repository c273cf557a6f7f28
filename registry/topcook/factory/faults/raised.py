"""Which problem an exception is."""

from __future__ import annotations

import builtins
import difflib
import sys
import traceback
from types import ModuleType
from typing import TYPE_CHECKING

from topcook.errors import Problem, ProblemsError
from topcook.factory.faults.imports import import_problem, missing_module
from topcook.factory.faults.syntax import PYTHON_2_NAMES, python_2, syntax_problem
from topcook.factory.places import public, raised_at

if TYPE_CHECKING:
    from topcook.factory.places import Spot

__all__ = ["problem_of", "problems_of", "said"]

_LONGEST = 300
_REGISTERING = "registerTypes is called by every listing: let it register classes, and nothing else"
_AT_IMPORT = "what stands outside of functions is executed by every listing; what may fail belongs into onStart"


def said(error: BaseException) -> str:
    """The text of an exception; an author's ``__str__`` may raise anything itself."""
    try:
        return public(str(error))
    except BaseException:  # noqa: BLE001 - author code, in the one place that must not fail
        return "(its text cannot be had: its __str__ raised)"


def problem_of(error: BaseException, path: str, doing: str = "it was executed") -> Problem:
    """What went wrong while ``doing``, placed in ``path`` or in a file beside it where it came from there."""
    spot = raised_at(error, path)
    if _while_registering(error):
        doing = "registerTypes was called"
    match error:
        case SyntaxError():
            return syntax_problem(error, path)
        case ModuleNotFoundError() if error.name:
            return missing_module(error, spot)
        case ImportError():
            return import_problem(error, spot, said(error))
        case SystemExit():
            message = f"it ended the program (SystemExit: {said(error)}) while {doing}"
            return spot.problem("exits", message, "a types file must not call sys.exit")
        case RecursionError() | MemoryError() if spot.line is None:
            hint = "was it made by a program? Split its longest expression, or read that from a file of data"
            return spot.problem("syntax-error", "the file is nested too deeply for Python's compiler", hint)
        case RecursionError():
            message = f"RecursionError: {_one_line(error)} (while {doing})"
            return spot.problem("raises", message, "something calls itself without end")
        case _:
            return _other(error, spot, doing)


def problems_of(error: BaseException, path: str, doing: str = "it was executed") -> list[Problem]:
    """All problems that an exception carries; one for an exception that is not ours."""
    if isinstance(error, ProblemsError) and error.problems:
        return list(error.problems)
    return [problem_of(error, path, doing)]


def _one_line(error: BaseException) -> str:
    """The text on one line, and no longer than one reads."""
    text = " ".join(said(error).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _other(error: BaseException, spot: Spot, doing: str) -> Problem:
    text, name = _one_line(error), type(error).__name__
    old = _old_python(error)
    if old:
        return python_2(spot, *old)
    message = f"{name}: {text}" if text else f"{name} was raised"
    return spot.problem("raises", f"{message} (while {doing})", _hint(error))


def _old_python(error: BaseException) -> tuple[str, str] | None:
    """What of Python 2 it stumbled over, and what Python 3 has for it."""
    name = getattr(error, "name", None)
    if isinstance(error, NameError) and name in PYTHON_2_NAMES:
        return f'the name "{name}"', PYTHON_2_NAMES[name]
    owner = getattr(error, "obj", None)
    if isinstance(error, AttributeError) and isinstance(owner, dict) and f".{name}" in PYTHON_2_NAMES:
        return f'the method "{name}" of a dict', PYTHON_2_NAMES[f".{name}"]
    if isinstance(error, TypeError) and "print(<message>, file=<output_stream>)" in said(error):
        return "print >>", "print(…, file=…)"
    return None


def _hint(error: BaseException) -> str | None:
    close = _closest(error)
    if close:
        return f'did you mean "{close}"?'
    if isinstance(error, KeyError) and _in_environ(error):
        return f"set the variable, or read it where it is used: os.environ.get({_one_line(error)})"
    if isinstance(error, AttributeError) and "circular import" in said(error):
        return "two files import each other: move what both need into a third, or import inside the function"
    if isinstance(error, TypeError) and "method resolution" in said(error):
        return "name the more special base first, and object not at all"
    return _REGISTERING if _while_registering(error) else _AT_IMPORT


def _names_of(owner: object) -> list[str]:
    """The names of a module, a plain class, or one of our own objects; an author's might execute something."""
    if isinstance(owner, ModuleType):
        return [*vars(owner), *getattr(owner, "__all__", ())]
    cls = owner if type(owner) is type else type(owner) if type(owner).__module__.startswith("topcook.") else None
    return [each for base in cls.__mro__ for each in vars(base)] if isinstance(cls, type) else []


def _in_environ(error: BaseException) -> bool:
    frames = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].co_qualname == "_Environ.__getitem__"


def _while_registering(error: BaseException) -> bool:
    return any(frame.f_code.co_name == "registerTypes" for frame, _ in traceback.walk_tb(error.__traceback__))


def _closest(error: BaseException) -> str:
    """The name that may have been meant; author code is not asked for its names."""
    name = getattr(error, "name", None)
    if not isinstance(name, str):
        return ""
    names: list[str] = []
    if isinstance(error, NameError):
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        frame = frames[-1] if frames else sys._getframe()  # noqa: SLF001 - without a traceback ours is as good
        names = [*frame.f_locals, *frame.f_globals, *vars(builtins)]
    elif isinstance(error, AttributeError):
        names = _names_of(error.obj)
    known = [each for each in names if isinstance(each, str) and not each.startswith("_")]
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.75)), "")
