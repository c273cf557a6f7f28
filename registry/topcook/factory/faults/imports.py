"""Imports that failed: a farm's client, Houdini, a user interface, a slip of the keyboard or the wrong environment."""

from __future__ import annotations

import difflib
import glob
import os
import re
import sys
from typing import TYPE_CHECKING

from topcook.factory.faults import known
from topcook.factory.faults.syntax import python_2
from topcook.factory.places import public, raised_by
from topcook.factory.records import NEEDS_HOUDINI

if TYPE_CHECKING:
    from topcook.errors import Problem
    from topcook.factory.places import Spot

__all__ = ["import_problem", "missing_module"]

_CANNOT_IMPORT = re.compile(r"cannot import name '([^']+)' from (?:partially initialized module )?'([^']+)'")


def missing_module(error: ModuleNotFoundError, spot: Spot) -> Problem:
    """The problem of a module that is not there; what it is decides what is said."""
    asked = public(error.name or "")
    top = asked.partition(".")[0]
    if top in known.HOUDINI:
        hint = "it can be used where Houdini runs it; if it asks for little, TOPCOOK_HOU=stub stands in for hou"
        return spot.problem("needs-houdini", NEEDS_HOUDINI, hint)
    if top in known.PYTHON_2_MODULES:
        return python_2(spot, f'the module "{top}"', known.PYTHON_2_MODULES[top])
    kind = (
        f", a client of {known.FARM_CLIENTS[top].partition(':')[0]}"
        if top in known.FARM_CLIENTS
        else ", a user interface"
        if top in known.QT
        else ""
    )
    message = f'there is no module "{asked}"{kind}{_by_whom(error, spot)}'
    return spot.problem("missing-module", message, _what_to_type(error.name or "", asked, spot))


def _by_whom(error: ImportError, spot: Spot) -> str:
    """Who asked for it, when it was a library and not the author."""
    path = raised_by(error)
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
    if not path or path.startswith((os.path.dirname(spot.path) + os.sep, ours)) or path == spot.path:
        return ""
    return f" (asked for by {path})"


def _what_to_type(name: str, asked: str, spot: Spot) -> str:
    top, _, rest = asked.partition(".")
    if rest:
        return _no_submodule(name, asked)
    if top in known.FARM_CLIENTS:
        home = known.FARM_CLIENTS[top].partition(": ")
        return f"put it on PYTHONPATH: {home[2]}. Import it inside onStart, and the type can be listed without it"
    if top in known.PROGRAMS:
        return f"only {known.PROGRAMS[top]} has it, while it runs; import it inside the function that needs it"
    elsewhere = _elsewhere(top)
    if elsewhere:
        return f"it is installed in {elsewhere}, and Topcook runs in {sys.prefix}: install Topcook there, or it here"
    if top in known.QT:
        return f"a farm has no screen: import {top} only in the function that shows a window"
    distribution = known.DISTRIBUTIONS.get(top)
    if distribution:
        return f"it comes with {distribution}: {sys.executable or 'python'} -m pip install {distribution}"
    return _another_name(top, spot)


def _another_name(top: str, spot: Spot) -> str:
    if top in known.GONE:
        return f"it left Python's standard library; use {known.GONE[top]}"
    names = _importable(spot)
    swapped = [each for each in names if len(each) == len(top) and sorted(each) == sorted(top) and each != top]
    close = swapped or difflib.get_close_matches(top, names, n=1, cutoff=0.8)
    if close:
        return f'did you mean "{close[0]}"?'
    # Not "pip install <name>": names of farms' clients are taken on PyPI by things that are none.
    return f'put the folder that has "{top}" on PYTHONPATH, or install it from its maker into {sys.executable}'


def _no_submodule(name: str, asked: str) -> str:
    """What the package has instead of the submodule that was asked for."""
    parent, _, leaf = name.rpartition(".")
    package = sys.modules.get(parent)
    folders = list(getattr(package, "__path__", ()))
    there = {os.path.splitext(each)[0] for folder in folders if os.path.isdir(folder) for each in os.listdir(folder)}
    close = difflib.get_close_matches(leaf, there, n=1, cutoff=0.7)
    outer = asked.rpartition(".")[0]
    if close:
        return f'did you mean "{outer}.{close[0]}"?'
    if package is not None and not folders:
        return (
            f'"{outer}" is a single file, {getattr(package, "__file__", None) or "built in"}, and has no modules in it'
        )
    return f'"{outer}" is there, in {", ".join(folders) or "memory"}, but has no "{leaf}": is it another version?'


def _importable(spot: Spot) -> list[str]:
    """Every top-level name that could be meant: of the standard library, installed, or beside the file."""
    names = {*sys.stdlib_module_names, "pdg", *known.DISTRIBUTIONS, *known.FARM_CLIENTS}
    for folder in [os.path.dirname(spot.path), *sys.path]:
        try:
            names.update(each.partition(".")[0] for each in os.listdir(folder or "."))
        except OSError:
            continue
    return [each for each in names if each.isidentifier() and not each.startswith("_")]


def _elsewhere(top: str) -> str:
    """Another environment that has the module: that of the shell, of the user, or of the system."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    active = [os.environ.get(each, "") for each in ("VIRTUAL_ENV", "CONDA_PREFIX")]
    prefixes = [
        each for each in (*active, sys.base_prefix, os.path.expanduser("~/.local"), "/usr", "/usr/local") if each
    ]
    for prefix in dict.fromkeys(prefixes):
        if os.path.realpath(prefix) == os.path.realpath(sys.prefix):
            continue
        folders = [os.path.join(prefix, "lib", version, each) for each in ("site-packages", "dist-packages")]
        folders += [
            os.path.join(prefix, "lib", "python3", "dist-packages"),
            os.path.join(prefix, "Lib", "site-packages"),
        ]
        for folder in folders:
            stem = os.path.join(folder, top)
            if os.path.isdir(stem) or os.path.isfile(stem + ".py") or glob.glob(glob.escape(stem) + ".*.so"):
                return prefix
    return ""


def import_problem(error: ImportError, spot: Spot, text: str) -> Problem:
    """The problem of any other import that failed."""
    if "circular import" in text:
        hint = "move what both need into a third file, or import it inside the function that needs it"
        return spot.problem("circular-import", f"two files import each other: {text.partition(' (')[0]}", hint)
    if "attempted relative import" in text:
        hint = "a file is no package: write import NAME for a file beside it, or make it a folder with an __init__.py"
        if "beyond" in text:
            hint = "there are more dots than folders: a package of types sees itself, and import NAME what is beside it"
        return spot.problem("relative-import", f"the relative import leads nowhere: {text}", hint)
    found = _CANNOT_IMPORT.search(text)
    if found is None:
        built = "a library of the system may be missing, or it was built for another Python"
        hint = built if ".so" in text else _look_at(error)
        return spot.problem("import-error", f"ImportError: {text.partition(chr(10))[0]}", hint)
    name, module = found.group(1), found.group(2)
    return spot.problem("import-error", f'"{module}" has no "{name}"', _instead(name, module, error))


def _look_at(error: ImportError) -> str:
    return f'look at what "{public(error.name)}" imports' if error.name else "look at the line that imports it"


def _instead(name: str, module: str, error: ImportError) -> str:
    """What the module has in place of the name; only modules that are no author's are asked."""
    there = vars(sys.modules.get(error.name or module, sys))
    names = [each for each in there if not each.startswith("_")]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    if close:
        return f'did you mean "{close[0]}"?'
    inner = f"{module}.abc"
    if module == "collections":
        return f"write: from {inner} import {name}"
    if module.partition(".")[0] == "pdg":
        return "later versions of Houdini may have this name; Topcook's pdg has not"
    path = getattr(sys.modules.get(error.name or module), "__file__", None)
    return f"it was looked for in {path}: is it the file, and the version, that you mean?" if path else _look_at(error)
