"""Who may import whom: the layers as one dictionary, held against every import in the tree, lazy ones included."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "registry"

# A layer may import itself and what stands here. Longest name wins: topcook.runtime.api has no row, so topcook.runtime's
# speaks for it; a new package without a row is refused.
LAYERS: dict[str, tuple[str, ...]] = {
    "topcook.lean": (),
    "topcook.errors": (),
    "topcook.model": ("topcook.errors",),
    "topcook.contract": ("topcook.errors", "topcook.model"),
    "topcook.config": ("topcook.errors", "topcook.model"),
    "topcook.scaffold": ("topcook.errors", "topcook.model", "topcook.contract", "topcook.factory"),
    "topcook.machine": ("topcook.errors", "topcook.model"),
    "topcook.factory": ("topcook.errors", "topcook.model", "topcook.config", "topcook.contract"),
    "topcook.runtime": (
        "topcook.errors",
        "topcook.model",
        "topcook.config",
        "topcook.contract",
        "topcook.machine",
        "topcook.factory",
    ),
    "topcook.testkit": (
        "topcook.errors",
        "topcook.model",
        "topcook.config",
        "topcook.contract",
        "topcook.machine",
        "topcook.factory",
        "topcook.runtime",
    ),
    "topcook.cli": (
        "topcook.errors",
        "topcook.model",
        "topcook.config",
        "topcook.contract",
        "topcook.machine",
        "topcook.factory",
        "topcook.runtime",
        "topcook.scaffold",
        "topcook.testkit",
    ),
    "topcook.author": ("topcook.errors", "topcook.model", "topcook.contract"),
    "topcook": (),
    "pdg": (
        "topcook.errors",
        "topcook.model",
        "topcook.contract",
        "topcook.factory.typeregistry",
        "topcook.runtime.api",
    ),
    "pdgjob": (),
    # The job's modules under the names that scheduler files import.
    "pdgcmd": ("pdgjob",),
    "pdgjson": ("pdgjob",),
    # Houdini's names for what Topcook does without.
    "pdgd": ("topcook.errors",),
    "pdgutils": ("topcook.contract",),
}
# How classes are made: below all of topcook.
BELOW_ALL = "topcook.lean"
# What decides has no clock, thread, socket, disk or logger.
IMPURE = frozenset(
    {"asyncio", "io", "logging", "os", "pathlib", "socket", "sqlite3", "subprocess", "threading", "time"}
)
# The façade's runtime stays unloaded until an attribute asks for it: the probe stays light.
LAZY_IN_FACADE = "topcook.runtime"
# Types files see what a user's file sees; a plugin also its own package and its farm's client.
TYPES_MAY_IMPORT = ("pdg", "topcook.author")


@dataclass(frozen=True)
class Import:
    """One name that one line imports; ``lazy`` inside a function or under TYPE_CHECKING."""

    path: Path
    line: int
    name: str
    lazy: bool

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: imports {self.name}"


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def module_name(path: Path, source: Path) -> str:
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, module: str = "") -> Iterator[Import]:
    """Every import of a file; a relative one is resolved against ``module``."""
    tree = ast.parse(path.read_bytes(), str(path))
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    lazy_lines = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [node.module])])
            # `from topcook import errors` imports a layer by its last word.
            names = [f"{base}.{alias.name}" if base in {"topcook", "topcook.runtime"} else base for alias in node.names]
        for name in dict.fromkeys(names):
            yield Import(path, node.lineno, name, node.lineno in lazy_lines)


def layer_of(module: str) -> str | None:
    rows = [row for row in LAYERS if row != "topcook" and is_within(module, row)]
    if rows:
        return max(rows, key=len)
    return "topcook" if module in {"topcook", "topcook.__main__", "topcook.__version__"} else None


def source_files() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if "__pycache__" not in path.parts)


def breaches(path: Path) -> Iterator[str]:
    module = module_name(path, SOURCE)
    layer = layer_of(module)
    if layer is None:
        yield f"{path.relative_to(ROOT)}: {module} has no row in LAYERS"
        return
    for found in imports_of(path, module):
        top = found.name.partition(".")[0]
        if top in {"pdg", "pdgjob"} and top != layer and top not in LAYERS[layer]:
            yield f"{found}: nothing in {layer} may know the façade or the job's side"
        elif top == "topcook" and found.name != "topcook.__version__":
            allowed = (layer, BELOW_ALL, *LAYERS[layer])
            if layer == "topcook" and module == "topcook.__main__":
                allowed = ("topcook.cli",)
            if not any(is_within(found.name, row) for row in allowed):
                yield f"{found}: {layer} may import only {', '.join(allowed)}"
        if layer == "pdg" and is_within(found.name, LAZY_IN_FACADE) and not found.lazy:
            yield f"{found}: the façade imports runtime on attribute access only"
        if layer == "topcook.machine" and top in IMPURE:
            yield f"{found}: the machine decides, it has no {top}"
        if layer == "pdgjob" and top not in {*sys.stdlib_module_names, "pdgjob"}:
            yield f"{found}: a job has the standard library only"


def test_every_import_keeps_to_the_layers() -> None:
    found = [line for path in source_files() for line in breaches(path)]
    assert not found, "\n".join(["the layers are broken:", *found])


def test_every_layer_row_names_only_rows() -> None:
    lower = [name for row in LAYERS.values() for name in row]
    assert not [name for name in lower if layer_of(name) is None]


def test_types_files_import_only_what_a_user_may() -> None:
    folder = ROOT / "pdg_types"
    siblings = {path.stem for path in folder.rglob("*.py")}
    allowed = {*sys.stdlib_module_names, *siblings}
    found = [
        f"{name}: a built-in type sees what a user's file sees: {', '.join(TYPES_MAY_IMPORT)}"
        for path in sorted(folder.rglob("*.py"))
        for name in imports_of(path)
        if name.name.partition(".")[0] not in allowed and not any(is_within(name.name, row) for row in TYPES_MAY_IMPORT)
    ]
    assert not found, "\n".join(found)


def test_plugins_import_only_the_public_side_of_topcook() -> None:
    found = [
        f"{name}: a plugin sees {', '.join(TYPES_MAY_IMPORT)}; its tests also topcook.testkit"
        for path in sorted((ROOT / "plugins").rglob("*.py"))
        for name in imports_of(path)
        if is_within(name.name, "topcook")
        and not is_within(name.name, "topcook.author")
        and not ("tests" in path.parts and is_within(name.name, "topcook.testkit"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "text", "said"),
    [
        ("topcook.model.item", "from topcook import contract", "topcook.model may import only"),
        ("topcook.machine.state", "def f():\n    import time", "has no time"),
        ("topcook.factory.probe", "import pdg.types", "may know the façade"),
        ("topcook.cli.cook", "from ..runtime import loop\nimport pdg", "may know the façade"),
        ("topcook.surprise", "", "has no row"),
        ("pdg.graph", "from topcook.runtime.api import GraphContext", "on attribute access only"),
        ("pdgjob.pdgcmd", "import requests", "standard library only"),
    ],
)
def test_the_check_sees_a_breach(
    module: str, text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path.joinpath(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    monkeypatch.setitem(globals(), "SOURCE", tmp_path)
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    found = list(breaches(path))
    assert len(found) == 1
    assert said in found[0]
