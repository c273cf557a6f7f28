"""The worker proper: executes one candidate after the other, and says what each registers and what it did."""

from __future__ import annotations

import faulthandler
import gc
import os
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from dataclasses import asdict
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NoReturn

from topcook.errors import Problem
from topcook.factory.hooks import TypesHook
from topcook.factory.houstub import offer_hou
from topcook.factory.probing.examine import examine, plugin_name
from topcook.factory.probing.guard import Guard
from topcook.factory.probing.guess import guessed
from topcook.factory.probing.messages import (
    candidate_of,
    hold_to_wire,
    packed,
    read_message,
    report_data,
    write_message,
)
from topcook.factory.probing.verdict import BROKEN, CUT_OFF, read_again
from topcook.factory.records import State
from topcook.factory.typeregistry import TypeRegistry
from topcook.factory.wire import ProbeReport, record_data

if TYPE_CHECKING:
    from topcook.factory.sources import Candidate
    from topcook.factory.typeregistry import Registration
    from topcook.model.enums import RegisteredType

__all__ = ["serve"]


class _NothingElse:
    """What the registry of a worker finds besides what a file registers itself: nothing."""

    def __init__(self, path: list[str]) -> None:
        self.path = path

    def registered(self, registration: Registration) -> None:
        """Registered outside of ``registerTypes``, by a thread or a callback: nobody's."""

    def winner(self, kind: RegisteredType, name: str) -> Registration | None:
        """No other type is known here."""

    def names(self, kind: RegisteredType) -> list[str]:
        """No other type is known here."""
        del kind
        return []

    def search_path(self) -> list[str]:
        """The directories of the types path."""
        return list(self.path)

    def add_path(self, path: str) -> None:
        """Only known to this worker: the host hears of it when it executes the file itself."""
        self.path.append(path)

    def reload(self, kind: RegisteredType, name: str) -> bool:
        """There is nothing to execute again."""
        del kind, name
        return False


def serve(requests: int, reports: int, dumps: int, greeting: dict[str, Any]) -> NoReturn:
    """Answer requests until there are none, or until this process is no longer what it was."""
    _limit_memory(int(greeting["memory"]))
    faulthandler.enable(dumps if dumps >= 0 else 2)
    registry = TypeRegistry(_NothingElse(list(greeting["types_path"])))
    # A thread has no context of ours; asking there must not make it look for types anew.
    TypeRegistry.types = staticmethod(lambda: registry)  # type: ignore[method-assign]
    hook = TypesHook(registry)
    offer_hou(os.environ)
    write_message(reports, packed({"ready": os.getpid()}))
    # While the host is busy with its own: nearly every file needs it.
    import topcook.contract.scheduler  # noqa: F401

    receive = _receiver(requests, watched=bool(greeting["supervised"]))
    # What is loaded now stays: nothing of it need be looked at whenever garbage is collected.
    gc.collect()
    gc.freeze()
    guard = Guard((requests, reports, dumps))
    try:
        while message := receive():
            if not hasattr(os, "fork"):
                # Elsewhere the host asks for it by a signal when it has lost patience.
                faulthandler.dump_traceback_later(message["patience"], file=dumps if dumps >= 0 else 2)
            answer = _answer(candidate_of(message["candidate"]), message["word"], registry, hook, guard)
            if not hasattr(os, "fork"):
                faulthandler.cancel_dump_traceback_later()
            write_message(reports, answer)
            if guard.spoiled:
                break
    except BaseException:  # noqa: BLE001 - author code broke our own; the exit status says so
        os._exit(BROKEN if guard.intact else CUT_OFF)
    # Not sys.exit: what authors registered with atexit may hang.
    os._exit(0)


def _receiver(requests: int, *, watched: bool) -> Callable[[], dict[str, Any] | None]:
    """What waits for the next message. Where no supervisor watches, a thread ends this process with its host."""
    if watched:
        return lambda: read_message(requests)
    inbox: SimpleQueue[dict[str, Any]] = SimpleQueue()
    begun = allocate_lock()
    begun.acquire()

    def listen() -> None:
        begun.release()
        while message := read_message(requests):
            inbox.put(message)
        os._exit(0)

    # Not of threading: nobody who counts his threads shall count this one.
    start_new_thread(listen, ())
    # Threads are counted when they begin, and this one shall be there from the start.
    begun.acquire()
    return inbox.get


def _answer(candidate: Candidate, word: str, registry: TypeRegistry, hook: TypesHook, guard: Guard) -> bytes:
    process, broken = os.getpid(), ""
    guard.begin()
    try:
        report = examine(candidate, registry, hook)
        # A worker lives on for thousands of files, and has described this one.
        hook.forget(plugin_name(candidate))
    except BaseException as error:  # noqa: BLE001 - what author code replaced is needed here, too
        broken = type(error).__name__
        report = ProbeReport([])
    if os.getpid() != process:
        os._exit(0)
    if not guard.intact:
        os._exit(CUT_OFF)
    content = report.files[0].content if report.files else b""
    problems = guard.noticed(candidate, content)
    if not report.records:
        report = _failed(candidate, f"what it replaced is needed to describe it ({broken})", problems)
    else:
        report.records[0]["problems"] += [asdict(each) for each in problems]
    more = {"word": word, "spoiled": guard.spoiled, "foreign": guard.foreign}
    try:
        hold_to_wire(report.records)
        return packed({"report": report_data(report), **more})
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        failed = _failed(candidate, f"what it registers cannot be told: {error}", problems)
        return packed({"report": report_data(failed), **more})


def _failed(candidate: Candidate, message: str, problems: list[Problem]) -> ProbeReport:
    hint = "give names, labels and parms as plain text, numbers and lists, and leave other modules as they are"
    first = Problem("unspeakable", message, candidate.path, hint=hint)
    content, report = read_again(candidate)
    record = guessed(candidate, content, State.FAILED, [first, *problems])
    record.content_hash = report.digest
    return ProbeReport([record_data(record)], report.files)


def _limit_memory(limit: int) -> None:
    """Let a huge allocation raise MemoryError here rather than take the machine's memory."""
    try:
        import resource
    except ImportError:
        return
    for name, wanted in (("RLIMIT_DATA", limit), ("RLIMIT_CORE", 0)):
        number = getattr(resource, name)
        soft, hard = resource.getrlimit(number)
        limits = [each for each in (soft, hard) if each != resource.RLIM_INFINITY]
        resource.setrlimit(number, (min([wanted, *limits]), hard))
