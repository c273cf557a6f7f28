"""``topcook completion``: what a shell needs to complete commands, options and names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands by TAB.

    Names of schedulers, and of the nodes of the network that stands on the line, are completed too.

    \b
    Example:
        topcook completion bash > ~/.local/share/bash-completion/completions/topcook
        topcook completion zsh > "${fpath[1]}/_topcook"
        topcook completion fish > ~/.config/fish/completions/topcook.fish
    """
    found = get_completion_class(shell)
    assert found is not None, shell  # noqa: S101 - the choice above names only what click knows
    group = ctx.find_root().command
    click.echo(found(group, {}, "topcook", "_TOPCOOK_COMPLETE").source())
