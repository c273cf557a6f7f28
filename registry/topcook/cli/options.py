"""The options that `cook` and `expand` share: which schedulers, which parms, which nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from topcook.runtime.parmcheck import TypedText

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Setting = tuple[str, str, TypedText]


def _settings(ctx: click.Context, parm: click.Parameter, given: Sequence[str]) -> list[Setting]:
    """Split each ``NODE.PARM=VALUE``; a parm's name has no dot, a node's may. What a value is, its parm decides."""
    found = []
    for value in given:
        left, equals, text = value.partition("=")
        node, dot, name = left.strip().rpartition(".")
        if not (equals and dot and node and name):
            told = f'"{value}" is not NODE.PARM=VALUE, for example: render.wedgecount=12'
            raise click.BadParameter(told, ctx, parm)
        found.append((node, name, TypedText(text)))
    return found


def _overrides(ctx: click.Context, parm: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    """Split each ``NODE=NAME``."""
    found = {}
    for value in given:
        node, equals, name = value.partition("=")
        if not (equals and node.strip() and name.strip()):
            raise click.BadParameter(f'"{value}" is not NODE=NAME, for example: render=local', ctx, parm)
        found[node.strip()] = name.strip()
    return found


def complete_scheduler(ctx: click.Context, _parm: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The schedulers of the network and all scheduler types, as completions."""
    return _matching(_names(ctx, schedulers=True), incomplete)


def complete_node(ctx: click.Context, _parm: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The nodes of the network, as completions."""
    return _matching(_names(ctx, schedulers=False), incomplete)


def _matching(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _names(ctx: click.Context, *, schedulers: bool) -> Sequence[str]:
    """The names that fit: the network's own, and of schedulers all types; none where the file cannot be read yet."""
    from topcook.errors import TopcookError
    from topcook.factory import Factory, Kind
    from topcook.model.graphfile import read_network_file

    names: list[str] = []
    try:
        # Behind an option that still lacks its value, click leaves the arguments unread.
        file = read_network_file(ctx.params.get("network") or ctx.args[0])
        names += file.schedulers if schedulers else file.nodes
    except (IndexError, TopcookError):
        # Nothing was typed yet, or it is half written: what types there are can still be offered.
        pass
    if schedulers:
        names += [record.name for record in Factory.scan().records if record.kind is Kind.SCHEDULER and record.usable]
    return list(dict.fromkeys(names))


def complete_profile(ctx: click.Context, _parm: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The profiles of the network, as completions."""
    from topcook.errors import TopcookError
    from topcook.model.graphfile import read_network_file

    try:
        names = list(read_network_file(ctx.params.get("network") or ctx.args[0]).profiles)
    except (IndexError, TopcookError):
        names = []
    return _matching(names, incomplete)


_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--profile",
        metavar="NAME",
        shell_complete=complete_profile,
        help="Apply [profiles.NAME] of the network: scheduler, parms, overrides.",
    ),
    click.option(
        "--scheduler",
        metavar="NAME",
        shell_complete=complete_scheduler,
        help="The scheduler of all nodes that name none themselves.",
    ),
    click.option(
        "--override",
        "overrides",
        callback=_overrides,
        multiple=True,
        metavar="NODE=NAME",
        help="Another scheduler for one node.",
    ),
    click.option(
        "--parm",
        "parms",
        callback=_settings,
        multiple=True,
        metavar="NODE.PARM=VALUE",
        help="Set a parm of a node or scheduler.",
    ),
    click.option(
        "--job-parm",
        "job_parms",
        callback=_settings,
        multiple=True,
        metavar="NODE.PARM=VALUE",
        help="Override a parm of a node's scheduler, for that node.",
    ),
    click.option(
        "--static",
        "static",
        multiple=True,
        metavar="NAME",
        shell_complete=complete_scheduler,
        help="Give this scheduler its static items all at once (onScheduleStatic); may be given again.",
    ),
    click.option(
        "--no-static",
        "no_static",
        multiple=True,
        metavar="NAME",
        shell_complete=complete_scheduler,
        help="Hand this scheduler each item when it is ready, also where its type takes static hand-over.",
    ),
    click.option(
        "--node",
        "nodes",
        multiple=True,
        metavar="NAME",
        shell_complete=complete_node,
        help="The node to cook, with all it depends on; may be given again.",
    ),
)


def network_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose schedulers, set parms and pick nodes, and the argument NETWORK."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return click.argument("network", type=click.Path())(command)


def load(network: str, options: dict[str, Any], *, to_run: bool = False) -> Any:
    """The graph context of a network file under these options; raises ``GraphFileError`` with all mistakes.

    ``to_run`` says that it will be cooked: mistakes of the configuration are an error then, and in strict mode every
    problem of a types file, too. Otherwise they are told as warnings.
    """
    from topcook.cli.configured import load_configured

    both = set(options["static"]) & set(options["no_static"])
    if both:
        raise click.UsageError(f'"{min(both)}" is named by --static and by --no-static')
    context = _settled(load_configured(network, to_run=to_run, **_of_network(options)), options)
    _tell_of_own(context, options)
    return context


def load_again(network: str, options: dict[str, Any], like: Any) -> Any:
    """Another graph context of the same file, with the types and the configuration of the first."""
    from topcook.runtime.netfile import load_network

    core = like.core
    return _settled(load_network(network, factory=core.factory, config=core.config, **_of_network(options)), options)


def _of_network(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("profile", "scheduler", "overrides", "parms", "job_parms")}


def _tell_of_own(context: Any, options: dict[str, Any]) -> None:
    """Warn where an option names a type of which the network has a scheduler: that one's parms do not count then."""
    schedulers = context.core.network.schedulers
    asked = [
        ("--scheduler ", options["scheduler"]),
        *((f"--override {n}=", t) for n, t in options["overrides"].items()),
    ]
    for option, name in asked:
        own = [each.name for each in schedulers.values() if each.type_name == name and not each.implicit]
        if name and name not in schedulers and own:
            warning = click.style("warning:", fg="yellow", bold=True)
            text = f'{option}{name} is a type, and takes none of the parms of the network\'s "{own[0]}", which is one'
            click.echo(f"{warning} {text}\n    to take that one: {option}{own[0]}", err=True)


def _settled(context: Any, options: dict[str, Any]) -> Any:
    for takes in (True, False):
        for name in options["static" if takes else "no_static"]:
            context.core.decide_static(name, takes=takes)
    return context
