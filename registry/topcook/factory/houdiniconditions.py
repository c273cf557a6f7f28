"""The small language of conditions in Houdini's package files.

``houdini_version >= '20.5' and houdini_os == 'linux'``, ``$SHOW == 'dragon' or not $FARM``, with parentheses. What
cannot be known (a version where no Houdini is set up) makes a condition unknown rather than false.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["holds"]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*'|\"[^\"]*\")|\$\{?(?P<variable>\w+)\}?|(?P<sign>==|!=|<=|>=|<|>|\(|\))|(?P<word>[\w.]+))"
)
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")
_DEEPEST = 50
#: Facts of a running Houdini that nobody knows outside of it.
_UNKNOWN = frozenset({"houdini_version", "houdini_python", "houdini_platform_build", "houdini_os"})

Value = str | tuple[int, ...] | None


def holds(text: str, facts: Mapping[str, object], environ: Mapping[str, str]) -> bool | None:
    """Whether a condition holds; None when it hangs on what is not known. Raises ValueError for what is none."""
    parser = _Parser(_tokens(text), facts, environ)
    result = parser.either(0)
    if parser.tokens:
        raise ValueError(f'"{parser.tokens[0][1]}" is too much')
    return result


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f'"{text[at:]}" is no part of one')
        found.append((str(match.lastgroup), match.group(str(match.lastgroup))))
        at = match.end()
    return found


class _Parser:
    """Reads tokens from the left; ``or`` binds less than ``and``, that less than ``not``."""

    def __init__(self, tokens: list[tuple[str, str]], facts: Mapping[str, object], environ: Mapping[str, str]) -> None:
        self.tokens = tokens
        self.facts = facts
        self.environ = environ

    def either(self, depth: int) -> bool | None:
        """Terms with ``or`` between them."""
        result = self.both(depth)
        while self._word("or"):
            other = self.both(depth)
            result = True if result or other else None if result is None or other is None else False
        return result

    def both(self, depth: int) -> bool | None:
        """Terms with ``and`` between them."""
        result = self.one(depth)
        while self._word("and"):
            other = self.one(depth)
            result = False if result is False or other is False else None if result is None or other is None else True
        return result

    def one(self, depth: int) -> bool | None:
        """A negation, a condition in parentheses, a comparison, or a value that is there."""
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        if self._word("not"):
            result = self.one(depth + 1)
            return None if result is None else not result
        if self.tokens and self.tokens[0] == ("sign", "("):
            self.tokens.pop(0)
            result = self.either(depth + 1)
            if not self.tokens or self.tokens.pop(0) != ("sign", ")"):
                raise ValueError('a ")" is missing')
            return result
        left = self._value()
        if not self.tokens or self.tokens[0][0] != "sign" or self.tokens[0][1] not in _SIGNS:
            return None if left is None else left not in {"", "0", "false"}
        sign = self.tokens.pop(0)[1]
        return _compared(sign, left, self._value())

    def _word(self, word: str) -> bool:
        if self.tokens and self.tokens[0][0] == "word" and self.tokens[0][1].lower() == word:
            self.tokens.pop(0)
            return True
        return False

    def _value(self) -> Value:
        if not self.tokens:
            raise ValueError("it ends too early")
        kind, text = self.tokens.pop(0)
        if kind == "text":
            return text[1:-1]
        if kind == "variable":
            return self.environ.get(text, "")
        if kind == "sign":
            raise ValueError(f'a value is missing before "{text}"')
        if text in self.facts:
            fact = self.facts[text]
            return fact if isinstance(fact, str | tuple) else None
        if text in _UNKNOWN or text.startswith("houdini_"):
            return None
        return text


def _compared(sign: str, left: Value, right: Value) -> bool | None:
    if left is None or right is None:
        return None
    if isinstance(left, str) and isinstance(right, str):
        return _SIGNS[sign](left, right)
    one, other = _version(left), _version(right)
    common = min(len(one), len(other))
    if not common:
        return None
    # 20.5.445 is a 20.5; but whether a 20.5 of which no more is known is 20.5.445, nobody can say.
    ours, asked = (one, other) if isinstance(left, tuple) else (other, one)
    if one[:common] == other[:common] and len(ours) < len(asked):
        return None
    return _SIGNS[sign](one[:common], other[:common])


def _version(value: str | tuple[int, ...]) -> tuple[int, ...]:
    if isinstance(value, tuple):
        return value
    found = _NUMBERS.search(value)
    return tuple(int(each) for each in found.group().split(".")) if found else ()
