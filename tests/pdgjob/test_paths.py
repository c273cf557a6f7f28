"""Paths between a farm machine and the cook's records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pdgjob import pdgcmd


@pytest.mark.parametrize(
    ("path", "delocalized"),
    [
        ("/show/shot1/a.png", "__PDG_DIR__/a.png"),
        ("/show/shot1", "__PDG_DIR__"),
        ("/show/shot10/a.png", "/show/shot10/a.png"),
        ("/other/show/shot1/a.png", "/other/show/shot1/a.png"),
        ("a.png", "a.png"),
    ],
)
def test_the_working_directory_becomes_a_token(path: str, delocalized: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDG_DIR", "/show/shot1/")
    monkeypatch.setenv("PDG_PATHMAP_ZONE", "LINUX")
    assert pdgcmd.delocalizePath(path) == delocalized
    monkeypatch.setenv("PDG_DELOCALIZE", "0")
    assert pdgcmd.delocalizePath(path) == path


@pytest.mark.parametrize("path", ["P:/Show/a.png", "P:\\show\\a.png", "p:/show/a.png"])
def test_on_windows_case_and_slashes_do_not_matter(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDG_DIR", "P:\\show")
    monkeypatch.setenv("PDG_PATHMAP_ZONE", "WIN")
    assert pdgcmd.delocalizePath(path) == "__PDG_DIR__/a.png"


def test_tokens_and_variables_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PDG_DIR", "/d"), ("PDG_TEMP", "/t"), ("PDG_SCRIPTDIR", "/s"), ("MINE", "m")):
        monkeypatch.setenv(name, value)
    assert pdgcmd.localizePath("__PDG_DIR__/__PDG_TEMP__/$MINE/__PDG_SCRIPTDIR__") == "/d//t/m//s"
    assert pdgcmd.localizePath("__PDG_HFS__/$NOT_THERE_AT_ALL") == "__PDG_HFS__/$NOT_THERE_AT_ALL"


@pytest.mark.parametrize(
    ("rule", "zone", "path", "mapped"),
    [
        ({"zone": "LINUX", "path": "/mnt/p"}, "LINUX", "P:/a", "/mnt/p/a"),
        ({"zone": "WIN", "path": "/mnt/p"}, "LINUX", "P:/a", "P:/a"),
        ({"zone": "*", "path": "/mnt/p"}, "RENDER", "P:/a", "/mnt/p/a"),
        ({"path": "/mnt/p"}, "MAC", "P:/a", "/mnt/p/a"),
        ({"zone": "POSIX", "path": "/mnt/p"}, "MAC", "P:/a", "/mnt/p/a"),
        ({"zone": "POSIX", "path": "/mnt/p"}, "WIN", "P:/a", "P:/a"),
        ({"zone": "*", "path": "/q", "matchtype": "contains"}, "MAC", "/x/P:/a", "/x//q/a"),
        ({"zone": "*", "path": ".sc", "matchtype": "Suffix"}, "MAC", "/x/P:", "/x/.sc"),
        ({"zone": "*", "path": "/q"}, "MAC", "/x/P:/a", "/x/P:/a"),
    ],
)
def test_a_path_map_applies_where_its_zone_and_match_say(
    rule: object, zone: str, path: str, mapped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDG_PATHMAP", json.dumps({"paths": [{"P:": rule}, {"/mnt": {"zone": "*", "path": "/never"}}]}))
    monkeypatch.setenv("PDG_PATHMAP_ZONE", zone)
    assert pdgcmd.localizePath(path) == mapped


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null"])
def test_a_path_map_that_is_none_changes_nothing(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDG_PATHMAP", text)
    assert pdgcmd.localizePath("/a") == "/a"


def test_directories_are_made_once(tmp_path: Path) -> None:
    for _ in range(2):
        pdgcmd.makeDirSafe(str(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b").is_dir()
    pdgcmd.makeDirSafe("")
