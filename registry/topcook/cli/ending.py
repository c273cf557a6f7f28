"""The summary at the end of a cook: outcome, counts, what failed and why, what was made."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

import click

from topcook.cli.problems import counted, wants_colour
from topcook.cli.wording import log_uri, reason, seconds, shown_path
from topcook.contract.secrets import redact
from topcook.machine.phases import Phase
from topcook.model.states import SUCCESSFUL, WorkItemState
from topcook.runtime.summary import counts, end_state, failures, final_outputs, left_with, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topcook.runtime.cook import Cook
    from topcook.runtime.summary import Failure

#: How many failed items are told one by one, and how many files that were made.
FAILURES = 10
OUTPUTS = 5
#: How many are named that were canceled for the same reason.
_NAMED = 3
_STOPPED = frozenset({"canceled", "interrupted"})
_GO_ON = _STOPPED | {"detached"}
_COLOURS = {"cooked": "green", "failed": "red"}


def print_summary(cook: Cook, stream: TextIO, *, interrupted: bool, goes_on: str = "") -> None:
    """Print the summary of a cook that has ended; ``goes_on`` is its id where it can be resumed."""
    for line in summary_lines(cook, interrupted=interrupted):
        click.echo(line, file=stream, color=wants_colour(stream))
    if goes_on and end_state(cook, interrupted=interrupted) in _GO_ON:
        from topcook.runtime.control.naming import short_id
        from topcook.runtime.statedir import cook_ids

        again = f"  go on with it: topcook resume {short_id(goes_on, cook_ids())}"
        click.echo(again, file=stream, color=wants_colour(stream))


def summary_lines(cook: Cook, *, interrupted: bool) -> Iterator[str]:
    """The summary, line by line."""
    failed, number = failures(cook, FAILURES)
    for failure in failed:
        yield from _failure(failure)
    if number > len(failed):
        yield f"and {number - len(failed):,} more failed; --report FILE writes them all down"
    lost = list(_canceled(cook))
    yield from lost
    yield from _stalled(cook)
    yield from _blocked(cook)
    if number or lost:
        yield ""
    state = end_state(cook, interrupted=interrupted)
    yield f"{click.style(f'{state}:', fg=_COLOURS.get(state, 'yellow'), bold=True)} {_counts(cook)}"
    if state in _STOPPED and cook.state.cancel_reason:
        yield f"  {cook.state.cancel_reason}"
        yield from _waited(cook)
    for name, number in left_with(cook).items():
        yield f"  {name} goes on with {counted(number, 'item')}"
    yield from _outputs(cook)


def _failure(failure: Failure) -> Iterator[str]:
    item = failure.item
    label = f" ({item.label})" if item.label and item.label != item.name else ""
    first, *rest = [
        *failure.messages,
        *([failure.ended] if failure.ended not in _joined(failure.messages) else []),
    ] or ["failed, as its log says" if failure.log_lines else "no reason was given"]
    yield ""
    head, *more = first.splitlines() or [""]
    yield f"{click.style(item.name, fg='red', bold=True)}{label}: {printable(head)}"
    for line in [*more, *(line for text in rest for line in text.splitlines())]:
        yield f"    {printable(line.strip())}"
    room = _room() if failure.log_lines and sys.stdout.isatty() else sys.maxsize
    for line in failure.log_lines:
        yield f"    {click.style('|', dim=True)} {line[:room]}"
    if failure.log_path:
        yield f"    log: {shown_path(failure.log_path)}"
    elif item.run is not None and (uri := log_uri(item.run.log_uri)):
        yield f"    log: {printable(uri)}"
    if item.run is not None and item.run.status_uri:
        yield f"    status: {printable(item.run.status_uri)}"
    if failure.blocks:
        yield f"    blocks {counted(failure.blocks, 'item')}"


def _canceled(cook: Cook) -> Iterator[str]:
    """Items that were canceled while the cook went on: by name and with the reason, once where it is the same."""
    if cook.state.cancel_reason:
        return
    found: dict[str, list[str]] = {}
    for item in cook.state.all_items():
        if item.state is WorkItemState.CookedCancel:
            found.setdefault(reason(item), []).append(item.name)
    if found:
        yield ""
    for why, names in list(found.items())[:FAILURES]:
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        named = f"{click.style(', '.join(names[:_NAMED]), fg='yellow', bold=True)}{more}"
        yield f"{named}: canceled" + (f": {why}" if why and why != "canceled" else "")
    if len(found) > FAILURES:
        left = sum(map(len, list(found.values())[FAILURES:]))
        yield f"and {left:,} more canceled; --report FILE writes them all down"


def _room() -> int:
    """How wide a line of a log may be in this terminal."""
    import shutil

    return shutil.get_terminal_size().columns - 6


def _joined(texts: list[str]) -> str:
    return "\n".join(texts)


def _stalled(cook: Cook) -> Iterator[str]:
    """Nodes that did not make their items."""
    for node in cook.state.nodes.values():
        if node.stalled and not cook.state.cancel_reason:
            first, *rest = node.stalled.splitlines()
            yield ""
            yield f"{click.style(node.node.name, fg='red', bold=True)}: not all of its work items were made: {first}"
            for line in rest:
                yield f"    {line.strip()}"


def _blocked(cook: Cook) -> Iterator[str]:
    """What blocks items that no failed one holds; each reason once."""
    told: dict[str, str] = {}
    for item in cook.state.all_items():
        if item.phase == Phase.BLOCKED and item.run and item.run.messages:
            told.setdefault(item.run.messages[0], item.name)
    for why, name in list(told.items())[:FAILURES]:
        yield ""
        yield f"{click.style(name, fg='red', bold=True)}: blocked: {printable(redact(why))}"
    if told:
        yield ""


def _waited(cook: Cook) -> Iterator[str]:
    """What the items waited for that were taken and then canceled."""
    canceled = {item.scheduler for item in cook.state.all_items() if item.state is WorkItemState.CookedCancel}
    for name, words in cook.link.waiting.items():
        if words and name in canceled:
            yield f"  {name} waited for {printable(words)}"


def _counts(cook: Cook) -> str:
    found = counts(cook)
    total = sum(found.values())
    if not total:
        return "there were no work items" if cook.outcome == "cooked" else "nothing was run"
    cooked = sum(found.get(state, 0) for state in SUCCESSFUL)
    blocked = sum(1 for item in cook.state.all_items() if item.phase == Phase.BLOCKED)
    parts = [f"{cooked:,} of {counted(total, 'item')} cooked" if cooked != total else f"{counted(total, 'item')}"]
    cached = found.get(WorkItemState.CookedCache, 0)
    if cached:
        parts[0] += " (all cached)" if cached == total else f" ({cached:,} cached)"
    rest = {
        "running": found.get(WorkItemState.Scheduled, 0) + found.get(WorkItemState.Cooking, 0),
        "failed": found.get(WorkItemState.CookedFail, 0),
        "blocked": blocked,
        "canceled": found.get(WorkItemState.CookedCancel, 0),
        "not begun": found.get(WorkItemState.Uncooked, 0) + found.get(WorkItemState.Waiting, 0) - blocked,
    }
    parts += [f"{number:,} {word}" for word, number in rest.items() if number > 0]
    return f"{', '.join(parts)} in {seconds(max(0.0, cook.finished - cook.started))}"


def _outputs(cook: Cook) -> Iterator[str]:
    for node, files in final_outputs(cook).items():
        for file in files[:OUTPUTS]:
            yield f"  {node}: {shown_path(file.path)}"
        if len(files) > OUTPUTS:
            yield f"  {node}: and {len(files) - OUTPUTS:,} more files"
