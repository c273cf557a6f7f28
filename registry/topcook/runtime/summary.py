"""How a cook ended: counts, what failed and why, what that held up. Plain facts; how they look is for others."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from typing import TYPE_CHECKING

from topcook.contract.secrets import redact
from topcook.lean import dataclass, pattern
from topcook.machine.phases import DONE_BADLY, DONE_WELL, Phase
from topcook.model.states import WorkItemState
from topcook.runtime.reports import item_log_path

if TYPE_CHECKING:
    from topcook.model.files import File
    from topcook.model.workitem import WorkItem
    from topcook.runtime.cook import Cook

#: How many of the items that hold another one are named.
BLOCKERS = 100
#: How much of the end of a log is read to show its last lines.
_TAIL_BYTES = 16 * 1024
_ESCAPE = pattern(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[^\[\]])")
_ENDED = DONE_WELL | DONE_BADLY
_OUT = frozenset({WorkItemState.Scheduled, WorkItemState.Cooking})
#: A signal that came in its last moment changed nothing any more.
_NOT_ENDED_BY_SIGNAL = frozenset({"cooked", "detached"})


@dataclass(slots=True)
class Failure:
    """An item that failed: why, what its log says at its end, and how many items wait for it in vain."""

    item: WorkItem
    ended: str
    messages: list[str]
    log_path: str
    log_lines: list[str]
    blocks: int


def end_state(cook: Cook, *, interrupted: bool = False) -> str:
    """How the cook ended: cooked, failed, canceled, detached or interrupted."""
    if interrupted and cook.outcome not in _NOT_ENDED_BY_SIGNAL:
        return "interrupted"
    return cook.outcome if cook.outcome in {"cooked", "canceled", "detached"} else "failed"


def left_with(cook: Cook) -> dict[str, int]:
    """How many items of a cook that was let go are with each scheduler."""
    found: dict[str, int] = {}
    for item in cook.state.all_items() if cook.outcome == "detached" else ():
        if item.attempt and item.state in _OUT and item.batch_parent is None:
            found[item.scheduler] = found.get(item.scheduler, 0) + 1
    return found


def counts(cook: Cook) -> dict[WorkItemState, int]:
    """How many items are in each state; states without any are left out."""
    found = [0] * len(WorkItemState)
    for item in cook.state.all_items():
        found[item.state] += 1
    return {state: found[state] for state in WorkItemState if found[state]}


def blockers(items: Iterable[WorkItem]) -> dict[int, tuple[int, ...]]:
    """For each item that could not cook, the failed and canceled ones that hold it, through others too.

    At most ``BLOCKERS`` for an item. Linear: each item is looked at once, behind its dependencies.
    """
    known: dict[int, tuple[int, ...]] = {}
    for start in items:
        if _held(start) and start.id not in known:
            _find_blockers(start, known)
    return {item: held for item, held in known.items() if held}


def _held(item: WorkItem) -> bool:
    return item.phase in _NOT_COOKED


_NOT_COOKED = frozenset({Phase.UNCOOKED, Phase.WAITING, Phase.READY, Phase.BLOCKED})


def _find_blockers(start: WorkItem, known: dict[int, tuple[int, ...]]) -> None:
    # A worklist: chains of any length must not recurse.
    todo = [start]
    while todo:
        item = todo[-1]
        missing = [each for each in _reasons(item) if _held(each) and each.id not in known]
        if missing and item.id not in known:
            # Marked, so that a circle (which there never should be) could not keep us here.
            known[item.id] = ()
            todo += missing
            continue
        todo.pop()
        known[item.id] = _merged(_reasons(item), known)


def _reasons(item: WorkItem) -> list[WorkItem]:
    """What may hold an item; a sub-item for which all is there is held by what its batch waits for."""
    parent = item.batch_parent
    if parent is not None and all(each.phase in DONE_WELL for each in item.dependencies):
        return parent.needs
    return item.needs


def _merged(dependencies: Iterable[WorkItem], known: dict[int, tuple[int, ...]]) -> tuple[int, ...]:
    merged: dict[int, None] = {}
    only: tuple[int, ...] = ()
    for dependency in dependencies:
        if dependency.phase in DONE_WELL:
            continue
        more = (dependency.id,) if dependency.phase in DONE_BADLY else known.get(dependency.id, ())
        if more is only or not more:
            continue
        only = more if not merged else ()
        merged.update(dict.fromkeys(more))
        if len(merged) >= BLOCKERS:
            break
    # Shared where one dependency said it all: a chain of a million names the same tuple.
    return only if len(only) == len(merged) else tuple(merged)[:BLOCKERS]


def failures(cook: Cook, most: int, *, lines: int = 10) -> tuple[list[Failure], int]:
    """The first items that failed, and how many did."""
    failed = [item for item in cook.state.all_items() if item.state is WorkItemState.CookedFail]
    return [failure_of(cook, item, lines) for item in failed[:most]], len(failed)


def failure_of(cook: Cook, item: WorkItem, lines: int) -> Failure:
    """What is known of one failed item."""
    status = item.run.exit_status if item.run else None
    path = log_path(cook, item)
    messages = list(dict.fromkeys(map(redact, item.run.messages))) if item.run else []
    return Failure(item, exit_text(status), messages, path, tail(path, lines) if path else [], _blocked_behind(item))


def exit_text(status: int | None) -> str:
    """An exit status in words, a signal by its name; empty where there was no process."""
    if status is None:
        return ""
    if status >= 0:
        return f"exit status {status}"
    name = next((known.name for known in signal.Signals if known == -status), "")
    return f"ended by signal {-status}" + (f" ({name})" if name else "")


def log_path(cook: Cook, item: WorkItem) -> str:
    """The file with the item's log as this machine sees it; empty when there is none."""
    uri = item.run.log_uri if item.run else ""
    if uri:
        from urllib.parse import unquote, urlsplit

        parts = urlsplit(uri)
        if parts.scheme == "file":
            uri = "/" + unquote(parts.path).lstrip("/")
        elif parts.scheme:
            return ""
        if os.path.isfile(uri):
            return uri
    path = item_log_path(cook.graph, item) if item.scheduler else ""
    return path if path and os.path.isfile(path) else ""


def tail(path: str, lines: int) -> list[str]:
    """The last lines of a log that say something, each without what would move the cursor."""
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _TAIL_BYTES))
            text = stream.read(_TAIL_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    found = [printable(line) for line in redact(text).splitlines()]
    if size > _TAIL_BYTES and len(found) > 1:
        del found[0]
    while found and not found[-1].strip():
        found.pop()
    return found[-lines:] if lines else []


def printable(text: str) -> str:
    """A line that a terminal shows as it is: no escape sequences, no bells, tabs as blanks."""
    text = _ESCAPE.sub("", text)
    return "".join(each if each.isprintable() else " " if each == "\t" else "�" for each in text.rstrip("\r"))


def _blocked_behind(item: WorkItem) -> int:
    """How many items wait for this one in vain."""
    seen: set[int] = set()
    todo = [item]
    while todo:
        for dependent in todo.pop().dependents or ():
            if dependent.id not in seen and dependent.phase not in _ENDED:
                seen.add(dependent.id)
                todo.append(dependent)
    return len(seen)


def final_outputs(cook: Cook) -> dict[str, list[File]]:
    """What the nodes at the end made, by node: the files of the items that cooked, each path once."""
    made: dict[str, list[File]] = {}
    for node in cook.wanted:
        files = {file.path: file for item in node.items if item.phase in DONE_WELL for file in item.outputs or ()}
        if files:
            made[node.name] = list(files.values())
    return made
