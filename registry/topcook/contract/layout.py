"""Python source, laid out: literals as a formatter writes them, and bodies moved to another depth."""

from __future__ import annotations

import ast
import io
import json
import textwrap
import tokenize
from typing import Any

__all__ = ["WIDTH", "docstring", "indented", "literal"]

#: The line length that formatters take for granted.
WIDTH = 88


def literal(value: Any, indent: int = 0, before: int = 0) -> str:
    """A value of JSON's kinds as Python source: on one line where it fits, else an element a line.

    ``indent`` is that of the line it starts on, ``before`` the columns that line has taken already.
    """
    flat = _flat(value)
    if max(before, indent) + len(flat) <= WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    inner = indent + 4
    pad = " " * inner
    if isinstance(value, dict):
        # The comma behind counts.
        heads = {key: f"{_flat(key)}: " for key in value}
        parts = [heads[key] + literal(part, inner, inner + len(heads[key]) + 1) for key, part in value.items()]
        opening, closing = "{", "}"
    else:
        parts = [literal(part, inner, inner + 1) for part in value]
        opening, closing = "[", "]"
    return f"{opening}\n" + "".join(f"{pad}{part},\n" for part in parts) + " " * indent + closing


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(str(key))}: {_flat(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flat, value)) + "]"
    return repr(value)


def _text(value: str) -> str:
    """A string in double quotes, or single ones where that spares backslashes."""
    if '"' in value and "'" not in value:
        return repr(value)
    # What JSON escapes it escapes as Python does; what else cannot be seen is escaped here.
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in quoted)


def docstring(text: str, indent: int) -> str:
    """A docstring; one that does not fit on a line is broken, behind the first clause where it has several."""
    safe = text.replace("\\", "/").replace('"', "'")
    pad = " " * indent
    if indent + len(safe) + 6 <= WIDTH:
        return f'{pad}"""{safe}"""'
    head, joint, tail = safe.partition("; ")
    if joint and indent + len(head) + 4 <= WIDTH:
        lines = [head + ".", "", *textwrap.wrap(tail[:1].upper() + tail[1:], WIDTH - indent)]
    else:
        lines = textwrap.wrap(safe, WIDTH - indent - 3)
    return "\n".join([f'{pad}"""{lines[0]}', *(pad + line if line else "" for line in lines[1:]), f'{pad}"""'])


def indented(body: str, indent: int) -> str:
    """A body of statements moved to the right, tabs before them made four blanks; texts of several lines stay.

    ``body`` is Python that can be parsed. It says the same afterwards: where tabs cannot be replaced, they stay.
    """
    meaning = _meaning(body)
    inside = _inside_texts(body)
    for spaces in (True, False):
        moved = "\n".join(_moved(line, indent, number in inside, spaces) for number, line in _lines(body))
        try:
            if _meaning(textwrap.dedent(f"if 1:\n{moved}"), of_block=True) == meaning:
                return moved
        except SyntaxError:
            continue
    raise ValueError("this body cannot be moved without changing what it says")


def _lines(body: str) -> list[tuple[int, str]]:
    return list(enumerate(body.strip("\n").split("\n"), body[: len(body) - len(body.lstrip("\n"))].count("\n") + 1))


def _moved(line: str, indent: int, inside: bool, spaces: bool) -> str:
    if inside:
        return line
    text = line.lstrip(" \t")
    before = line[: len(line) - len(text)]
    if not text.strip():
        return ""
    return " " * indent + (before.replace("\t", "    ") if spaces else before) + text


def _meaning(text: str, *, of_block: bool = False) -> list[str]:
    body = ast.parse(text).body
    if of_block and isinstance(body[0], ast.If):
        body = body[0].body
    return [ast.dump(statement) for statement in body]


def _inside_texts(body: str) -> set[int]:
    """The lines that start inside a text; what stands before their first letter belongs to it."""
    inside: set[int] = set()
    started: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(body).readline):
        name = tokenize.tok_name[token.type]
        if name in {"FSTRING_START", "TSTRING_START"}:
            started.append(token.start[0])
        first = started.pop() if name in {"FSTRING_END", "TSTRING_END"} else token.start[0]
        if name in {"STRING", "FSTRING_END", "TSTRING_END"}:
            inside.update(range(first + 1, token.end[0] + 1))
    return inside
