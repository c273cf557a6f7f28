"""The calls that clients send nearly always, read without an XML parser: scalars as the common encoders write them.

Whatever is not exactly of that form is left to the parser; what is read here, the parser would read to the same
values (a property test holds the two against each other). Reports come by the thousand, and the parser's events cost
three times as much as all the rest of a report.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD = re.compile(
    rb"(?:<\?xml version=['\"]1\.0['\"](?: encoding=['\"](?:utf-8|UTF-8)['\"])?\?>\s*)?"
    rb"<methodCall>\s*<methodName>([A-Za-z0-9_.]{1,60})</methodName>\s*<params>\s*"
)
# Texts without markup, control characters and bytes above ASCII: in those nothing is left to interpret.
_PARAM = re.compile(
    rb"<param>\s*<value>(?:"
    rb"<(?P<tag>int|i4|double|boolean|base64)>(?P<plain>[-+0-9A-Za-z/=.\n]*)</(?P=tag)>"
    rb"|<string>(?P<text>[\t\n -%'-;=?-~]*)</string>"
    rb"|(?P<nil><nil/>))</value>\s*</param>\s*"
)
_TAIL = re.compile(rb"</params>\s*</methodCall>\s*\Z")
_LONGEST_INT = 18


def _int(text: bytes) -> int:
    if len(text) > _LONGEST_INT:
        raise ValueError(text)
    return int(text)


def _boolean(text: bytes) -> bool:
    return {b"0": False, b"1": True}[text]


_READERS: dict[bytes, Callable[[bytes], Any]] = {
    b"int": _int,
    b"i4": _int,
    b"double": float,
    b"boolean": _boolean,
    b"base64": a2b_base64,
}


def read_plain_call(body: bytes) -> tuple[str, list[Any]] | None:
    """The method's name and its arguments, or None: let the parser see it."""
    head = _HEAD.match(body)
    if head is None:
        return None
    place = head.end()
    args: list[Any] = []
    try:
        while param := _PARAM.match(body, place):
            place = param.end()
            tag, plain, text, nil = param.groups()
            if tag is not None:
                args.append(_READERS[tag](plain))
            else:
                args.append(None if nil is not None else text.decode("ascii"))
    except (ValueError, KeyError, Base64Error):
        return None
    return (head[1].decode("ascii"), args) if _TAIL.match(body, place) else None
