"""From files, variables and options to a ``Config``: who may say what, and who wins."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from topcook.config.config import Config, lock_of
from topcook.config.files import SITE_VARIABLE, ConfigFile, config_files, distrust
from topcook.config.keys import KEYS, Key, key_of
from topcook.config.values import Block, ConfiguredPath, Exemption, Layer, Origin, Setting
from topcook.errors import Problem
from topcook.model.userdirs import absolute, home_of

__all__ = ["load_config"]


def load_config(
    environ: Mapping[str, str] | None = None, *, directory: str | None = None, overrides: Iterable[str] = ()
) -> Config:
    """The configuration that holds; never raises for what it finds, see ``Config.problems``.

    ``environ`` replaces the process environment. ``directory`` is where the project's file is looked for upwards from,
    a network's directory (default: the current one). ``overrides`` are the command line's ``KEY=VALUE``.
    """
    return _Loader(os.environ if environ is None else environ).load(
        list(config_files(environ, directory)), list(overrides)
    )


class _Loader:
    """Collects settings, highest layer first."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[Problem] = []
        self.settings: list[Setting] = []
        self.dropped: list[Setting] = []
        self.locks: dict[str, Origin] = {}

    def load(self, files: list[ConfigFile], overrides: list[str]) -> Config:
        said = self._words(overrides)
        project = [file for file in files if file.layer is Layer.PROJECT]
        trusted = self._read([file for file in files if file.layer is not Layer.PROJECT], ())
        owners = {setting.value for setting in (*said, *trusted) if setting.key == "trust.owners"}
        for setting in (*said, *self._read(project, owners), *trusted):
            resolved = self._resolved(setting)
            (self.settings if self._counts(resolved) else self.dropped).append(resolved)
        return self._config(tuple(files))

    def _words(self, overrides: list[str]) -> list[Setting]:
        if not overrides and not any(self.environ.get(key.variable) for key in KEYS if key.variable):
            return []
        from topcook.config.words import from_command_line, from_environment

        return [*from_command_line(overrides, self.problems), *from_environment(self.environ, self.problems)]

    def _read(self, files: list[ConfigFile], owners: Iterable[str]) -> list[Setting]:
        settings: list[Setting] = []
        for file in files:
            if not file.exists and file.layer is not Layer.SITE:
                continue
            problem = distrust(file, frozenset(owners)) if file.exists else _missing(file)
            if problem is not None:
                self.problems.append(problem)
                continue
            from topcook.config.reading import read_config_file

            found = read_config_file(file)
            settings += found.settings
            self.problems += found.problems
            for name, origin in found.locks:
                self.locks.setdefault(name, origin)
        return settings

    # Who may say what

    def _counts(self, setting: Setting) -> bool:
        """Whether a setting may count; where not, a problem says so."""
        origin = setting.origin
        key = key_of(setting.key)
        locked = lock_of(self.locks, setting.key) if origin.layer > Layer.SITE else None
        if locked is not None:
            message = f"{setting.key} is locked by the site ({locked.place}): what {_said(origin)} says does not count"
            self._tell("config-locked", message, origin, "take it out there, or ask whoever keeps the site's file")
            return False
        refused = self._not_for_projects(key, setting) if key is not None and origin.layer is Layer.PROJECT else ""
        if refused:
            hint = "a checkout may have been written by anybody; put it into your own configuration"
            self._tell("config-project", f"{setting.key}: {refused}", origin, hint)
            return False
        unset = _unset(setting.value) if key is not None and key.kind == "paths" else ""
        if unset:
            message = f"types.path: this entry is left out, because ${unset} is not set"
            self._tell("unset-variable", message, origin, f"export {unset}=…")
        return not unset

    def _not_for_projects(self, key: Key, setting: Setting) -> str:
        """Why a project's file may not say it; empty when it may."""
        if key.project == "no":
            return f"a project's {os.path.basename(setting.origin.path)} cannot say it"
        if key.project == "tighten" and setting.value == key.default:
            return "a project's file can only make it stricter"
        if key.project == "own":
            folder = os.path.dirname(os.path.abspath(setting.origin.path))
            if not setting.value.get("file", "").startswith(os.path.join(folder, "")):
                return "a project's file can only exempt files of the project: name one by file, such as types/*"
        return ""

    def _tell(self, code: str, message: str, origin: Origin, hint: str) -> None:
        problem = Problem(code, message, origin.path or None, origin.line, origin.column, hint)
        if problem not in self.problems:
            # A variable with several entries has one place for all of them.
            self.problems.append(problem)

    # Values

    def _config(self, files: tuple[ConfigFile, ...]) -> Config:
        def first(key: str, default: Any) -> Any:
            return next((setting.value for setting in self.settings if setting.key == key), default)

        defaults = Config()
        return Config(
            types_path=tuple(self._types_path()),
            trusted_owners=tuple(dict.fromkeys(setting.value for setting in self._all("trust.owners"))),
            trust_strict=first("trust.strict", defaults.trust_strict),
            blocks=tuple(Block(each.origin, **each.value) for each in self._all("block")),
            require=first("require", defaults.require),
            strict=first("strict", defaults.strict),
            exempt=tuple(Exemption(each.origin, **each.value) for each in self._all("exempt")),
            path_maps=tuple(_path_map(each) for each in self._all("pathmap")),
            ports=_ports(first("ports", None)),
            log_level=first("log_level", defaults.log_level),
            machine_slots=first("slots.machine", defaults.machine_slots),
            watchdog=first("watchdog.seconds", defaults.watchdog),
            die_with_parent=first("die_with_parent", defaults.die_with_parent),
            settings=tuple(self.settings),
            dropped=tuple(self.dropped),
            locks=self.locks,
            files=files,
            problems=tuple(self.problems),
        )

    def _all(self, key: str) -> Iterator[Setting]:
        return (setting for setting in self.settings if setting.key == key)

    def _types_path(self) -> Iterator[ConfiguredPath]:
        seen = set()
        for _, path, origin in self._all("types.path"):
            if path not in seen:
                seen.add(path)
                yield ConfiguredPath(path, origin, named=origin.layer is not Layer.PROJECT)

    def _resolved(self, setting: Setting) -> Setting:
        """A setting with its paths absolute; one with a variable that is not set stays as it is written."""
        value, origin = setting.value, setting.origin
        if setting.key == "types.path":
            return setting._replace(value=self._path(value, origin))
        if setting.key in {"block", "exempt"} and "file" in value:
            return setting._replace(value={**value, "file": self._pattern(value["file"], origin)})
        return setting

    def _pattern(self, text: str, origin: Origin) -> str:
        """A pattern of files: absolute, or a file's name alone."""
        alone = not set(text) & set("/\\") and not text.startswith(("~", "$"))
        return text if alone else self._path(text, origin)

    def _path(self, text: str, origin: Origin) -> str:
        """``~`` and variables written out; what is relative then is so to the file, else to the current directory."""
        home = home_of(self.environ)
        if home and (text == "~" or text.startswith(("~/", "~\\"))):
            text = home + text[1:]
        # No user is called by a null byte, and looking for one raises.
        text = text if "\0" in text else os.path.expanduser(text)
        if "$" in text:
            from topcook.model.variables import expand_vars

            text = expand_vars(text, self.environ)
            if _unset(text):
                return text
        base = os.path.dirname(os.path.abspath(origin.path)) if origin.path else ""
        return absolute(os.path.join(base, text))


def _ports(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    from topcook.config.words import port_range

    return port_range(text)


def _unset(path: str) -> str:
    """The first variable in a path that could not be written out; empty when there is none."""
    if "$" not in path:
        return ""
    from topcook.model.variables import VARIABLE

    found = VARIABLE.search(path)
    return (found.group(1) or found.group(2)) if found else ""


def _missing(file: ConfigFile) -> Problem:
    message = f'{SITE_VARIABLE} names "{file.path}", which is not there'
    return Problem("missing-file", message, file.path, hint=f"create it, or take it out of {SITE_VARIABLE}")


def _said(origin: Origin) -> str:
    return f'"{origin.place}"' if origin.path else origin.name


def _path_map(setting: Setting) -> dict[str, Any]:
    row = {"zone": "*", "match": "prefix", "scheduler": None, **setting.value}
    row["from_path"], row["to_path"] = row.pop("from"), row.pop("to")
    return {**row, "origin": f"{setting.origin.path}:{setting.origin.line}:{setting.origin.column}"}
