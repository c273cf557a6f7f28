"""Where in the author's own files something was raised."""

from __future__ import annotations

import itertools
import linecache
import os
import re
import traceback
from typing import TYPE_CHECKING

from topcook.errors import Problem
from topcook.lean import dataclass

if TYPE_CHECKING:
    from types import CodeType, TracebackType

__all__ = ["Spot", "called_at", "character", "public", "raised_at", "raised_by"]

#: The private module name under which a types file is executed, with the name that its author knows.
_PRIVATE = re.compile(r"_pdgtypes_(?:helper_[0-9a-f]{16}__(?P<helper>\w+)|(?P<stem>\w+?)_[0-9a-f]{16})\b")


@dataclass(frozen=True, slots=True)
class Spot:
    """A place that may have an end, on the same line; all count from 1."""

    path: str
    line: int | None = None
    column: int | None = None
    end_column: int | None = None

    def problem(self, code: str, message: str, hint: str | None = None) -> Problem:
        """A problem there."""
        return Problem(code, message, self.path, self.line, self.column, hint, self.end_column)


def character(text: str, offset: int) -> int:
    """The column, from 1, of a byte offset into a line: Python counts a line's bytes, people its characters."""
    return len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace")) + 1


def raised_at(error: BaseException, path: str) -> Spot:
    """The deepest frame in the directory of ``path``: a frame inside a library tells its author less."""
    file, directory = _home(path)
    best: TracebackType | None = None
    step = error.__traceback__
    while step is not None:
        filename = step.tb_frame.f_code.co_filename
        if filename == file or filename.startswith(directory):
            best = step
        step = step.tb_next
    if best is None:
        return Spot(path)
    code, line = best.tb_frame.f_code, best.tb_lineno
    return Spot(code.co_filename, line, *_columns(code, best.tb_lasti, line))


def _home(path: str) -> tuple[str, str]:
    """The file, and the directory with a separator at its end, in which all is the author's own.

    Of an entry point that is its module alone, or the package that the module is in.
    """
    if os.path.isabs(path) or path.endswith(".py"):
        return path, os.path.dirname(path) + os.sep
    from importlib.util import find_spec

    try:
        spec = find_spec(path.partition(":")[0].partition(".")[0].strip())
    except (ImportError, ValueError, AttributeError):
        # The last two: something stands in sys.modules that no import has put there.
        spec = None
    if spec is None or spec.origin is None:
        return path, path
    folder = os.path.dirname(spec.origin) + os.sep
    return spec.origin, folder if spec.submodule_search_locations else spec.origin


def called_at(called: tuple[CodeType, int, int] | None, path: str) -> Spot:
    """Where a call stands, told by its code, instruction and line; ``path`` alone where none is given."""
    if called is None:
        return Spot(path)
    code, instruction, line = called
    return Spot(code.co_filename, line, *_columns(code, instruction, line))


def _columns(code: CodeType, instruction: int, line: int) -> tuple[int | None, int | None]:
    positions = next(itertools.islice(code.co_positions(), instruction // 2, None), None)
    if positions is None or positions[0] != line or positions[2] is None:
        return None, None
    text = linecache.getline(code.co_filename, line)
    first, last_line, last = positions[2], positions[1], positions[3]
    if last_line == line and last is not None:
        return character(text, first), character(text, last)
    # It goes on in the next line: what there is of this one is meant.
    return character(text, first), len(text.rstrip()) + 1


def raised_by(error: BaseException) -> str:
    """The file of the deepest frame, whose ever it is; empty when there is none."""
    stack = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    return next((each for each in reversed(stack) if not each.startswith("<frozen")), "")


def public(text: str) -> str:
    """The text with the private names of modules replaced by those that their author gave them."""
    return _PRIVATE.sub(lambda found: found["helper"] or found["stem"], text)
