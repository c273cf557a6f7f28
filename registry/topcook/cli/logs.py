"""``topcook logs``: what the job of a work item printed in the last cook."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import click

from topcook.cli.wording import log_uri, shown_path
from topcook.errors import CookRefusedError

#: How many lines are shown unless more are asked for.
LINES = 200
#: Of a long log so many bytes a line are read from its end.
LONG_LINE = 4096


@click.command("logs")
@click.argument("network", type=click.Path())
@click.argument("item")
@click.option("-n", "--lines", default=LINES, show_default=True, metavar="N", help="The last N lines; 0: all.")
@click.option("--path", "path_only", is_flag=True, help="Print where the log is instead.")
def command(*, network: str, item: str, lines: int, path_only: bool) -> None:
    """Show what the job of a work item printed in the last cook.

    ITEM is a name, an id or a label. Of a cook that still runs, jobs go by name and id, and show what they have
    printed so far. A log that is no file of this machine is named as its scheduler says it.

    \b
    Example:
        topcook logs network.toml render_7
    """
    from topcook.cli.configured import load_configured
    from topcook.runtime.lastcook import find_log

    context = load_configured(network)
    try:
        found, names = find_log(context.core, item)
    finally:
        context.close()
    if found is None:
        raise CookRefusedError(
            f'there is no work item "{item}" in the last cook of "{network}"\n    {_hint(item, names)}'
        )
    if path_only and (found.path or found.log_uri):
        click.echo(found.path or found.log_uri)
        return
    if not found.path and not log_uri(found.log_uri):
        raise CookRefusedError(f'"{found.name}" has no log in cook {found.cook}: it {_why(found.state)}')
    state = f" {found.state}" if found.state else ""
    click.echo(f"{found.name}{state}, cook {found.cook}: {shown_path(found.path) or found.log_uri}", err=True)
    if found.status_uri:
        click.echo(f"status: {found.status_uri}", err=True)
    if found.path:
        _show(found.path, lines)


def _hint(item: str, names: list[str]) -> str:
    close = difflib.get_close_matches(item, names, 3)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not names:
        return "nothing of it was cooked yet where its schedulers work"
    more = ", …" if len(names) > 3 else ""  # noqa: PLR2004 - three show how names look
    return f"there are: {', '.join(names[:3])}{more}"


def _why(state: str) -> str:
    return "never ran" if state in {"Waiting", "Uncooked", "CookedCancel", ""} else "printed nothing that is kept"


def _show(path: str, lines: int) -> None:
    with Path(path).open("rb") as log:
        size = log.seek(0, os.SEEK_END)
        start = max(0, size - max(lines * LONG_LINE, LONG_LINE)) if lines > 0 else 0
        log.seek(start)
        rows = log.read().splitlines(keepends=True)
    if lines > 0 and (start or len(rows) > lines):
        click.echo("… there is more before; -n 0 shows all", err=True)
        rows = rows[-lines:]
    # As it was written: a log need be no text of this terminal's encoding.
    click.echo(b"".join(rows), nl=False)
