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
  {enter}choose it; open a category; of a broken type: show why
  {up}another line; also Ctrl-P Ctrl-N PgUp PgDn
  {ways}open and leave a category; with text typed: move in the text
  {tab}give the letters to the list, and take them back. There:
              {b}e{n} edit the file   {b}p{n} all its problems   {b}y{n} copy it as TOML
              Anywhere: {b}Alt-e Alt-p Alt-y{n}
  {wipe}empty the line; also Ctrl-W Ctrl-K Home End
  {esc}leave without a choice; also Ctrl-G. Ctrl-C: with status 130
{ok} can be chosen   {edit} edit broken, an older version serves   {wait} not probed yet
{hou} needs Houdini   {bad} broken   {off} disabled"""


#: Columns of the keys in the help.
_KEY_WIDTH = 12


def help_page(look: Look) -> Page:
    """What each key does, and what the shapes mean."""
    signs = look.signs
    bold, plain = ("", "") if look.plain else ("\x1b[1m", "\x1b[m")

    def key(text: str) -> str:
        return f"{bold}{text}{plain}{' ' * (_KEY_WIDTH - len(text))}"

    text = _HELP.format(
        b=bold,
        n=plain,
        enter=key(signs.enter),
        up=key("Up Down" if look.plain else "↑ ↓"),
        ways=key(f"{signs.right} {signs.left}"),
        tab=key(signs.tab),
        wipe=key("Ctrl-U"),
        esc=key("esc"),
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
