"""``topcook report``: the report of a cook from its journal."""

from __future__ import annotations

import sys

import click

from topcook.cli.guard import COOKED
from topcook.errors import CookRefusedError
from topcook.runtime.statedir import journal_of


@click.command("report")
@click.argument("cook")
@click.option("--output", metavar="FILE", help="Write it to this file, in place of standard output.")
def command(*, cook: str, output: str | None) -> int:
    """Write the report of a cook that ended, however it ended.

    It is the report that cook --report writes, made from the journal. COOK is its id, the beginning of the id or of its
    last part, or its network file: topcook cooks shows them; or the path of a journal. A cook that was killed, or still
    runs, is told as interrupted, as far as it came.

    \b
    Example:
        topcook report 20261122-015007-6990b6b --output report.json
    """
    from topcook.runtime.control.naming import cook_named
    from topcook.runtime.journal import Past
    from topcook.runtime.journal.glance import is_journal
    from topcook.runtime.journal.report import report_parts_of
    from topcook.runtime.report import check_report_path, write_parts

    path = cook if is_journal(cook) else journal_of(cook_named(cook))
    if not path:
        raise CookRefusedError(f'cook "{cook}" kept no journal to make a report from')
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
