"""Turn a drop-in file into a project that pip installs."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator, Mapping

from topcook.contract.layout import literal
from topcook.factory.bundles import OURS, named
from topcook.factory.sources import ENTRY_POINT_GROUP
from topcook.lean import dataclass, field
from topcook.scaffold.installing import plan_install
from topcook.scaffold.relative import made_relative

__all__ = ["Project", "dist_name_problem", "make_project"]

_DIST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
#: Modules that come with Houdini, which pip cannot bring.
_HOUDINI = frozenset({"hou", "_hou", "hutil", "toolutils", "hdefereval", "pdgd", "pdgcmd", "pdgjson", "pdgutils"})


@dataclass(slots=True)
class Project:
    """The files of a project by their path in it; ``notes`` is what its author should know or look at."""

    name: str
    package: str
    files: dict[str, bytes]
    notes: list[str] = field(default_factory=list)


def dist_name_problem(name: str) -> str:
    """Why a name cannot be that of a distribution, with one that can; empty when it can."""
    if _DIST_NAME.fullmatch(name) and (name[0].isalpha() or not _package(name)[0].isdigit()):
        package = _package(name)
        if package in sys.stdlib_module_names or package in OURS | _HOUDINI:
            return f'"{name}" would hide the module "{package}"; take topcook-{name.lower()}'
        return ""
    words = "-".join(re.findall(r"[A-Za-z0-9]+", name)).lower() or "my-farm"
    return f'"{name}" cannot name a distribution; take {words if words[0].isalpha() else "farm-" + words}'


def _package(dist_name: str) -> str:
    return re.sub(r"[-_.]+", "_", dist_name).lower()


def make_project(path: str, dist_name: str, version: str, types: list[tuple[str, str]]) -> Project:
    """The project of a types file or package; ``types`` are the (name, label) of what it registers.

    Raises ``OSError`` for a file that cannot be read, ``SyntaxError`` for one that cannot be parsed.
    """
    plan = plan_install(path, ".")
    package = _package(dist_name)
    siblings = {name.partition(os.sep)[0].removesuffix(".py") for name in plan.files}
    stem = plan.main.partition(os.sep)[0].removesuffix(".py")
    project = Project(dist_name, package, {})
    wanted: set[str] = set()
    for name, content in plan.files.items():
        text = content
        changed: list[int] = []
        if name.endswith(".py"):
            text, changed = made_relative(content, siblings, name.count(os.sep))
            wanted |= _wanted(text) - siblings
            project.notes += _dynamic(name, content, siblings)
        if changed:
            lines = ", ".join(map(str, changed))
            project.notes.append(f"{name}: imports of files beside it are relative now (line {lines})")
        project.files[f"{package}/{name.replace(os.sep, '/')}"] = text
    dependencies, unknown = _dependencies(wanted - _found_inside(plan.files))
    project.notes += [
        f'nothing installed brings the module "{name}"; add what does to dependencies' for name in unknown
    ]
    label = types[0][1] if types else stem
    start = f'"""{_one_line(label)}, for PDG: the type is registered by the entry point of this distribution."""\n\n'
    start += f"from __future__ import annotations\n\nfrom {package}.{stem} import registerTypes\n\n"
    start += '__all__ = ["registerTypes"]\n'
    project.files[f"{package}/__init__.py"] = start.encode()
    project.files["pyproject.toml"] = _pyproject(dist_name, package, version, label, stem, dependencies).encode()
    project.files["README.md"] = _readme(dist_name, label, types).encode()
    project.files[f"tests/test_{package}.py"] = _test(dist_name, types).encode()
    project.files[".gitignore"] = b"__pycache__/\n*.py[cod]\ndist/\nbuild/\n*.egg-info/\n.venv/\n.pytest_cache/\n"
    return project


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("\\", "/").replace('"', "'")


def _wanted(content: bytes) -> set[str]:
    """The top-level modules that a source imports, as written."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
    return {name for name in found if name not in sys.stdlib_module_names and name not in OURS | _HOUDINI}


def _found_inside(files: Mapping[str, bytes]) -> set[str]:
    """The modules and packages of any depth, for sources that put folders of their own on ``sys.path``."""
    if not any(b"sys.path" in content for name, content in files.items() if name.endswith(".py")):
        return set()
    return {part.removesuffix(".py") for name in files if name.endswith(".py") for part in name.split(os.sep)}


def _dynamic(name: str, content: bytes, siblings: set[str]) -> Iterator[str]:
    """Siblings that are imported by their name as a text, which stays as it is."""
    tree = ast.parse(content)
    written = {
        each.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names
    } | {
        (node.module or "").partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }  # fmt: skip
    texts = {
        node.value.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    code = compile(content, name, "exec", dont_inherit=True)
    if {"__import__", "import_module"} & set(named(code)):
        for each in sorted((texts & siblings) - written - {os.path.splitext(os.path.basename(name))[0]}):
            yield f'{name}: imports "{each}" by its name at run time; in a package it has another: look at that line'


def _dependencies(wanted: set[str]) -> tuple[list[str], list[str]]:
    """The distributions that bring modules, and the modules that none brings."""
    from importlib_metadata import packages_distributions

    owners = packages_distributions() if wanted else {}
    known = sorted({owners[name][0] for name in wanted if owners.get(name)}, key=str.lower)
    return known, sorted(name for name in wanted if not owners.get(name))


def _pyproject(dist: str, package: str, version: str, label: str, stem: str, dependencies: list[str]) -> str:
    listed = "".join(f"    {literal(each)},\n" for each in dependencies)
    return f"""[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = {literal(dist)}
version = {literal(version)}
description = {literal(f"{_one_line(label)}: a scheduler for PDG")}
readme = "README.md"
requires-python = ">=3.11"
# Not Topcook itself: it brings a package "pdg", which must never be installed into Houdini's Python.
dependencies = [{chr(10) + listed if listed else ""}]

# What makes the type known: Topcook calls registerTypes of every package that stands in this group.
[project.entry-points."{ENTRY_POINT_GROUP}"]
{stem if re.fullmatch(r"[A-Za-z0-9_-]+", stem) else package} = {literal(package)}

[tool.hatch.build.targets.wheel]
packages = [{literal(package)}]
"""


def _readme(dist: str, label: str, types: list[tuple[str, str]]) -> str:
    rows = "".join(f"- `{name}` ({_one_line(shown)})\n" for name, shown in types)
    first = types[0][0] if types else ""
    return f"""# {dist}

{_one_line(label)} for PDG, as a distribution that pip installs. It brings:

{rows}
    pip install .
    topcook list

In a network: `scheduler = "{first}"`; for once: `topcook cook network.toml --scheduler {first}`.

To change it: `pip install -e .`, and `topcook check {dist}` after each change. `python -m pytest` runs the test,
`python -m build` makes the wheel.
"""


def _test(dist: str, types: list[tuple[str, str]]) -> str:
    return f'''"""The distribution, installed: its types are found, and they are right."""

from __future__ import annotations

import json
import subprocess
import sys

TYPES = {literal([name for name, _ in types], 0, 8)}


def topcook(*words):
    """What topcook prints; fails with what it says when it does."""
    command = [sys.executable, "-m", "topcook", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_type_is_in_the_menu():
    listed = json.loads(topcook("list", "--json"))
    brought = [
        entry["name"]
        for entry in [*listed["schedulers"], *listed["nodes"]]
        if entry["origin"]["distribution"] == {literal(dist)} and entry["state"] == "ok"
    ]
    assert set(TYPES) <= set(brought)


def test_nothing_is_wrong_with_it():
    topcook("check", {literal(dist)})
'''
