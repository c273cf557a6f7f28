"""``topcook map``: what a path is called on another machine, and which rule says so."""

from __future__ import annotations

import difflib
import json
import os

import click

from topcook.contract.pathmap import VARIABLE, PathRule, PathRules, local_zone
from topcook.errors import CookRefusedError


@click.command("map")
@click.argument("path")
@click.option("--network", metavar="FILE", type=click.Path(), help="Use the path maps of this network, too.")
@click.option("--zone", metavar="ZONE", help="The machine's zone: LINUX, WIN, MAC or one of your own; else this one's.")
@click.option("--scheduler", metavar="NAME", help="Only rules that hold for this scheduler's jobs.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(*, path: str, network: str | None, zone: str | None, scheduler: str | None, as_json: bool) -> None:
    """Show what a path is called on another machine, and why.

    What PATH is called in the zone, and which rule says so. The rules are those of the network, if one is named, then
    those of the configuration (topcook config pathmap), then those of PDG_PATHMAP; the first that holds in the zone
    and fits wins.

    \b
    Example:
        topcook map /mnt/show/tex/wood.exr --network network.toml --zone WIN
    """
    rules = _rules(network, scheduler)
    asked = zone or local_zone()
    rule = rules.rule_for(path, asked)
    mapped = rules.mapped(path, asked)
    if as_json:
        click.echo(json.dumps({"version": 1, "path": path, "zone": asked, "mapped": mapped, "rule": _as_data(rule)}))
        return
    click.echo(mapped)
    click.echo(_told(rule, rules, asked), err=True)


def _rules(network: str | None, scheduler: str | None) -> PathRules:
    if network is None:
        from topcook.cli.configured import configuration, tell
        from topcook.runtime.configured import configured_path_maps

        config = configuration()
        tell(config)
        rules = PathRules.of(configured_path_maps(config, os.environ))
        return rules.for_scheduler(scheduler) if scheduler else rules
    from topcook.cli.configured import load_configured

    context = load_configured(network)
    try:
        rules = PathRules.of(context.core.network.path_maps)
        if scheduler is None:
            return rules
        names = [*context.core.network.schedulers, *(rule.scheduler for rule in rules.rules if rule.scheduler)]
        if scheduler not in names:
            close = difflib.get_close_matches(scheduler, names, 1)
            hint = f'did you mean "{close[0]}"?' if close else f"there are: {', '.join(dict.fromkeys(names))}"
            raise CookRefusedError(f'there is no scheduler "{scheduler}" in "{network}"\n    {hint}')
        return rules.for_scheduler(scheduler)
    finally:
        context.close()


def _as_data(rule: PathRule | None) -> dict[str, str | None] | None:
    if rule is None:
        return None
    return {
        "from": rule.from_path,
        "to": rule.to_path,
        "zone": rule.zone,
        "match": rule.match,
        "scheduler": rule.scheduler,
        "origin": rule.origin,
    }


def _told(rule: PathRule | None, rules: PathRules, zone: str) -> str:
    if rule is not None:
        only = f" for scheduler {rule.scheduler}" if rule.scheduler else ""
        return f"  {rule.match} {rule.from_path} -> {rule.to_path} in zone {rule.zone}{only}\n  at {rule.origin}"
    if not rules.rules:
        return f"  there are no rules: name a network that has some (--network FILE), or set {VARIABLE}"
    here = sum(1 for each in rules.rules if each.holds_in(zone))
    return f"  none of {len(rules.rules)} rules fits, of which {here} hold in zone {zone}: the path stays as it is"
