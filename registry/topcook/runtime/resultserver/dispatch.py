"""From a call off the wire to the cook and back: one place for both protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from topcook.lean import dataclass
from topcook.runtime.resultserver.arguments import BadArgumentError
from topcook.runtime.resultserver.methods import METHODS, Method, Sort

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from topcook.model.notification import Notification
    from topcook.runtime.resultserver.notes import Counters, Notebook

    #: How a call is answered: ``(value, None)`` or ``(None, fault)``.
    Done = Callable[[object, "Fault | None"], None]

#: Fault codes, by the XML-RPC interoperability convention.
UNREADABLE, UNKNOWN_METHOD, BAD_ARGUMENTS, NOT_DONE = -32700, -32601, -32602, -32500
REFUSED = 403


class Sink(Protocol):
    """What the server hands its calls to: the cook, or a double of it."""

    def report(self, notifications: list[Notification], done: Callable[[Exception | None], None]) -> None:
        """Take notifications; call ``done(None)`` from any thread once they are recorded, ``done(error)`` when refused.

        Called on the server's thread; must not block.
        """

    def query(self, method: str, args: tuple[Any, ...]) -> Any:
        """Answer a question at once, on the server's thread; what it raises becomes a fault."""

    def event(self, name: str, args: tuple[Any, ...]) -> None:
        """Take a message that needs no record; must not block; what it raises becomes a fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a call was not done."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: with the secret or not, and which attempt of its item it says it is."""

    trusted: bool
    attempt: int | None = None


class Dispatcher:
    """Calls a method of the table and answers through ``done``.

    ``post(function, *args)`` runs a function on the server's thread later; ``allow`` says whether an item's
    scheduler takes reports without the secret (None: none does).
    """

    def __init__(
        self,
        sink: Sink,
        post: Callable[..., None],
        counters: Counters,
        notebook: Notebook,
        allow: Callable[[int | str | None], bool] | None,
    ) -> None:
        """Keep what a call needs."""
        self._sink = sink
        self._post = post
        self._counters = counters
        self._notebook = notebook
        self._allow = allow

    @property
    def allows_strangers(self) -> bool:
        """Whether any call without the secret is worth reading."""
        return self._allow is not None and self._allow(None)

    def call(self, name: str, given: Sequence[object], caller: Caller, done: Done) -> None:
        """Do one call; ``done`` is called on the server's thread, perhaps before this returns."""
        self._counters.calls += 1
        method = METHODS.get(name)
        if method is None:
            self._fault(done, name, UNKNOWN_METHOD, "there is no such method")
            return
        try:
            said = method.read(given)
            notifications = method.build(said) if method.build is not None else []
        except BadArgumentError as problem:
            self._fault(done, name, BAD_ARGUMENTS, str(problem))
            return
        if not caller.trusted and not self._allowed(said.get("item")):
            self._counters.refused += 1
            self._fault(done, name, REFUSED, "the secret is missing (PDG_RESULT_SECRET, header X-PDG-Secret)")
            return
        if method.sort is Sort.REPORT:
            self._report(name, notifications, caller, done)
        else:
            self._ask(name, method, said, done)

    def _allowed(self, item: int | str | None) -> bool:
        return self._allow is not None and self._allow(item)

    def _report(self, name: str, notifications: list[Notification], caller: Caller, done: Done) -> None:
        if not notifications:
            done(True, None)  # noqa: FBT003 - the value of the answer
            return
        for notification in notifications:
            notification.attempt = caller.attempt
        self._counters.reports += 1
        post, answered = self._post, self._answered
        try:
            self._sink.report(notifications, lambda error: post(answered, name, done, error))
        except Exception as error:  # noqa: BLE001 - the cook's answer to one report must not end the server
            self._fault(done, name, NOT_DONE, _words(error))

    def _answered(self, name: str, done: Done, error: Exception | None) -> None:
        if error is None:
            done(True, None)  # noqa: FBT003
        else:
            self._fault(done, name, NOT_DONE, _words(error))

    def _ask(self, name: str, method: Method, said: dict[str, Any], done: Done) -> None:
        args = tuple(said[argument] for argument in method.arguments if argument != "job")
        try:
            if method.sort is Sort.QUERY:
                done(self._sink.query(name, args), None)
            else:
                self._sink.event(name, args)
                done(True, None)  # noqa: FBT003
        except Exception as error:  # noqa: BLE001 - as for a report
            self._fault(done, name, NOT_DONE, _words(error))

    def _fault(self, done: Done, name: str, code: int, text: str) -> None:
        self._counters.faults += 1
        shown = name if name.isprintable() and len(name) <= 60 else repr(name[:60])  # noqa: PLR2004
        text = f'result server: "{shown}": {text}'
        # Words of a fault may name an item; the first of each method and code stands for all of them.
        self._notebook.once(f"{shown if name in METHODS else ''} {code}", text)
        done(None, Fault(code, text))


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
