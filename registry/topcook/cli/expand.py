"""``topcook expand``: what each work item would run, where, and why there."""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from topcook.cli.options import load, network_options
from topcook.cli.problems import counted
from topcook.contract.secrets import redacted
from topcook.errors import CookRefusedError
from topcook.model.workitem import Trait
from topcook.runtime.policy import policy_of, raw_values, told

if TYPE_CHECKING:
    from topcook.cli.plan import ItemPlan, Plan, SchedulerPlan


@click.command("expand")
@network_options
@click.argument("item", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(*, network: str, item: str | None, as_json: bool, **options: Any) -> None:
    """Show what each work item of a network would run, and why there.

    The work items that are known before a cook, or the ITEM of that name, id or label: command after tokens,
    environment, directories, scheduler and what named that one. Nothing is run and no scheduler is started;
    what a scheduler type decides by methods of its own is pointed out.

    \b
    Example:
        topcook expand network.toml
        topcook expand network.toml render_7 --override render=myfarm
    """
    from topcook.cli.plan import make_plan

    show_plan(make_plan(load(network, options), options["nodes"]), item, as_json=as_json)


def show_plan(plan: Plan, item: str | None, *, as_json: bool) -> None:
    """Print a plan, or one item of it; raises ``CookRefusedError`` when there is no such item."""
    items = _chosen(plan, item)
    try:
        if as_json:
            from topcook.cli.plan import plan_as_data

            click.echo(json.dumps(redacted(plan_as_data(plan, items)), indent=2))
        else:
            click.echo("\n".join(_text(plan, items)))
    finally:
        plan.context.close()


def _chosen(plan: Plan, name: str | None) -> list[ItemPlan]:
    if name is None:
        return plan.items
    found = [each for each in plan.items if name in {each.item.name, str(each.item.id)}]
    found = found or [each for each in plan.items if each.item.label == name]
    if found:
        return found
    names = [each.item.name for each in plan.items]
    close = difflib.get_close_matches(name, names, 3)
    hint = (
        f"did you mean {' or '.join(close)}?" if close else f"there are {counted(len(names), 'item')}: topcook expand"
    )
    dynamic = plan.dynamic_nodes()
    later = f"\n    items of {', '.join(dynamic)} are made during the cook" if dynamic else ""
    raise CookRefusedError(f'there is no work item "{name}" before the cook\n    {hint}{later}')


def _text(plan: Plan, items: Sequence[ItemPlan]) -> Iterator[str]:
    network = plan.context.core.network
    yield click.style(f"{network.name}: {counted(len(plan.items), 'item')} known before the cook", bold=True)
    common: dict[str, dict[str, str]] = {}
    for name, scheduler in plan.schedulers.items():
        mine = [each for each in items if each.scheduler == name]
        if mine:
            common[name] = _common(mine)
            yield ""
            yield from _scheduler_text(scheduler, common[name])
    shown = {each.item.node.name for each in items}
    for node in plan.cook.nodes:
        if node.name in shown:
            yield ""
            mine = [each for each in items if each.item.node is node]
            policy = policy_of(raw_values(node), None, plan.context.core, network.resources)[0]
            yield from _node_text(node.name, node.type_name, mine, common, told(policy))
    if len(items) == len(plan.items):
        for name in plan.dynamic_nodes():
            yield ""
            yield f"{click.style(name, bold=True)} makes its items during the cook"


def _scheduler_text(scheduler: SchedulerPlan, common: Mapping[str, str]) -> Iterator[str]:
    yield f"{click.style(scheduler.name, bold=True)}, scheduler {scheduler.type_name} ({scheduler.origin})"
    for word, path in scheduler.directories.items():
        yield f"    {word:<8} {path}"
    if scheduler.own:
        yield f"    it has its own {', '.join(scheduler.own)}, which may answer otherwise"
    yield "    environment of every job"
    for name, value in common.items():
        yield f"        {name}={value}"


def _common(items: Sequence[ItemPlan]) -> dict[str, str]:
    """The variables that all of the items have alike."""
    first = items[0].environment
    alike = {name: value for name, value in first.items() if name not in _ITEMS_OWN}
    return {name: value for name, value in alike.items() if all(each.environment.get(name) == value for each in items)}


#: Variables that belong to an item, even where there is only one item.
_ITEMS_OWN = frozenset({"PDG_ITEM_NAME", "PDG_ITEM_ID", "PDG_ITEM_LABEL", "PDG_INDEX", "PDG_INDEX4"})


def _node_text(
    name: str,
    type_name: str,
    items: Sequence[ItemPlan],
    common: Mapping[str, Mapping[str, str]],
    policy: Sequence[str],
) -> Iterator[str]:
    cooked = [each for each in items if each.scheduler]
    yield f"{click.style(name, bold=True)} ({type_name}), {counted(len(items), 'item')}"
    if not cooked:
        yield "    nothing to cook: done as soon as what they depend on is"
        return
    places = {(each.scheduler, each.why) for each in cooked}
    if len(places) == 1:
        yield f"    on {cooked[0].scheduler}: {cooked[0].why}"
    yield from (f"    {line}" for line in policy)
    for each in cooked:
        where = f"  on {each.scheduler}: {each.why}" if len(places) > 1 else ""
        own = {key: value for key, value in each.environment.items() if key not in common[each.scheduler]}
        yield from _item_text(each, where, own)


def _item_text(each: ItemPlan, where: str, own: Mapping[str, str]) -> Iterator[str]:
    item = each.item
    label = f"  {item.label}" if item.label and item.label != item.name else ""
    frame = f"  frame {item.frame:g}" if item.frame is not None else ""
    yield f"  {click.style(item.name, fg='cyan')}{label}{frame}{where}"
    if item.traits & Trait.IN_PROCESS:
        yield "    in process: a Python function of its node"
    elif each.command:
        later = "  (put together at hand-over)" if each.late else ""
        yield f"    $ {each.command}{later}"
    else:
        yield "    no command"
    yield "    " + " ".join(f"{name}={shlex.quote(value)}" for name, value in own.items())
    yield from (f"    -> {file.path}" for file in item.expected_outputs or ())
