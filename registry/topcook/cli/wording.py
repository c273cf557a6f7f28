"""The lines that tell of items and messages, the same in every kind of progress."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from topcook.contract.secrets import redact
from topcook.model.states import SUCCESSFUL, WorkItemState
from topcook.runtime.summary import exit_text, log_path, printable, tail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topcook.cli.feed import Told
    from topcook.model.workitem import WorkItem
    from topcook.runtime.cook import Cook

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}
_WORDS = {
    WorkItemState.CookedSuccess: ("cooked", "green"),
    WorkItemState.CookedCache: ("found cooked", "green"),
    WorkItemState.CookedFail: ("failed", "red"),
    WorkItemState.CookedCancel: ("canceled", "yellow"),
}
#: How much of an item's log a talkative cook shows.
_LOG_LINES = 20
_MINUTE, _HOUR = 60, 3600


def ended_line(item: WorkItem, state: WorkItemState) -> str:
    """``render_7 failed: exit status 3``."""
    word, colour = _WORDS[state]
    run = item.run
    line = f"{item.name} {click.style(word, fg=colour)}"
    if state in SUCCESSFUL:
        return f"{line} in {seconds(run.duration)}" if run is not None and run.duration is not None else line
    why = reason(item)
    return f"{line}: {why}" if why and why != word else line


def reason(item: WorkItem) -> str:
    """Why an item failed, in one line."""
    if item.run is None:
        return ""
    said = redact(item.run.messages[0]) if item.run.messages else exit_text(item.run.exit_status)
    return printable(said.partition("\n")[0])


def message_lines(message: Told) -> Iterator[str]:
    """``error: farm: no answer``, further lines indented."""
    first, *rest = message.text.splitlines() or [""]
    # Most texts say already whose they are.
    source = "" if not message.source or message.source in first else f"{message.source}: "
    yield f"{click.style(f'{message.level}:', fg=_COLOURS.get(message.level), bold=True)} {source}{first}"
    for line in rest:
        yield f"    {line.strip()}"


def log_lines(cook: Cook, item: WorkItem) -> Iterator[str]:
    """The end of an item's log, marked as such."""
    path = log_path(cook, item)
    for line in tail(path, _LOG_LINES) if path else ():
        yield f"    {click.style('|', dim=True)} {line}"


def log_uri(uri: str) -> str:
    """Where a log is that this machine has no file of; empty where one would be and is not."""
    if uri.startswith("file:///"):
        from urllib.parse import unquote, urlsplit

        path = unquote(urlsplit(uri).path)
        # Where the directory is there, its files can be seen; else it may be the farm's.
        if os.path.isdir(os.path.dirname(path)) and not os.path.exists(path):
            return ""
    return uri


def seconds(value: float) -> str:
    """A time span as a person says it: ``0.41 s``, ``12 s``, ``3:07``, ``2:03:07``."""
    if value < 10:  # noqa: PLR2004 - below ten seconds a tenth matters
        return f"{value:.2f} s"
    whole = round(value)
    if whole < _MINUTE:
        return f"{whole} s"
    minutes, rest = divmod(whole, _MINUTE)
    if whole < _HOUR:
        return f"{minutes}:{rest:02d}"
    return f"{minutes // _MINUTE}:{minutes % _MINUTE:02d}:{rest:02d}"


def shown_path(path: str) -> str:
    """A path as it is shortest from here, so that it can be read and typed."""
    try:
        near = os.path.relpath(path)
    except (OSError, ValueError):
        return path
    return path if near.startswith(os.pardir) else near
