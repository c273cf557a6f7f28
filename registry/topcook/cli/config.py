"""``topcook config``: what holds, and who says so."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

import click

from topcook.cli.configured import configuration, tell
from topcook.cli.guard import COOKED, UNCOOKED
from topcook.config import KEYS, Config, ConfigFile, Key, Layer, Origin, Setting, key_of
from topcook.config.config import parts_of
from topcook.model.cells import cell_width, cut, padded, printable
from topcook.model.tomltext import toml_value
from topcook.model.userdirs import home_of

_FORMAT_VERSION = 1
_WIDEST = 100
_GAP = 2
#: Who says a value: the layer, the file and the line.
_ORIGIN_WIDTH = 40
_LAYER_WIDTH = len("command line") + _GAP


class Shown(NamedTuple):
    """One line: a value of a key, who says it, and whether it counts: ``ok``, ``shadowed`` or ``refused``."""

    key: str
    value: Any
    origin: Origin
    state: str
    lock: Origin | None


@click.command("config")
@click.argument("name", metavar="[KEY]", required=False)
@click.option("--files", is_flag=True, help="Instead: list the files that are looked for, and what became of them.")
@click.option("--directory", metavar="DIR", type=click.Path(), help="Look for the project's file from there upwards.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(*, name: str | None, files: bool, directory: str | None, as_json: bool) -> int:
    """Show the configuration: each value, and who says so.

    All keys, or KEY alone with what it means. Site (TOPCOOK_CONFIG), user, project (topcook.toml), environment and
    command line (topcook -c KEY=VALUE) follow one another; the later one wins, save where the site locks the key.

    The exit status is 1 where the configuration has mistakes.

    \b
    Example:
        topcook config
        topcook config types.path
        topcook -c strict=true config --files
    """
    config = configuration(directory)
    keys = _asked(name)
    if as_json:
        click.echo(json.dumps(_data(config, keys, name), indent=2, default=str))
    else:
        lines = _file_lines(config, directory) if files else _lines(config, keys, name)
        for line in lines:
            click.echo(line)
        sys.stdout.flush()
        tell(config)
    return UNCOOKED if config.mistakes else COOKED


def _asked(name: str | None) -> list[Key]:
    if name is None:
        return list(KEYS)
    key = key_of(name)
    found = [key] if key is not None else [each for each in KEYS if each.name.startswith(name + ".")]
    if not found:
        from difflib import get_close_matches

        names = [each.name for each in KEYS]
        close = get_close_matches(name, names, 1)
        hint = f'did you mean "{close[0]}"?' if close else f"there are: {', '.join(names)}"
        raise click.UsageError(f'there is no key "{name}"\n    {hint}')
    return found


def _shown(config: Config, key: Key, name: str | None) -> Iterator[Shown]:
    """The values of a key, the one that counts first; of a table, parm by parm."""
    seen: set[tuple[str, ...]] = set()
    for setting in config.settings:
        if not _is_of(setting, key, name):
            continue
        state = "shadowed" if parts_of(setting.key) in seen and not key.adds else "ok"
        seen.add(parts_of(setting.key))
        yield Shown(setting.key, setting.value, setting.origin, state, config.lock_of(setting.key))
    if not seen:
        yield Shown(key.name, key.default, Origin(Layer.DEFAULT), "ok", config.lock_of(key.name))
    for setting in config.dropped:
        if _is_of(setting, key, name):
            yield Shown(setting.key, setting.value, setting.origin, "refused", config.lock_of(setting.key))


def _is_of(setting: Setting, key: Key, name: str | None) -> bool:
    asked = parts_of(name if name is not None and key.kind == "table" else key.name)
    return parts_of(setting.key)[: len(asked)] == asked


# Text


def _lines(config: Config, keys: list[Key], name: str | None) -> Iterator[str]:
    width = max(len(key.name) for key in keys) + _GAP
    for key in keys:
        heading = key.name
        for shown in _shown(config, key, name):
            yield from _row(heading, width, shown, key)
            heading = ""
    if len(keys) == 1:
        yield ""
        yield from _about(keys[0])


def _row(heading: str, width: int, shown: Shown, key: Key) -> Iterator[str]:
    """One value; where it is too long for its column, who says it stands on a line below."""
    room = _room()
    value, origin = printable(_value_text(shown, key)), printable(_origin_text(shown))
    column = room - width - _ORIGIN_WIDTH
    head = click.style(heading.ljust(width), bold=True)
    dim = shown.state != "ok" or shown.origin.layer is Layer.DEFAULT
    if cell_width(value) <= column - _GAP and cell_width(origin) <= _ORIGIN_WIDTH:
        yield head + click.style(padded(value, column), dim=dim) + click.style(origin, dim=True)
        return
    yield head + click.style(cut(value, room - width), dim=dim)
    start = width + (column if cell_width(origin) <= _ORIGIN_WIDTH else _GAP)
    yield " " * start + click.style(origin, dim=True)


def _origin_text(shown: Shown) -> str:
    origin = shown.origin
    place = f" {_short(origin.place)}" if origin.place else ""
    said = {"ok": "", "shadowed": " (shadowed)", "refused": " (does not count)"}[shown.state]
    locked = " (locked)" if shown.lock is not None and shown.state != "refused" else ""
    return f"{origin.layer.word}{place}{said}{locked}"


def _value_text(shown: Shown, key: Key) -> str:
    value = shown.value
    if key.kind == "rows":
        if not isinstance(value, dict):
            return "none"
        rest = {name: each for name, each in value.items() if name != "reason"}
        text = ", ".join(f"{name} {_short(each)}" for name, each in rest.items())
        return f"{text}: {value['reason']}" if "reason" in value else text
    if key.kind == "count":
        return str(value)
    if shown.origin.layer is Layer.DEFAULT:
        return {(): "none", None: "any", False: "false", True: "true"}.get(value, value) if value != {} else "none"
    if key.kind == "table":
        return f"{shown.key.removeprefix(key.name + '.')} = {toml_value(value)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _short(value) if key.kind == "paths" else str(value)


def _about(key: Key) -> Iterator[str]:
    import textwrap

    yield from textwrap.wrap(key.help, _room())
    if key.choices:
        yield f"one of: {', '.join(key.choices)}"
    if key.variable:
        yield f"in the environment: {key.variable}"
    if key.project != "yes":
        yield {
            "no": "not in a project's topcook.toml",
            "tighten": "a project's topcook.toml can only make it stricter",
            "own": "a project's topcook.toml can only name files of the project",
        }[key.project]


def _file_lines(config: Config, directory: str | None) -> Iterator[str]:
    layers = {file.layer for file in config.files}
    for layer in (Layer.PROJECT, Layer.USER, Layer.SITE):
        for file in config.files:
            if file.layer is layer:
                state, colour = _state(config, file)
                path = printable(_short(file.path))
                yield f"{layer.word.ljust(_LAYER_WIDTH)}{click.style(state.ljust(10), fg=colour)}{path}"
        if layer not in layers:
            yield click.style(
                f"{layer.word.ljust(_LAYER_WIDTH)}{'none'.ljust(10)}{_nothing(layer, directory)}", dim=True
            )


def _nothing(layer: Layer, directory: str | None) -> str:
    if layer is Layer.SITE:
        return "TOPCOOK_CONFIG is not set"
    if layer is Layer.USER:
        return "no home directory is known"
    return printable(f"no topcook.toml in {_short(os.path.abspath(directory or os.curdir))} or above")


def _state(config: Config, file: ConfigFile) -> tuple[str, str]:
    if not file.exists:
        return "missing", "red" if file.layer is Layer.SITE else "bright_black"
    if any(each.path == file.path and each.code in {"config-writable", "config-owner"} for each in config.problems):
        return "refused", "red"
    wrong = any(each.path == file.path for each in config.mistakes)
    return ("mistakes", "red") if wrong else ("read", "green")


def _short(path: str) -> str:
    home = home_of()
    return f"~{path[len(home) :]}" if home and path.startswith(home + os.sep) else path


def _room() -> int:
    return min(shutil.get_terminal_size((80, 24)).columns, _WIDEST)


# JSON


def _data(config: Config, keys: list[Key], name: str | None) -> dict[str, Any]:
    return {
        "version": _FORMAT_VERSION,
        "values": [
            {
                "key": shown.key,
                "value": shown.value,
                "state": shown.state,
                "origin": _origin(shown.origin),
                "locked": _origin(shown.lock) if shown.lock is not None else None,
            }
            for key in keys
            for shown in _shown(config, key, name)
        ],
        "files": [
            {"layer": file.layer.word, "path": file.path, "state": _state(config, file)[0]} for file in config.files
        ],
        "problems": [asdict(problem) for problem in config.problems],
    }


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "layer": origin.layer.word,
        "path": origin.path or None,
        "line": origin.line,
        "column": origin.column,
        "name": origin.name or None,
    }
