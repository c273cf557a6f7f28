"""Types that are installed elsewhere: in another Python on PATH, in an environment that is active or lies here.

Nothing is executed: what a distribution offers stands in a small file beside it.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

__all__ = ["Elsewhere", "installed_elsewhere"]

_GROUP = "pdg.types"
_SITE_DIRECTORIES = ("lib/python3*/site-packages", "local/lib/python3*/dist-packages", "Lib/site-packages")
_PYTHONS = ("python3", "python", "python3.exe", "python.exe")
_ENVIRONMENTS = ("VIRTUAL_ENV", "CONDA_PREFIX")
_LOCAL_ENVIRONMENTS = (".venv", "venv")
#: More than any list of entry points needs.
_MOST_BYTES = 1 << 18


class Elsewhere(NamedTuple):
    """An entry point of another Python: its name, its distribution, and the directory that Python is in."""

    name: str
    distribution: str
    version: str
    prefix: str


def installed_elsewhere(environ: Mapping[str, str], directory: str | None = None) -> list[Elsewhere]:
    """What other Pythons offer that this one cannot import; ``directory``, the current one, is where they may lie."""
    ours = {os.path.realpath(each) for each in sys.path if each}
    found: dict[str, list[Elsewhere]] = {}
    for prefix in _prefixes(environ, os.getcwd() if directory is None else directory):
        for pattern in _SITE_DIRECTORIES:
            for site in sorted(glob.glob(os.path.join(glob.escape(prefix), pattern))):
                place = os.path.realpath(site)
                if place not in ours and place not in found:
                    found[place] = list(_offered(place, prefix))
    return [each for offers in found.values() for each in offers]


def _prefixes(environ: Mapping[str, str], directory: str) -> list[str]:
    """The directories that Pythons are installed in, each once."""
    active = [environ[name] for name in _ENVIRONMENTS if environ.get(name)]
    local = [os.path.join(directory, name) for name in _LOCAL_ENVIRONMENTS]
    folders = [each for each in environ.get("PATH", "").split(os.pathsep) if each]
    on_path = [
        folder if os.path.isfile(os.path.join(folder, "Lib", "os.py")) else os.path.dirname(os.path.normpath(folder))
        for folder in folders
        if any(os.path.isfile(os.path.join(folder, name)) for name in _PYTHONS)
    ]
    return list(dict.fromkeys(os.path.abspath(each) for each in [*active, *local, *on_path] if os.path.isdir(each)))


def _offered(site: str, prefix: str) -> Iterator[Elsewhere]:
    for path in sorted(glob.glob(os.path.join(glob.escape(site), "*.dist-info", "entry_points.txt"))):
        name, _, version = os.path.basename(os.path.dirname(path)).removesuffix(".dist-info").partition("-")
        for entry in _entries(path):
            yield Elsewhere(entry, name.replace("_", "-"), version, prefix)


def _entries(path: str) -> list[str]:
    """The names in the section of types; none for a file that cannot be read."""
    import configparser

    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read(_MOST_BYTES)
        if f"[{_GROUP}]" not in text:
            return []
        parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
        # Names of entry points differ by case.
        parser.optionxform = str  # type: ignore[method-assign,assignment]
        parser.read_string(text)
        return parser.options(_GROUP) if parser.has_section(_GROUP) else []
    except (OSError, configparser.Error):
        return []
