"""Load: execute a types module in this process, from the bytes that were probed, when one of its types is used.

Each version of a module is executed once, whoever asks, and under a private name. What it registers must be what
its probe said; else the records lied, and say so from then on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, finalize

from topcook.errors import Problem, SchedulerContractError
from topcook.factory.records import Kind, Record, State

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import ModuleType

    from topcook.factory.hooks import TypesHook
    from topcook.factory.typeregistry import Registration, TypeRegistry
    from topcook.factory.versions import Version
    from topcook.model.enums import RegisteredType

__all__ = ["Loader", "kind_of"]

#: What PDG calls a kind of types, by name, and what records call it.
_KINDS = {"Scheduler": Kind.SCHEDULER, "Node": Kind.NODE, "WorkItem": Kind.WORK_ITEM}


def kind_of(registered: RegisteredType) -> Kind | None:
    """What records call a kind of types; None for one that Topcook has not."""
    return _KINDS.get(registered.name)


_Classes = dict[tuple[str, str], type]


class Loader:
    """Gives the class of a record. Any thread may ask; modules are executed one at a time."""

    def __init__(self, registry: Callable[[], TypeRegistry], *, quiet: bool = True) -> None:
        """Load for the registry that is given when it is first needed.

        ``quiet`` keeps what modules print meanwhile away from our output.
        """
        self._registry = registry
        self._quiet = quiet
        self._hook: TypesHook | None = None
        # A version goes when no record holds it any more.
        self._loaded: WeakKeyDictionary[Version, _Classes] = WeakKeyDictionary()
        # Executing one module may ask for the class of another, on the same thread.
        self._lock = threading.RLock()

    def load(self, record: Record) -> type:
        """The class of a record.

        Raises ``SchedulerContractError`` for one that cannot be used; when it is only found out now, the record is
        FAILED from then on.
        """
        with self._lock:
            if record.state not in {State.OK, State.SHADOWED}:
                raise SchedulerContractError(record.problems, f'"{record.name}" cannot be used: {record.why_not()}')
            if record.type_object is not None:
                return record.type_object
            classes = self._loaded.get(record.version) if record.version is not None else None
            if classes is None:
                classes = self._executed(record)
            return classes[record.kind.value, record.name.lower()]

    def _executed(self, record: Record) -> _Classes:
        version = record.version
        if version is None:
            raise _failed(record, [Problem("not-kept", "its source was not kept", record.origin.path)])
        try:
            registrations = self._register(version)
        except LookupError as error:
            raise _failed(record, [_gone(str(error.args[0]) if error.args else record.origin.path)]) from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # author code may raise anything; whoever asked for its type is told
            from topcook.factory.faults import problems_of

            doing = "it was executed to be used; its probe went well"
            raise _failed(record, problems_of(error, record.origin.path, doing)) from error
        classes = {
            (_KINDS[each.kind.name].value, each.name.lower()): each.type_object for each in reversed(registrations)
        }
        if frozenset(classes) != version.names:
            raise _failed(record, [_differs(record, frozenset(classes), version.names)])
        self._loaded[version] = classes
        return classes

    def _register(self, version: Version) -> list[Registration]:
        from topcook.factory.hooks import TypesHook, entry_point_hook, hook_of
        from topcook.factory.probing.surroundings import kept_surroundings
        from topcook.factory.quiet import captured_output
        from topcook.factory.versions import forgotten_with

        registry = self._registry()
        self._hook = self._hook or TypesHook(registry)
        contents = version.contents()
        output: AbstractContextManager[None] = captured_output(descriptors=False) if self._quiet else nullcontext()
        with output, kept_surroundings(), registry.collecting() as registrations:
            module = _module(version, contents) if contents else None
            hook = hook_of(module) if module is not None else entry_point_hook(version.path)
            if hook is not None:
                name = f"{version.path}:{id(version)}"
                self._hook.register(name, hook, version.path)
                finalize(version, self._hook.forget, name).atexit = False
        if module is not None:
            forgotten_with(version, module)
        return registrations


def _module(version: Version, contents: dict[str, bytes]) -> ModuleType:
    from topcook.factory.bundles import Bundle, home_of
    from topcook.factory.imports import execute

    return execute(version.path, version.stem, Bundle(home_of(version.path), contents))


def _failed(record: Record, problems: list[Problem]) -> SchedulerContractError:
    """The error, after its record was marked."""
    record.state, record.problems = State.FAILED, [*problems, *record.problems]
    record.reason = problems[0].message if problems else "it cannot be loaded"
    return SchedulerContractError(problems, f'"{record.name}" cannot be loaded: {record.reason}')


def _gone(path: str) -> Problem:
    message = "the file has changed since it was probed, and the version that was probed was not kept"
    return Problem("version-gone", message, path, hint="start again: the new version is probed then")


def _differs(record: Record, found: frozenset[tuple[str, str]], expected: frozenset[tuple[str, str]]) -> Problem:
    def told(names: frozenset[tuple[str, str]]) -> str:
        return ", ".join(f'{kind} "{name}"' for kind, name in sorted(names)) or "nothing"

    message = f"it registers {told(found)} now, but {told(expected)} when it was probed"
    hint = "let registerTypes register the same types wherever it is called"
    return Problem("registers-otherwise", message, record.origin.path, record.line, None, hint)
