"""``topcook resume``: go on with a cook by its id, as it was begun."""

from __future__ import annotations

from itertools import pairwise
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

    COOK is its id, the beginning of the id or of its last part, or its network file: topcook cooks shows them. The
    network file is read as it is now, with the options that the cook was begun with (--profile, --scheduler,
    --override, --parm, --job-parm, --static, --node, --slots, --machine-slots, --max-failures, --retries,
    --die-with-parent, --durability, --cache hash). OPTIONS are more of those of `topcook cook`, and go before.

    \b
    Example:
        topcook resume 20261121-215930-0429f3a
        topcook resume 0429f3a --retry-failed --report report.json
    """
    from topcook.cli.cook import command as cook_command
    from topcook.runtime.control.naming import cook_named

    cook = cook_named(cook)
    path = journal_of(cook)
    if not path:
        raise CookRefusedError(
            f'there is no journal of a cook "{cook}" of yours on this machine\n'
            "    to go on with the last cook of a network: topcook cook NETWORK --resume"
        )
    try:
        with Past.open(path) as past:
            session = past.sessions[-1] if past.sessions else None
    except RecorderError as error:
        raise CookRefusedError(str(error)) from error
    if session is None:
        raise CookRefusedError(
            f"cook {cook} was killed before it began: nothing ran, and its journal does not name its network\n"
            "    cook that from the start: topcook cook NETWORK"
        )
    given = _given(cook, session.facts, options)
    arguments = [session.network, *given, "--resume", "--resume-cook", cook, *options]
    asked = click.get_current_context().obj
    return cook_command.main(arguments, prog_name="topcook resume", standalone_mode=False, obj=asked)


def _given(cook: str, facts: dict[str, Any], options: tuple[str, ...]) -> list[str]:
    """The arguments that the cook was begun with; raises ``CookRefusedError`` when a secret among them is missing.

    What held the value of a secret was not written down whole: it counts only when ``options`` say it again.
    """
    given = [str(each) for each in facts.get("arguments", ())]
    kept: list[str] = []
    missing: list[str] = []
    masked = set(facts.get("masked", ()))
    for place in range(0, len(given) - 1, 2):
        option, text = given[place : place + 2]
        if not {place, place + 1} & masked:
            kept += [option, text] if text else [option]
            continue
        name = text.partition("=")[0]
        if not _says(options, option, name):
            missing.append(f"{option} {name}=...")
    if missing:
        raise CookRefusedError(
            f"cook {cook} was begun with the value of a secret, which is not written down anywhere\n"
            f"    give it again: topcook resume {cook} {' '.join(missing)}"
        )
    return kept


def _says(options: tuple[str, ...], option: str, name: str) -> bool:
    """Whether ``options`` have ``option`` with a value for ``name``, in either spelling."""
    after = pairwise(options)
    return any(one == option and other.startswith(f"{name}=") for one, other in after) or any(
        each.startswith(f"{option}={name}=") for each in options
    )
