"""Turn what author code raised into a problem at the author's own line."""

from __future__ import annotations

import difflib
import os
import re
import sys
import traceback

from topcook.errors import Problem, ProblemsError
from topcook.factory.records import NEEDS_HOUDINI

__all__ = ["problem_of", "said"]

_PYTHON_2 = re.compile(
    r"Missing parentheses in call to|multiple exception types must be parenthesized|invalid hexadecimal literal"
    r"|leading zeros in decimal integer literals|invalid decimal literal|'<>'"
)
_QT = frozenset({"PySide", "PySide2", "PySide6", "PyQt4", "PyQt5", "PyQt6", "Qt", "hutil"})


def said(error: BaseException) -> str:
    """The text of an exception; an author's ``__str__`` may raise anything itself."""
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - author code, in the one place that must not fail
        return "(its text cannot be had: its __str__ raised)"


def problem_of(error: BaseException, path: str, doing: str = "it was executed") -> Problem:
    """What went wrong while ``doing``, placed in ``path`` or in a file beside it where it came from there."""
    where, line, column = _place(error, path)
    name = type(error).__name__
    match error:
        case SyntaxError():
            return _syntax(error, path)
        case ModuleNotFoundError() if error.name:
            return _missing_module(error, where, line, column)
        case SystemExit():
            message = f"ended the program (SystemExit: {said(error)}) while {doing}"
            return Problem("exits", message, where, line, column, "a types file must not call sys.exit")
        case ImportError():
            return Problem(
                "import-error", f"ImportError: {_first_line(error)}", where, line, column, _module_hint(error)
            )
        case _:
            text = _first_line(error)
            message = f"{name}: {text}" if text else f"{name} was raised"
            return Problem("raises", f"{message} (while {doing})", where, line, column, None)


def problems_of(error: BaseException, path: str, doing: str = "it was executed") -> list[Problem]:
    """All problems that an exception carries; one for an exception that is not ours."""
    if isinstance(error, ProblemsError) and error.problems:
        return list(error.problems)
    return [problem_of(error, path, doing)]


def _first_line(error: BaseException) -> str:
    lines = said(error).strip().splitlines()
    return lines[0] if lines else ""


def _place(error: BaseException, path: str) -> tuple[str, int | None, int | None]:
    """The deepest frame in the author's own directory; a frame inside a library tells him less."""
    directory = os.path.dirname(path) + os.sep
    best: tuple[str, int | None, int | None] = (path, None, None)
    for frame, line in traceback.walk_tb(error.__traceback__):
        filename = frame.f_code.co_filename
        if filename == path or filename.startswith(directory):
            best = (filename, line, None)
    positions = [
        each for each in traceback.TracebackException.from_exception(error).stack if each.filename == best[0]
    ] if best[1] else []  # fmt: skip
    if positions and positions[-1].lineno == best[1] and positions[-1].colno is not None:
        return best[0], best[1], positions[-1].colno + 1
    return best


def _syntax(error: SyntaxError, path: str) -> Problem:
    text = error.msg or "invalid syntax"
    python2 = bool(_PYTHON_2.search(text))
    hint = f"this looks like Python 2; Topcook runs Python {sys.version_info.major}.{sys.version_info.minor}"
    line = error.lineno or None
    column = error.offset if error.offset and error.offset > 0 else None
    code = "python-2" if python2 else "syntax-error"
    kind = type(error).__name__
    return Problem(code, f"{kind}: {text}", error.filename or path, line, column, hint if python2 else None)


def _missing_module(error: ModuleNotFoundError, path: str, line: int | None, column: int | None) -> Problem:
    name = error.name or ""
    top = name.partition(".")[0]
    if top in {"hou", "_hou", "hdefereval", "toolutils"}:
        hint = "it can be used where Houdini runs it; if it asks for little, TOPCOOK_HOU=stub stands in for hou"
        return Problem("needs-houdini", NEEDS_HOUDINI, path, line, column, hint)
    return Problem("missing-module", f'there is no module "{name}"', path, line, column, _module_hint(error))


def _module_hint(error: ImportError) -> str:
    top = (error.name or "").partition(".")[0]
    close = difflib.get_close_matches(top, [*sys.stdlib_module_names, "pdg"], n=1, cutoff=0.8) if top else []
    if close and close[0] != top:
        return f'did you mean "{close[0]}"?'
    if top in _QT:
        return f"it needs a user interface ({top}); import that only where it is used"
    if top == "pdg":
        return "later versions of Houdini may have this name; Topcook's pdg has not"
    if not top or top in sys.stdlib_module_names:
        return "look at the line that imports it"
    # Not "pip install <name>": names of farms' clients are taken on PyPI by things that are none.
    return f'put the folder that has "{top}" on PYTHONPATH, or install it from its maker into {sys.executable}'
