"""``topcook doctor``: why a type is, or is not, in the menu; without an argument, how the installation is."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import click

from topcook.cli.configured import configuration
from topcook.cli.menu_text import Page
from topcook.factory.diagnosis import BAD, GOOD, NOTE, ODD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from topcook.config import Config
    from topcook.factory import Factory, Record
    from topcook.factory.diagnosis import Diagnosis, Finding, Scene
    from topcook.factory.watching.places import Place

#: Shape, its ASCII form and colour of each kind of finding.
_MARKS = {GOOD: ("✓", "+", "green"), ODD: ("!", "!", "yellow"), BAD: ("✗", "x", "red"), NOTE: ("·", ".", None)}
_TOPIC_WIDTH = 15
#: How a hint begins that is a command to type.
_COMMANDS = ("topcook ", "export ", "chmod ", "mv ", "ls ", os.sep)
_WIDEST = 120


@click.command("doctor")
@click.argument("subject", metavar="[NAME|PATH]", default="")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def command(context: click.Context, *, subject: str, as_json: bool) -> None:
    """Say why a type is (not) in the menu, and what to do next.

    NAME is a type's, PATH a types file or directory: the whole chain is told, from the entry of the types path to the
    row in the menu, up to the link that is broken. Without either, how the installation is: Python, environment,
    configuration, types path, index, distributions.

    Exit status: 0 it is in the menu, or the installation is healthy; 1 there is something to mend.

    \b
    Example:
        topcook doctor
        topcook doctor myfarm
        topcook doctor ~/types/myfarm.py
    """
    found = _diagnosed(subject)
    if as_json:
        import json

        click.echo(json.dumps(found.data(), indent=2))
    else:
        click.echo(diagnosis_text(found, Page.of(sys.stdout)), nl=False)
    context.exit(0 if found.healthy else 1)


def _diagnosed(subject: str) -> Diagnosis:
    from topcook.factory import Factory
    from topcook.factory.diagnosis import Diagnosis
    from topcook.factory.health import health_of, pdg_finding

    pdg = pdg_finding()
    config = configuration()
    # With somebody else's pdg nothing is executed: every file would fail, and blame the wrong one.
    factory = Factory.scan(config=config) if pdg.state != BAD else None
    scene = _scene(factory, config)
    if not subject:
        return health_of(scene, config, looked=factory is not None)
    if factory is None:
        return Diagnosis(subject, "not looked at", [pdg])
    from topcook.factory.doctor import diagnose

    return diagnose(subject, scene)


def _scene(factory: Factory | None, config: Config) -> Scene:
    from topcook.factory import builtin_types_dir
    from topcook.factory.diagnosis import Scene
    from topcook.factory.filesystems import file_system
    from topcook.factory.health import index_findings
    from topcook.factory.typespath import types_entries
    from topcook.factory.watching.places import places_of
    from topcook.factory.watching.survey import survey

    entries = types_entries(config, os.environ)
    there = [entry.path for entry in entries if os.path.exists(entry.path)]
    return Scene(
        factory.records if factory is not None else [],
        factory.problems if factory is not None else [],
        entries,
        builtin_types_dir(),
        os.environ,
        _examined,
        watched={place.entry: _watched(place) for place in places_of(map(survey, there))},
        file_systems={path: f"on {kind}" for path in there if (kind := file_system(path).kind)},
        ages=_ages(factory),
        index=index_findings(factory.index) if factory is not None else (),
    )


def _examined(path: str) -> Sequence[Record]:
    """The records of a file that is not on the types path."""
    from topcook.factory import Factory

    return Factory([]).examine([path])


def _ages(factory: Factory | None) -> dict[str, float]:
    if factory is None or factory.index is None:
        return {}
    from topcook.factory.index.ages import checked_at

    now = time.time()
    return {path: max(0.0, now - at) for path, at in checked_at(factory.index).items()}


def _watched(place: Place) -> str:
    return "watched" if place.events else f"looked at every {place.seconds:g} s"


def diagnosis_text(found: Diagnosis, page: Page) -> str:
    """A diagnosis as text: a line for each finding, below it what to type, at the end the one thing to do next."""
    lines = [
        f"{page.style(found.subject, bold=True)}: {page.style(found.verdict, 'green' if found.healthy else 'red')}"
    ]
    before = ""
    for finding in found.findings:
        topic = finding.topic if finding.topic != before else ""
        before = finding.topic
        lines += _lines(finding, topic, page)
    if found.next:
        lines.append(f"{page.style('next:', bold=True)} {found.next}")
    return "".join(f"{line}\n" for line in lines)


def _lines(finding: Finding, topic: str, page: Page) -> Iterator[str]:
    import textwrap

    shape, ascii_shape, colour = _MARKS[finding.state]
    mark = page.style(ascii_shape if page.plain else shape, colour)
    width = max(min(page.columns, _WIDEST) - _TOPIC_WIDTH - 4, 20)

    def wrapped(text: str) -> list[str]:
        return (
            textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
            if page.columns < sys.maxsize
            else [text]
        )

    first, *rest = wrapped(f"{finding.place}: {finding.text}" if finding.place else finding.text) or [""]
    yield f"  {mark} {topic:<{_TOPIC_WIDTH}}{first}".rstrip()
    indent = " " * (_TOPIC_WIDTH + 4)
    yield from (indent + line for line in rest)
    for line in finding.hint.splitlines():
        # A command is never broken: it is there to be copied.
        parts = [line] if line.startswith(_COMMANDS) else wrapped(line)
        yield from (indent + page.style(part, "cyan") for part in parts)
