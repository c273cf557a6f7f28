"""``topcook submit``: a whole network as one job of a scheduler."""

from __future__ import annotations

import json
import os

import click

from topcook.cli.options import complete_node, complete_profile, complete_scheduler


@click.command("submit")
@click.argument("network", type=click.Path())
@click.option(
    "--profile",
    metavar="NAME",
    shell_complete=complete_profile,
    help="Cook it under [profiles.NAME] of the network: scheduler, parms, overrides.",
)
@click.option(
    "--scheduler",
    metavar="NAME",
    shell_complete=complete_scheduler,
    help="Who takes the job; else the network's default scheduler.",
)
@click.option(
    "--node", metavar="NAME", default="", shell_complete=complete_node, help="The node to cook, with all it depends on."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(*, network: str, profile: str | None, scheduler: str | None, node: str, as_json: bool) -> None:
    """Submit a whole network as one job.

    The network file, and all that it names below its directory, is brought into the scheduler's working directory;
    then its submitAsJob is called. The network's nodes are cooked by the schedulers that it names itself, or its
    profile does; --scheduler only says who takes the job. With localscheduler the cook goes on in the background when
    this terminal closes.

    \b
    Example:
        topcook submit network.toml --scheduler local --profile night
        topcook status URI --wait
    """
    from topcook.cli.configured import load_configured
    from topcook.runtime.submission import submit

    context = load_configured(network, to_run=True, profile=profile)
    try:
        name = scheduler or context.core.choice.default_name()
        uri, job = submit(context, os.path.abspath(network), name, node, _warn)
    finally:
        context.close()
    if as_json:
        click.echo(json.dumps({"version": 1, "scheduler": name, "status_uri": uri, "job": job}))
        return
    # The URI alone on standard output, for scripts that go on with it.
    click.echo(uri or job)
    if uri and job:
        click.echo(f"submitted to {name} as job {job}", err=True)
    if uri.startswith("file:"):
        click.echo(f"how far it is: topcook status {uri}", err=True)


def _warn(text: str) -> None:
    click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {text}", err=True)
