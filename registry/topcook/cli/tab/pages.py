"""The pages that cover the list: help, the problems of a type, the block to paste."""

from __future__ import annotations

import sys

import click

from topcook.cli.tab.entries import Entry
from topcook.cli.tab.frame import wrapped
from topcook.cli.tab.look import Look
from topcook.cli.tab.session import Page
from topcook.contract.secrets import redact
from topcook.factory import Kind
from topcook.model.cells import printable
from topcook.model.parms import ParmSpec
from topcook.model.tomltext import toml_key, toml_value

__all__ = ["block", "help_page", "problems_page"]

_HELP = """\
Type to filter: the beginning of a word fits best, then initials ({b}ls{n} finds
Local Scheduler), then letters in order. Broken types come last and stay.
  {b}{enter}{n}       choose it; open a category; of a broken type: show why
  {b}{up}{n}     another line; also Ctrl-P Ctrl-N PgUp PgDn
  {b}{ways}{n}     open and leave a category; with text typed: move in the text
  {b}{tab}{n}       give the letters to the list, and take them back. There:
            {b}e{n} edit the file   {b}p{n} all its problems   {b}y{n} copy it as TOML
            Anywhere: {b}Alt-e Alt-p Alt-y{n}
  {b}Ctrl-U{n}    empty the line; also Ctrl-W Ctrl-K Home End
  {b}esc{n}       leave without a choice; also Ctrl-G. Ctrl-C: with status 130
{ok} can be chosen   {edit} edit broken, an older version serves   {wait} not probed yet
{hou} needs Houdini   {bad} broken   {off} disabled"""


def help_page(look: Look) -> Page:
    """What each key does, and what the shapes mean."""
    signs = look.signs
    text = _HELP.format(
        b=look.style("x") and "\x1b[1m",
        n=look.style("x") and "\x1b[m",
        enter=signs.enter,
        up="Up Down" if look.plain else "↑ ↓",
        ways=f"{signs.right} {signs.left}",
        tab=signs.tab,
        ok=look.glyph("ok"),
        edit=look.glyph("edit broken"),
        wait=look.glyph("not probed"),
        hou=look.glyph("needs houdini"),
        bad=look.glyph("invalid"),
        off=look.glyph("disabled"),
    )
    return Page("help", text.splitlines())


def problems_page(entry: Entry, look: Look, width: int = 0) -> Page:
    """All problems of a type with what stands in its file now; the reason where there are none.

    Lines are no wider than ``width`` cells: 0 is the width of the terminal.
    """
    from topcook.cli.problems import problem_text

    record = entry.record
    problems = record.edit.problems if record.edit is not None else record.problems
    if not problems:
        return Page("problems", [printable(record.why_not()) or "no problems", f"    {printable(record.place)}"])
    contents = {}
    for path in {each.path for each in problems if each.path}:
        try:
            with open(path, "rb") as stream:
                contents[path] = stream.read()
        except OSError:
            # It has gone since: the problems can be told without its lines.
            contents[path] = b""
    texts = [problem_text(each, contents=contents, stream=sys.stderr, width=width) for each in problems]
    text = "\n\n".join(texts)
    lines = (click.unstyle(text) if look.plain else text).splitlines()
    return Page("problems", [part for line in lines for part in (wrapped(line, width) if width else [line])])


def block(entry: Entry) -> str:
    """The type as a block of a network file, its parms as comments with their defaults."""
    record = entry.record
    table = "nodes" if record.kind in {Kind.NODE, Kind.WORK_ITEM} else "schedulers"
    name = toml_key(table, short_name(record.name))
    lines = [f"[{name}]", f"type = {toml_value(record.name)}"]
    parms = [_parm_line(each) for each in record.parms if not each.name.endswith("#")]
    return redact("\n".join([*lines, *([f"[{name}.parms]", *parms] if parms else [])]) + "\n")


def short_name(type_name: str) -> str:
    """What an instance is called: the type's name without what all schedulers' end in."""
    short = type_name.lower().removesuffix("scheduler").rstrip("_-. ")
    return short or type_name


def _parm_line(parm: ParmSpec) -> str:
    if parm.secret:
        return f"# {toml_key(parm.name)} = {{ env = {toml_value(parm.name.upper())} }}"
    values = [parm.default_at(index) for index in range(parm.size)]
    value = toml_value(values[0] if parm.size == 1 else values)
    return f"# {toml_key(parm.name)} = {value}" + ("  # a node may override it" if parm.is_job_parm else "")
