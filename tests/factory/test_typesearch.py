"""Looking for files on the types path as PDG's type registry does, on the class and on an instance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import pdg
from topcook.factory import Factory

Drop = Callable[..., Path]
Scan = Callable[..., Factory]


@pytest.fixture
def factory(drop: Drop, scan: Scan) -> Factory:
    drop("a.py", folder="one")
    drop("pack/__init__.py", folder="one")
    drop("icons/farm.svg", "<svg/>", folder="one")
    drop("a.py", folder="two", name="other")
    drop("helper.py", "X = 1\n", folder="two")
    drop("icons/farm.svg", "<svg/>", folder="two")
    drop("icons/dask.svg", "<svg/>", folder="two")
    return scan("one", "two")


def test_the_search_path_is_the_types_path_with_the_built_ins_last(factory: Factory, tmp_path: Path) -> None:
    assert factory.registry.searchPath()[:2] == [str(tmp_path / "one"), str(tmp_path / "two")]
    assert len(factory.registry.searchPath()) == 3


def test_a_file_is_found_by_name_in_the_first_entry_that_has_it(factory: Factory, tmp_path: Path) -> None:
    registry = factory.registry
    assert registry.findFile("a.py") == str(tmp_path / "one" / "a.py")
    assert registry.findFile("icons/dask.svg") == str(tmp_path / "two" / "icons" / "dask.svg")
    assert registry.findFile("nowhere.py") is None
    assert registry.findFile("icons") is None


def test_files_are_globbed_by_extension_each_name_once(factory: Factory, tmp_path: Path) -> None:
    registry = factory.registry
    assert registry.globFiles("svg", "icons") == ["farm.svg", "dask.svg"]
    assert registry.globFiles(".svg", "icons", True) == [
        str(tmp_path / "one/icons/farm.svg"),
        str(tmp_path / "two/icons/dask.svg"),
    ]
    assert registry.globFiles("svg", "nowhere") == []


def test_modules_are_globbed_with_helpers_and_packages(factory: Factory, tmp_path: Path) -> None:
    registry = factory.registry
    assert registry.globPythonModules()[:3] == ["a", "pack", "helper"]
    assert registry.globPythonModules(unique=False)[:4] == ["a", "pack", "a", "helper"]
    assert registry.globPythonModules(False, True)[1:3] == [str(tmp_path / "one/pack"), str(tmp_path / "two/a.py")]


def test_houdinis_list_of_modules_to_skip_is_told(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUDINI_PDG_TYPE_SKIPLIST", "old;older:oldest, old")
    assert factory.registry.moduleSkipList() == ["old", "older", "oldest"]


def test_they_can_be_called_on_the_class_as_in_houdini(factory: Factory) -> None:
    with factory.current():
        assert pdg.TypeRegistry.searchPath() == factory.registry.searchPath()
        assert pdg.TypeRegistry.findFile("a.py") == factory.registry.findFile("a.py")
        assert pdg.TypeRegistry.globPythonModules() == factory.registry.globPythonModules()
