"""``topcook list``: the menu."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from topcook.cli.configured import configuration, strict_failures_of
from topcook.cli.guard import COOKED, UNCOOKED
from topcook.cli.menu_text import Page, details_text, rows_text
from topcook.factory import Factory, Kind, State, check_pdg_is_ours, menu_rows
from topcook.factory.records import MISTYPED_HOOK

if TYPE_CHECKING:
    from topcook.cli.remembering import Answer
    from topcook.factory import Record

#: How many path entries a command line is written out for.
_MOST_ROOTS = 3


@click.command("list")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print everything that is known as JSON.")
@click.option("--all", "show_all", is_flag=True, help="Also show shadowed types and files that are no types files.")
@click.option(
    "--types",
    type=click.Choice(["schedulers", "nodes", "all"]),
    default="all",
    show_default=True,
    help="Which kind of types to list.",
)
def command(*, names: tuple[str, ...], as_json: bool, show_all: bool, types: str) -> int:
    """List the schedulers and node types that can be chosen.

    Broken ones stand in place, with their first problem. The second column is the name to type. With a NAME,
    everything that is known of that type: parms with their defaults, callbacks, origin and every problem.

    The exit status is 0; in strict mode (topcook config strict) it is 1 where any problem is not exempt.

    \b
    Example:
        topcook list --types schedulers
        topcook list localscheduler
        PDG_TYPES_PATH=~/my/types topcook list
    """
    from topcook.cli.remembering import remembering

    ended: list[int] = []
    with remembering(sys.argv[1:], ended) as answer:
        ended.append(_list(names, answer, as_json=as_json, show_all=show_all, types=types))
    return ended[0]


def _list(names: tuple[str, ...], answer: Answer, *, as_json: bool, show_all: bool, types: str) -> int:
    check_pdg_is_ours()
    factory = Factory.scan(config=configuration())
    answer.hangs_on(factory)
    status = UNCOOKED if strict_failures_of(factory) else COOKED
    records = [record for name in names for record in _asked(factory, name, types)] if names else factory.records
    if as_json:
        _print_json(records, factory, types)
        return status
    page = Page.of(sys.stdout)
    if names:
        click.echo("\n".join(_in_full(record, page) for record in records), nl=False)
        return status
    # In one write: a thousand rows are a thousand system calls otherwise.
    click.echo(rows_text(menu_rows(records, types, show_all=show_all), page), nl=False)
    sys.stdout.flush()
    _tell_of_problems(factory)
    return status


def _asked(factory: Factory, name: str, types: str) -> list[Record]:
    """The records that a name may mean, the one that answers to it first; raises as a cook would when there is none."""
    from topcook.factory.names import known

    kinds = {"schedulers": [Kind.SCHEDULER], "nodes": [Kind.NODE]}.get(types, [Kind.SCHEDULER, Kind.NODE])
    found = [record for kind in kinds for record in known(kind, name, factory.records)]
    if found:
        return list(dict.fromkeys(found))
    if kinds == [Kind.NODE]:
        factory.node_type(name)
    factory.scheduler(name)
    return []


def _in_full(record: Record, page: Page) -> str:
    from topcook.cli.problems import problem_text
    from topcook.factory.details import details_of

    return details_text(details_of(record), page, problem_text)


def _print_json(records: Sequence[Record], factory: Factory, types: str) -> None:
    import json

    from topcook.factory import listing

    click.echo(json.dumps(listing(records, factory.problems, types), indent=2))


def _tell_of_problems(factory: Factory) -> None:
    """Say what is wrong with the types path and with files on it; most times there is nothing to say."""
    broken = [record for record in factory.records if record.blemished]
    for record in factory.records:
        if record.state is State.SKIPPED and record.reason.startswith(MISTYPED_HOOK):
            told = f"{record.origin.path} is passed over: {record.reason}; topcook check {record.origin.path}"
            click.echo(told, err=True)
    if not broken and not factory.problems:
        return
    from topcook.cli.problems import counted, problem_text

    for problem in factory.problems:
        click.echo(problem_text(problem, level="warning"), err=True)
    paths = list(dict.fromkeys(record.origin.path for record in broken))
    # What pip installed is checked by the name of its distribution.
    origins = [record.origin for record in broken]
    roots = list(dict.fromkeys(each.distribution or each.root or each.path for each in origins))
    if paths:
        what = paths if len(paths) == 1 and not broken[0].origin.distribution else roots
        words = [*what[:_MOST_ROOTS], *(["..."] if len(what) > _MOST_ROOTS else [])]
        click.echo(
            f"{counted(len(paths), 'file')} with problems; all of them: topcook check {' '.join(words)}", err=True
        )
