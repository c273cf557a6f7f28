"""``topcook report``: the report of a cook from its journal."""

from __future__ import annotations

import os
import sys

import click

from topcook.cli.guard import COOKED
from topcook.errors import CookRefusedError
from topcook.runtime.statedir import journal_of, known_cooks

#: How many cooks are named to whoever asks for one that is not there.
_SHOWN = 5


@click.command("report")
@click.argument("cook")
@click.option("--output", metavar="FILE", help="Write it to this file, in place of standard output.")
def command(*, cook: str, output: str | None) -> int:
    """Write the report of a cook that ended, however it ended.

    It is the report that cook --report writes, made from the journal. COOK is the id of a cook on this machine, or the
    path of a journal. A cook that was killed, or still runs, is
    told as interrupted, as far as it came.

    \b
    Example:
        topcook report 20261122-015007-6990b6b --output report.json
    """
    from topcook.runtime.journal import Past
    from topcook.runtime.journal.report import report_parts_of
    from topcook.runtime.report import check_report_path, write_parts

    path = cook if os.path.isfile(cook) else journal_of(cook)
    if not path:
        known = "".join(f"\n        {each}" for each in known_cooks()[:_SHOWN])
        hint = f"the latest that have one:{known}" if known else "no cook has left one here"
        raise CookRefusedError(f'there is no journal of a cook "{cook}" on this machine\n    {hint}')
    if output is not None:
        check_report_path(output)
    with Past.open(path) as past:
        parts = report_parts_of(past)
        if output is None:
            sys.stdout.writelines(parts)
            return COOKED
        try:
            write_parts(parts, output)
        except OSError as error:
            raise CookRefusedError(f'"{output}" cannot be written: {error.strerror or error}') from error
    return COOKED
