"""``topcook resume``: go on with a cook by its id, as it was begun."""

from __future__ import annotations

from typing import Any

import click

from topcook.errors import CookRefusedError, RecorderError
from topcook.runtime.journal import Past
from topcook.runtime.statedir import journal_of


@click.command("resume", context_settings={"ignore_unknown_options": True})
@click.argument("cook")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def command(*, cook: str, options: tuple[str, ...]) -> Any:
    """Go on with a cook that was ended.

    COOK is its id, as its temp directory is called and a refusal names it. Its network file is read as it is now, with
    the options that the cook was begun with (--scheduler, --override, --parm, --job-parm, --static, --node).
    OPTIONS are more of those of `topcook cook`.

    \b
    Example:
        topcook resume 20261121-215930-0429f3a
        topcook resume 20261121-215930-0429f3a --retry-failed --report report.json
    """
    from topcook.cli.cook import command as cook_command

    path = journal_of(cook)
    if not path:
        raise CookRefusedError(
            f'there is no journal of a cook "{cook}" of yours on this machine\n'
            "    to go on with the last cook of a network: topcook cook NETWORK --resume"
        )
    try:
        past = Past.open(path)
    except RecorderError as error:
        raise CookRefusedError(str(error)) from error
    session = past.sessions[-1]
    given = [str(each) for each in session.facts.get("arguments", ())]
    arguments = [session.network, *given, "--resume", "--resume-cook", cook, *options]
    return cook_command.main(arguments, prog_name="topcook resume", standalone_mode=False)
