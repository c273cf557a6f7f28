"""``topcook watch``: what happens to types while their files are edited, line by line."""

from __future__ import annotations

import json
import queue
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from topcook.cli.configured import configuration
from topcook.cli.menu_text import LOOK_COLOURS, Page
from topcook.cli.problems import counted, problem_text
from topcook.factory import GLYPHS, Factory, Kind, check_pdg_is_ours
from topcook.factory.menu import row_of

if TYPE_CHECKING:
    from topcook.factory import Record
    from topcook.factory.watching import Change, LiveFactory

#: What a change does to a type, in the order in which it is told.
_EVENTS = ("removed", "added", "changed", "mended", "failed")


@click.command("watch")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def command(*, names: tuple[str, ...], as_json: bool) -> None:
    """Tell what happens to types as their files are saved.

    A file that is saved broken is told with its problems, while the last good version serves on here; a new process
    never serves an old version. With a NAME only that type is told of. Ctrl-C ends it.

    \b
    Each line of --json has "event" (start, added, changed, mended, failed, removed, note) and "at", seconds since
    the epoch; of a type also name, kind, label, state, look, path, content_hash and problems.

    \b
    Example:
        topcook watch
        topcook watch myfarm --json
    """
    check_pdg_is_ours()
    from topcook.factory.watching import LiveFactory

    wanted = {name.lower() for name in names}
    teller = _Json() if as_json else _Text(Page.of(sys.stdout))
    happened: queue.SimpleQueue[Change] = queue.SimpleQueue()
    with LiveFactory(Factory.scan(config=configuration())) as live:
        live.subscribe(happened.put)
        teller.start(live)
        told: list[str] = []
        while True:
            told = _tell_notes(teller, live, told)
            change = _next(happened)
            for event, record in _events(change) if change is not None else ():
                if not wanted or wanted & {record.name.lower(), *record.aliases}:
                    teller.event(event, record)


def _next(happened: queue.SimpleQueue[Change]) -> Change | None:
    try:
        # With a limit, so that Ctrl-C is heard on systems that cannot interrupt a wait.
        return happened.get(timeout=0.5)
    except queue.Empty:
        return None


def _events(change: Change) -> Iterator[tuple[str, Record]]:
    for event in _EVENTS:
        for record in getattr(change, event):
            yield event, record


def _tell_notes(teller: _Text | _Json, live: LiveFactory, told: list[str]) -> list[str]:
    notes = live.notes()
    for note in notes:
        if note not in told:
            teller.note(note)
    return notes


class _Text:
    """For people: time, glyph, what happened, the type, and where."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def start(self, live: LiveFactory) -> None:
        kinds = [place.kind for place in live.places()]
        types = sum(record.usable and record.kind is not Kind.UNKNOWN for record in live.records())
        told = f"watching {counted(len(kinds), 'place')}, {counted(types, 'type')}; Ctrl-C ends"
        self._write(told)

    def event(self, event: str, record: Record) -> None:
        row = row_of(record)
        glyph = GLYPHS[row.look][self._page.plain]
        if event == "removed":
            glyph = "-"
        text = f"{event:<8} {row.name}  {row.note}"
        colour = LOOK_COLOURS.get(row.look) if event != "removed" else None
        self._write(f"{self._page.style(glyph, colour)} {text}")
        problems = record.edit.problems if record.edit is not None else record.problems
        for problem in problems if event == "failed" else ():
            click.echo(problem_text(problem))
        sys.stdout.flush()

    def note(self, text: str) -> None:
        self._write(f"! {text}")

    def _write(self, text: str) -> None:
        click.echo(f"{time.strftime('%H:%M:%S')} {text}")
        sys.stdout.flush()


class _Json:
    """For programs: one object a line."""

    def start(self, live: LiveFactory) -> None:
        places = [
            {"path": place.entry, "kind": place.kind, "seconds": place.seconds, "why": place.why or None}
            for place in live.places()
        ]
        self._write(event="start", places=places, types=len(live.records()))

    def event(self, event: str, record: Record) -> None:
        problems = record.edit.problems if record.edit is not None else record.problems
        self._write(
            event=event,
            name=record.name,
            kind=record.kind.value,
            label=record.label,
            state=record.state.value,
            look=row_of(record).look,
            path=record.origin.path,
            content_hash=record.content_hash,
            problems=[problem.row() for problem in problems],
        )

    def note(self, text: str) -> None:
        self._write(event="note", text=text)

    @staticmethod
    def _write(**facts: Any) -> None:
        click.echo(json.dumps(facts | {"at": time.time()}))
        sys.stdout.flush()
