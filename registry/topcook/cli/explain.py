"""``topcook explain``: which scheduler cooks a node, why that one, and what can be overridden there."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from topcook.cli.options import load, network_options
from topcook.cli.problems import counted

if TYPE_CHECKING:
    from topcook.runtime.explanation import Explanation, ParmAnswer

#: So many items are named where several differ; the rest is counted.
_NAMED = 4
_WIDTH = 100


@click.command("explain")
@network_options
@click.argument("name", metavar="NODE")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(*, network: str, name: str, as_json: bool, **options: Any) -> None:
    """Say which scheduler cooks a node, why, and what can be overridden.

    For NODE of NETWORK: its scheduler and what named that one; whether the scheduler is given its static items all
    at once; the items that go elsewhere; and every parm of the scheduler that a node may override: its value, where
    the value is from, the work items whose attribute says otherwise, and the line to paste. Nothing is run and no
    scheduler is started.

    \b
    Example:
        topcook explain network.toml render
        topcook explain network.toml render --scheduler myfarm --job-parm render.farm_queue=fast
    """
    from topcook.contract.secrets import redacted
    from topcook.factory.quiet import captured_output
    from topcook.model.graphfile import read_network_file
    from topcook.runtime.explanation import explain_node

    context = load(network, options)
    try:
        given = {key: [(owner, parm) for owner, parm, _ in options[key]] for key in ("parms", "job_parms")}
        with captured_output():
            answer = explain_node(context, name, read_network_file(network), **given)
    finally:
        context.close()
    if as_json:
        click.echo(json.dumps(redacted(_data(answer)), indent=2, default=str))
    else:
        click.echo("\n".join(redacted(list(_text(answer)))))


def _data(answer: Explanation) -> dict[str, Any]:
    takes, because = answer.static
    return {
        "version": 1,
        "node": answer.node.name,
        "type": answer.node.type_name,
        "scheduler": {
            "name": answer.scheduler.name,
            "type": answer.scheduler.type_name,
            "origin": answer.origin,
            "why": answer.why,
            "place": answer.place,
            "static": {"takes": takes, "because": because},
        },
        "items": {
            "known": len(answer.items),
            "dynamic": answer.dynamic,
            "elsewhere": [
                {"scheduler": name, "why": why, "items": items} for (name, why), items in answer.elsewhere.items()
            ],
        },
        "policy": answer.policy,
        "own_policies": [{"policy": line, "items": items} for line, items in answer.own_policies.items()],
        "parms": [
            {
                "name": each.parm.name,
                "label": each.parm.spec.label,
                "type": each.parm.spec.type,
                "secret": each.parm.spec.secret,
                "help": each.parm.spec.help,
                "value": each.shown,
                "from": each.source,
                "place": each.place,
                "items": [{"name": item, "value": value} for item, value in each.items],
                "toml": each.toml,
            }
            for each in answer.parms
        ],
        "table": answer.table,
    }


def _text(answer: Explanation) -> Iterator[str]:
    node, scheduler = answer.node, answer.scheduler
    known = "items are made during the cook" if answer.dynamic else f"{counted(len(answer.items), 'item')}"
    yield f"{click.style(node.name, bold=True)} ({node.type_name}), {known}"
    yield f"    scheduler: {click.style(scheduler.name, bold=True)}, type {scheduler.type_name} ({answer.origin})"
    yield f"        because of {answer.why}{_at(answer.place)}"
    takes, because = answer.static
    yield f"    static: {'yes' if takes else 'no'}, because {because}"
    for (name, why), items in answer.elsewhere.items():
        yield f"    {_named(items)} {'goes' if len(items) == 1 else 'go'} to {name}: {why}"
    if answer.dynamic:
        yield "    an item's attribute pdg_scheduler would send it elsewhere"
    for line in answer.policy:
        yield f"    {line}"
    for line, items in answer.own_policies.items():
        yield f"    {_named(items)}: {line}"
    if not answer.parms:
        yield "    no parm of this scheduler can be overridden for a node: none is tagged jobParm"
        return
    yield ""
    yield from _parms(answer)


def _parms(answer: Explanation) -> Iterator[str]:
    from topcook.model.tomltext import toml_value

    yield "    what can be overridden, as it is now"
    width = max(len(each.parm.name) for each in answer.parms)
    for each in answer.parms:
        yield (
            f"        {click.style(each.parm.name.ljust(width), fg='cyan')}  {toml_value(each.shown)}"
            f"  {click.style(f'{each.source}{_at(each.place)}', dim=True)}"
        )
        yield from _items(each)
        words = ": ".join(dict.fromkeys(filter(None, (each.parm.spec.label, each.parm.spec.help))))
        if words and words != each.parm.name:
            yield from textwrap.wrap(words, _WIDTH, initial_indent=" " * 12, subsequent_indent=" " * 12)
    yield ""
    yield "    to paste and change"
    yield f"        {answer.table}"
    for each in answer.parms:
        yield f"        {each.toml}"


def _items(each: ParmAnswer) -> Iterator[str]:
    from topcook.model.tomltext import toml_value

    by_value: dict[str, list[str]] = {}
    for item, value in each.items:
        by_value.setdefault(toml_value(value), []).append(item)
    for value, items in by_value.items():
        yield f"            {value} for {_named(items)}, by attribute"


def _named(items: list[str]) -> str:
    more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return ", ".join(items[:_NAMED]) + more


def _at(place: str) -> str:
    return f" ({place})" if place else ""
