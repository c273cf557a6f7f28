"""``topcook cooks``: which cooks run, which died, and how the last ones ended."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from topcook.cli.guard import COOKED
from topcook.cli.problems import counted
from topcook.model.states import SUCCESSFUL

if TYPE_CHECKING:
    from topcook.runtime.control.known import Seen
    from topcook.runtime.journal.glance import Away

#: How many of those that ended are shown.
ENDED = 5
_GOOD = frozenset(state.name for state in SUCCESSFUL)
_WORDS = {
    "Cooking": "cooking",
    "Scheduled": "scheduled",
    "CookedFail": "failed",
    "CookedCancel": "canceled",
}
_COLOURS = {
    "cooking": "cyan",
    "paused": "yellow",
    "ending": "yellow",
    "stopped": "yellow",
    "silent": "red",
    "dead": "red",
    "detaching": "yellow",
    "detached": "cyan",
    "died": "red",
    "failed": "red",
    "cooked": "green",
    "canceled": "yellow",
}
_DAY = 24 * 3600
#: Letters of a network's name that a row of a terminal has room for.
_LONGEST_NAME = 30
#: Jobs on a farm that are named.
_NAMED = 3
#: How the state of each is said where a word is not enough.
_SAID = {"stopped": "stopped (Ctrl-Z)", "silent": "does not answer"}


@click.command("cooks")
@click.option("--all", "everything", is_flag=True, help=f"Show all that ended, not only the last {ENDED}.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def command(*, everything: bool, as_json: bool) -> int:
    """Show which cooks run, which died, and how the last ones ended.

    They are yours on this machine. Those that run come first, then those that died without an end or were let go, with
    what to type, then the last ones that ended. A cook is named to other commands by its id, by the beginning of the id
    or of its last part, or by its network file.

    \b
    Example:
        topcook cooks
        topcook cooks --json
    """
    from topcook.runtime.control.known import DEAD, DETACHED, seen_cooks

    running: list[Seen] = []
    dead: list[Seen] = []
    ended: list[Seen] = []
    for seen in seen_cooks():
        where = running if seen.is_running else dead if seen.state in {DEAD, DETACHED} else ended
        where.append(seen)
    shown = ended if everything else ended[:ENDED]
    if as_json:
        click.echo(json.dumps([_facts(seen) for seen in (*running, *dead, *shown)], indent=1))
        return COOKED
    ids = [seen.cook for seen in (*running, *dead, *ended)]
    lines = list(_lines(running, dead, shown, ids))
    if len(shown) < len(ended):
        lines.append(click.style(f"{len(ended) - len(shown):,} more ended: --all", dim=True))
    click.echo("\n".join(lines) or "there are no cooks here")
    return COOKED


def _facts(seen: Seen) -> dict[str, Any]:
    process = seen.process
    return {
        "cook": seen.cook,
        "state": seen.state,
        "network": seen.network or None,
        "folder": seen.folder or None,
        "scheduler": seen.scheduler or None,
        "started": seen.started,
        "finished": seen.finished,
        "counts": seen.counts,
        "waits": seen.waits,
        "pid": process.pid if process is not None else None,
        "host": process.host if process is not None else None,
        "jobs": seen.jobs,
        "away": [{"scheduler": each.scheduler, "job": each.job, "ended": each.ended} for each in seen.away],
        "journal": seen.journal or None,
    }


def _lines(running: list[Seen], dead: list[Seen], ended: list[Seen], ids: list[str]) -> Iterator[str]:
    widths = _widths([*running, *dead, *ended])
    for number, part in enumerate((running, dead, ended)):
        if part and number and any((running, dead, ended)[:number]):
            yield ""
        for seen in part:
            yield _row(seen, widths)
            if number < 2:  # noqa: PLR2004 - of what has ended there is no more to say
                yield from _details(seen, ids)


def _widths(seen: list[Seen]) -> tuple[int, int]:
    return max((len(_state(each)) for each in seen), default=0), max((len(_name(each)) for each in seen), default=0)


def _row(seen: Seen, widths: tuple[int, int]) -> str:
    state = click.style(_state(seen).ljust(widths[0]), fg=_COLOURS.get(seen.state))
    name = click.style(_name(seen).ljust(widths[1]), bold=True)
    over = seen.finished is not None and not seen.is_running and seen.state != "detached"
    told = when(seen.finished or 0.0) if over else items_text(seen)
    return f"{seen.cook}  {state}  {name}  {told}".rstrip()


def _state(seen: Seen) -> str:
    return _SAID.get(seen.state, seen.state)


def _name(seen: Seen) -> str:
    name = seen.name or "(a program)"
    if len(name) <= _LONGEST_NAME or not sys.stdout.isatty():
        return name
    half = _LONGEST_NAME // 2
    return f"{name[:half]}…{name[1 - half :]}"


def items_text(seen: Seen) -> str:
    """``12 of 200 items done, 2 cooking, 1 failed``; empty while nothing is known of them."""
    total = sum(seen.counts.values())
    if not total:
        return ""
    done = sum(seen.counts.get(name, 0) for name in _GOOD)
    parts = [f"{done:,} of {counted(total, 'item')} done"]
    parts += [f"{seen.counts[name]:,} {word}" for name, word in _WORDS.items() if seen.counts.get(name)]
    return ", ".join(parts)


def _details(seen: Seen, ids: list[str]) -> Iterator[str]:
    from topcook.runtime.control.naming import short_id
    from topcook.runtime.summary import printable

    process = seen.process
    who = f"process {process.pid} on {process.host}" if process is not None else "its process is gone"
    was = "" if seen.is_running else "was "
    since = f"let go at {when(seen.finished)}" if seen.finished is not None else f"since {when(seen.started)}"
    yield _clipped(f"    {was}{who}, {since}")
    if seen.folder:
        yield _clipped(f"    in {seen.folder}", middle=True)
    for scheduler, words in seen.waits.items():
        yield _clipped(f"    {scheduler} waits for {printable(words)}")
    for words in seen.kept:
        yield _clipped(f"    not let go yet: {printable(words)}")
    short = short_id(seen.cook, ids)
    if seen.state != "detached" and not seen.is_here and process is not None:
        yield f"    tell it there: ssh {process.host} topcook cancel {short}"
    elif seen.state == "stopped" and process is not None:
        yield f"    go on: fg in its shell, or kill -CONT {process.pid}"
    elif seen.state == "paused":
        yield f"    go on: topcook unpause {short}"
    elif not seen.is_running:
        yield from _remedies(seen, short)


def _remedies(seen: Seen, short: str) -> Iterator[str]:
    if seen.jobs:
        runs = "1 job of it still runs" if len(seen.jobs) == 1 else f"{len(seen.jobs):,} jobs of it still run"
        yield click.style(f"    {runs} here", fg="yellow")
    if seen.away:
        yield click.style(_clipped(f"    {away_text(seen.away)}"), fg="yellow")
    if seen.journal:
        yield f"    go on with it: topcook resume {short}"
    yield f"    {'end its jobs' if seen.jobs or seen.away else 'or leave it so'}: topcook cancel {short}"


def away_text(away: list[Away]) -> str:
    """``12 jobs of it may still run: farm 134_0, 134_1, 134_2 and 9 more``; of some it may be known that they ended."""
    ended = sum(each.ended for each in away)
    if ended == len(away):
        return f"{counted(ended, 'job')} of it that went on {'has' if ended == 1 else 'have'} ended"
    jobs: dict[str, list[str]] = {}
    for each in away:
        if each.ended:
            continue
        jobs.setdefault(each.scheduler, []).append(each.job)
    named = "; ".join(
        f"{name} {', '.join(some[:_NAMED])}" + (f" and {len(some) - _NAMED:,} more" if len(some) > _NAMED else "")
        for name, some in jobs.items()
    )
    more = f"; {ended:,} {'has' if ended == 1 else 'have'} ended" if ended else ""
    return f"{counted(len(away) - ended, 'job')} of it may still run: {named}{more}"


def when(at: float) -> str:
    """A moment as a person says it: the time of a day, with the day when that was not today."""
    style = "%H:%M" if time.time() - at < _DAY / 2 else "%Y-%m-%d %H:%M"
    return time.strftime(style, time.localtime(at))


def _clipped(line: str, *, middle: bool = False) -> str:
    """As much of a line as the terminal has room for; all of it where there is none."""
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    if len(line) <= room:
        return line
    if middle:
        head = line.index("/") + 1
        return line[:head] + "…" + line[-(room - head - 1) :]
    return line[: room - 1] + "…"
