"""What Python's compiler refused: Python 2 is told as such, so are encodings, tabs and stray characters."""

from __future__ import annotations

import linecache
import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from topcook.factory.places import Spot

if TYPE_CHECKING:
    from topcook.errors import Problem

__all__ = ["PYTHON_2_NAMES", "python_2", "syntax_problem"]


class _Old(NamedTuple):
    """A form of Python 2: how the compiler's message or the line around the place shows it, and what is written now."""

    name: str
    message: str
    text: str
    now: str


#: The first row that fits counts. ``text`` is looked for in the line, and must be near the place.
_PYTHON_2 = (
    _Old("a print statement", r"in call to 'print'", "", "print(…)"),
    _Old("an exec statement", r"in call to 'exec'", "", "exec(code, namespace)"),
    _Old("except with a comma", r"must be parenthesized", r"\bexcept\b.*,", "except Error as error:"),
    _Old("a number with a leading 0", r"leading zeros in decimal", "", "0o in front of its digits, as in 0o755"),
    _Old("a long number", r"invalid \w+ literal", r"\b(?:0[xX][\da-fA-F]+|\d+)[lL]\b", "no L at its end"),
    _Old(
        "a tuple as a parameter",
        r"parameters cannot be parenthesized|invalid syntax",
        r"def \w+\(.*\(",
        "one name, taken apart inside",
    ),
    _Old("backticks", r"invalid syntax", r"`", "repr(…)"),
    _Old("the operator <>", r"invalid syntax", r"<>", "!="),
    _Old("a text with ur before it", r"invalid syntax", r"\b[uU][rR]['\"]", "r in place of ur"),
    _Old("raise with a comma", r"invalid syntax", r"\braise\s+[\w.]+\s*,", "raise Error(message)"),
)
#: Names that Python 3 no longer has, with what it has for them; methods of dict with a dot.
PYTHON_2_NAMES = {
    "unicode": "str",
    "basestring": "str",
    "xrange": "range",
    "raw_input": "input",
    "long": "int",
    "unichr": "chr",
    "reduce": "functools.reduce",
    "file": "open",
    "execfile": "exec(open(path).read())",
    "cmp": "(a > b) - (a < b)",
    "apply": "function(*args)",
    "reload": "importlib.reload",
    "intern": "sys.intern",
    ".has_key": "key in dict",
    ".iteritems": "items()",
    ".itervalues": "values()",
    ".iterkeys": "keys()",
}
_PRINTS = re.compile(r"^\s*(?:print\s+[^\s(=.,)\[]|exec\s+['\"\w]|except\s+[\w.]+\s*,\s*\w+\s*:)")
_TYPOGRAPHIC = dict.fromkeys("“”„‟«»", '"') | dict.fromkeys("‘’", "'") | dict.fromkeys("–—−", "-")
_STRAY = re.compile(r"invalid (?:non-printable )?character (?:'(.)' )?\(?U\+([0-9A-F]+)", re.DOTALL)


def python_2(spot: Spot, what: str, now: str, others: str = "") -> Problem:
    """The problem of a form that only Python 2 has."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    hint = f"write: {now} (Topcook runs Python {version}{others})"
    return spot.problem("python-2", f"this is Python 2: {what}; expected {now}", hint)


def syntax_problem(error: SyntaxError, path: str) -> Problem:
    """The problem that a SyntaxError is, at its place in ``path`` or in the file beside it where it stands."""
    spot = _spot(error, path)
    message = error.msg or "invalid syntax"
    text = linecache.getline(spot.path, spot.line or 0)
    if "null bytes" in message or "codec can't decode" in message or "encoding" in message:
        return _encoding(spot.path, message)
    for old in _PYTHON_2:
        if re.search(old.message, message) and (not old.text or _near(old.text, text, spot.column)):
            return python_2(spot, old.name, old.now, _others(spot))
    if isinstance(error, TabError):
        hint = "indent with four spaces, everywhere: most editors turn tabs into spaces for a whole file"
        return spot.problem("syntax-error", "TabError: tabs and spaces are mixed in the indentation", hint)
    return spot.problem("syntax-error", f"{type(error).__name__}: {message}", _hint(error, message, text))


def _spot(error: SyntaxError, path: str) -> Spot:
    """The compiler's own place; its numbers may be 0 or -1 for what it does not know."""
    column = error.offset if error.offset and error.offset > 0 else None
    same_line = error.end_lineno == error.lineno and error.end_offset and error.end_offset > (column or 0)
    return Spot(error.filename or path, error.lineno or None, column, error.end_offset if same_line else None)


def _near(pattern: str, text: str, column: int | None) -> bool:
    """Whether the form stands in the line up to where the compiler stopped, or right behind."""
    at = (column or 1) - 1
    return any(found.start() <= at + 1 and found.end() >= at - 1 for found in re.finditer(pattern, text))


def _others(spot: Spot) -> str:
    """Which other lines are Python 2's: the compiler stops at the first."""
    lines = [
        number
        for number, line in enumerate(linecache.getlines(spot.path), 1)
        if number != spot.line and _PRINTS.match(line)
    ]
    more = f" and {len(lines) - 5} more" if len(lines) > 5 else ""  # noqa: PLR2004 - as many as one reads
    shown = ", ".join(map(str, lines[:5]))
    return f"; the same in line{'s' if len(lines) > 1 else ''} {shown}{more}" if lines else ""


def _encoding(path: str, message: str) -> Problem:
    """A file that is not the text it should be: the first byte that does not fit is looked up."""
    hint = "save the file as UTF-8, in your editor's list of encodings"
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except OSError:
        content = b""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or content[:200].count(0) > len(content[:200]) // 3:
        return Spot(path).problem("encoding", "the file is UTF-16, expected UTF-8", hint)
    if b"\0" in content:
        hint = "delete it: a file that was cut off, or copied from a broken disk, often has some"
        return _byte(path, content, content.index(0)).problem("encoding", "there is a NUL byte in the file", hint)
    cookie = re.match(rb"(?:[^\n]*\n)?[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", content)
    if cookie:
        line = content[: cookie.start(1)].count(b"\n") + 1
        start = cookie.start(1) - (content.rfind(b"\n", 0, cookie.start(1)) + 1)
        name = cookie.group(1).decode()
        spot = Spot(path, line, start + 1, start + 1 + len(name))
        said = "is unknown" if "unknown" in message else "does not fit what is in the file"
        return spot.problem("encoding", f'the encoding "{name}" {said}', f"take the comment out, and {hint}")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        wrong = f"the byte 0x{content[error.start]:02x} is no UTF-8"
        return _byte(path, content, error.start).problem("encoding", wrong, hint)
    return Spot(path).problem("encoding", f"the file cannot be read as text: {message}", hint)


def _byte(path: str, content: bytes, at: int) -> Spot:
    first = content.rfind(b"\n", 0, at) + 1
    column = len(content[first:at].decode("utf-8", "replace")) + 1
    return Spot(path, content.count(b"\n", 0, at) + 1, column, column + 1)


def _hint(error: SyntaxError, message: str, text: str) -> str | None:
    stray = _STRAY.search(message)
    if stray:
        char = chr(int(stray.group(2), 16))
        plain = _TYPOGRAPHIC.get(char)
        return f"type {plain} on the keyboard: this one came from a page or a mail" if plain else "delete it"
    if isinstance(error, IndentationError):
        return "look at the line above: it ends in a colon and wants an indented line, or this one is indented too far"
    if "was never closed" in message:
        return "close it; all that follows was read as a part of it"
    if "expected ':'" in message:
        return "end the line with a colon"
    if re.match(r"\s*(?:<{7}|={7}|>{7})(?:\s|$)", text):
        return "this is what a merge left behind: keep one of the two versions"
    if "outside function" in message:
        return "indent it, so that it belongs to the function above"
    return "look at this place, and at the end of the line above"
