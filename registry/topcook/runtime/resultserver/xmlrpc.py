"""XML-RPC bodies: read with the parser of defusedxml, written with the standard library."""

from __future__ import annotations

import xmlrpc.client
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

from defusedxml.common import DefusedXmlException
from defusedxml.xmlrpc import DefusedExpatParser

from topcook.runtime.resultserver.dispatch import BAD_ARGUMENTS, Fault
from topcook.runtime.resultserver.methods import METHODS
from topcook.runtime.resultserver.plaincall import read_plain_call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.runtime.resultserver.dispatch import Caller, Dispatcher, Done


class UnreadableCallError(ValueError):
    """A body that is no XML-RPC call."""


class _Unmarshaller(xmlrpc.client.Unmarshaller):
    """The standard one, without dates: no argument is a date, and reading them is slow."""

    dispatch = {  # noqa: RUF012 - the parent's shape
        name: read
        for name, read in xmlrpc.client.Unmarshaller.dispatch.items()
        if name not in {"dateTime.iso8601", "bigdecimal", "ex:bigdecimal"}
    }


def read_call(body: bytes) -> tuple[str, Sequence[Any]]:
    """The method's name and its arguments; bytes for binaries, None for nil. Raises UnreadableCallError."""
    return read_plain_call(body) or parse_call(body)


def parse_call(body: bytes) -> tuple[str, Sequence[Any]]:
    """The same by the XML parser, for every form that XML has."""
    unmarshaller = _Unmarshaller(use_builtin_types=True)
    # A document type is what entity bombs are made of, and no client sends one.
    parser = DefusedExpatParser(unmarshaller, forbid_dtd=True)
    try:
        parser.feed(body)
        parser.close()
        args = unmarshaller.close()
    except DefusedXmlException as problem:
        raise UnreadableCallError(f"a call with a document type or entities ({type(problem).__name__})") from None
    except (ExpatError, xmlrpc.client.Error, ValueError, TypeError, LookupError, AttributeError) as problem:
        raise UnreadableCallError(f"a body that is no XML-RPC call ({str(problem)[:100]})") from None
    except RecursionError:
        raise UnreadableCallError("a body that is nested too deep") from None
    name = unmarshaller.getmethodname()
    if not isinstance(name, str) or not name:
        raise UnreadableCallError("an XML-RPC body without a method name")
    return name, args


def _body(value: Any) -> bytes:
    return xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True).encode("utf-8", "xmlcharrefreplace")


_TRUE = _body(True)  # noqa: FBT003 - the answer to nearly every call


def value_text(value: object) -> bytes:
    """The body of an answer; what XML-RPC cannot carry becomes a fault."""
    if value is True:
        return _TRUE
    try:
        return _body(value)
    except (TypeError, OverflowError, ValueError) as problem:
        return fault_text(Fault(BAD_ARGUMENTS, f"result server: the answer cannot travel by XML-RPC: {problem}"))


def fault_text(fault: Fault) -> bytes:
    """The body of an answer that is a fault; characters that XML has no room for are replaced."""
    text = "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in fault.text)
    answer = xmlrpc.client.dumps(xmlrpc.client.Fault(fault.code, text), methodresponse=True)
    return answer.encode("utf-8", "replace")


class _Gathering:
    """The answers of a multicall, in order, while some are still out."""

    __slots__ = ("_done", "_missing", "_results")

    def __init__(self, count: int, done: Done) -> None:
        self._results: list[Any] = [None] * count
        self._missing = count
        self._done = done

    def slot(self, number: int) -> Done:
        """Where the answer of call ``number`` goes."""

        def take(value: object, fault: Fault | None) -> None:
            self._results[number] = [value] if fault is None else {"faultCode": fault.code, "faultString": fault.text}
            self._missing -= 1
            if not self._missing:
                self._done(self._results, None)

        return take


def multicall(dispatcher: Dispatcher, args: Sequence[Any], caller: Caller, done: Done) -> None:
    """``system.multicall``: each call on its own, one answer for all once the last one is there."""
    calls = args[0] if len(args) == 1 and isinstance(args[0], list) else None
    if calls is None:
        done(None, Fault(BAD_ARGUMENTS, "result server: system.multicall takes one list of calls"))
        return
    if not calls:
        done([], None)
        return
    gathering = _Gathering(len(calls), done)
    for number, call in enumerate(calls):
        name = call.get("methodName") if isinstance(call, dict) else None
        params = call.get("params", []) if isinstance(call, dict) else None
        take = gathering.slot(number)
        if not isinstance(name, str) or not isinstance(params, list):
            take(None, Fault(BAD_ARGUMENTS, "result server: a call is {methodName, params}"))
        elif name.startswith("system."):
            take(None, Fault(BAD_ARGUMENTS, f"result server: no {name} inside system.multicall"))
        else:
            dispatcher.call(name, params, caller, take)


def known_methods() -> list[str]:
    """What ``system.listMethods`` answers."""
    return sorted([*METHODS, "system.listMethods", "system.multicall"])
