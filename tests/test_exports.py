"""Every package says what is public, means it, and keeps it short."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "registry"
MOST_NAMES = 20
# Packages that may export more, each with its reason; those in them may not.
MORE_NAMES = {
    "pdg": "the names are Houdini's",
    "topcook.author": "the one public API of plugin authors; they write one import line",
}
PACKAGES = sorted(
    ".".join(path.parent.relative_to(SOURCE).parts) for path in SOURCE.rglob("__init__.py") if path.parent != SOURCE
)


@pytest.mark.parametrize("package", PACKAGES)
def test_package_exports_what_it_says(package: str) -> None:
    module = importlib.import_module(package)
    names = getattr(module, "__all__", None)
    if names is None:
        body = ast.parse(Path(str(module.__file__)).read_bytes()).body
        assert not [
            node
            for node in body
            if not (isinstance(node, ast.Expr) or (isinstance(node, ast.ImportFrom) and node.module == "__future__"))
        ], f"{package} has contents but no __all__"
        return
    assert len(names) == len(set(names)), f"{package}.__all__ repeats names"
    missing = [name for name in names if not hasattr(module, name)]
    assert not missing, f"{package}.__all__ promises {missing}"
    if package not in MORE_NAMES:
        assert len(names) <= MOST_NAMES, f"{package} exports {len(names)} names, more than {MOST_NAMES}"


@pytest.mark.parametrize("package", ["pdg", "pdgjob", "topcook"])
def test_package_says_that_it_is_typed(package: str) -> None:
    assert (SOURCE / package / "py.typed").is_file()
