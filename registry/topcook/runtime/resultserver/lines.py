r"""The line protocol of our own client: a greeting with the secret, then one JSON line per call.

::

    PDG1 <secret>\n
    ["success", 1, 12, 3.5, ""]\n          method, attempt or null, then the arguments as in the table
    +\n                                     done and recorded; with a value: + and its JSON
    -words\\n                                not done; line breaks in the words travel as the character 0x1E

The greeting is not answered unless it is refused, so that greeting and call travel in one packet. Calls may follow
each other without waiting; answers keep their order. The protocol is simple enough for a shell.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from topcook.runtime.resultserver.dispatch import Caller

if TYPE_CHECKING:
    from topcook.runtime.resultserver.connection import Answer, Connection
    from topcook.runtime.resultserver.dispatch import Fault

_DONE = b"+\n"
_GREETING = b"PDG1 "
_TRUSTED = Caller(trusted=True)
LINE_BREAK = "\x1e"


class Lines:
    """What a connection knows of the protocol: whether it was greeted, and how far it was searched for a line end."""

    __slots__ = ("_greeted", "_searched")

    def __init__(self) -> None:
        """Begin with the greeting."""
        self._greeted = False
        self._searched = 0

    def consume(self, connection: Connection) -> None:
        """Take every whole line off the inbox, as long as the answers do not pile up."""
        inbox, hub = connection.inbox, connection.hub
        start = 0
        while not connection.closing and not connection.crowded:
            end = inbox.find(b"\n", max(start, self._searched))
            if end == -1:
                self._searched = len(inbox)
                break
            line = bytes(inbox[start:end])
            start = end + 1
            self._line(connection, line)
        else:
            connection.stale = not connection.closing
        if connection.closing:
            return
        del inbox[:start]
        self._searched = max(0, self._searched - start)
        if start and self._greeted:
            hub.settle(connection)
        if len(inbox) > (hub.limits.body if self._greeted else hub.limits.head):
            hub.counters.too_large += 1
            hub.notebook.once("line", f"result server: {connection.peer} sent a line over the limit")
            connection.refuse(_said("the line is too long"))
        elif not self._greeted:
            hub.expect(connection, hub.limits.greeting_time)
        elif inbox and self._searched == len(inbox):
            hub.expect(connection, hub.limits.body_time)

    def _line(self, connection: Connection, line: bytes) -> None:
        if self._greeted:
            _call(connection, line)
        elif len(line) <= connection.hub.limits.head and connection.hub.is_secret(line[len(_GREETING) :].strip()):
            self._greeted = True
        else:
            connection.hub.counters.refused += 1
            connection.hub.notebook.once("greeting", f"result server: {connection.peer} does not know the secret")
            connection.refuse(_said("the secret is wrong"))


def _call(connection: Connection, line: bytes) -> None:
    try:
        said = json.loads(line)
        name, attempt, *args = said
        good = isinstance(said, list) and isinstance(name, str) and (attempt is None or type(attempt) is int)
    except (ValueError, TypeError, RecursionError):
        good = False
    if not good:
        connection.hub.counters.garbage += 1
        connection.hub.notebook.once("no call", f"result server: {connection.peer} sent a line that is no call")
        connection.owe().give(_said("expected a line of JSON: [method, attempt or null, arguments...]"))
        return
    answer = connection.owe()
    caller = _TRUSTED if attempt is None else Caller(trusted=True, attempt=attempt)
    connection.hub.dispatcher.call(name, args, caller, lambda value, fault: _answer(answer, value, fault))


def _answer(answer: Answer, value: object, fault: Fault | None) -> None:
    if fault is not None:
        answer.give(_said(fault.text))
    elif value is True:
        answer.give(_DONE)
    else:
        answer.give(b"+" + json.dumps(value, default=str).encode() + b"\n")


def _said(text: str) -> bytes:
    return b"-" + text.replace("\n", LINE_BREAK).encode("utf-8", "replace") + b"\n"
