"""The same place under different names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.contract.pathmap import PathMap, PathRule, local_zone
from topcook.contract.scheduler import PyScheduler
from topcook.errors import CookError
from topcook.testkit import FakeHost


@pytest.mark.parametrize(
    ("rule", "path", "mapped"),
    [
        (("/show/shot1", "/mnt/s1"), "/show/shot1/a.exr", "/mnt/s1/a.exr"),
        (("/show/shot1/", "/mnt/s1/"), "/show/shot1/a.exr", "/mnt/s1/a.exr"),
        (("/show/shot1", "/mnt/s1"), "/show/shot1", "/mnt/s1"),
        (("/show/shot1", "/mnt/s1"), "/show/shot10/a", "/show/shot10/a"),
        (("P:/show", "/mnt/show"), "p:\\Show\\Tex\\a.exr", "/mnt/show/Tex/a.exr"),
        (("P:\\", "/mnt/p"), "P:\\a\\b", "/mnt/p/a/b"),
        (("\\\\server\\share", "/mnt/share"), "//SERVER/share/x", "/mnt/share/x"),
        (("//server/share", "/mnt/share"), "\\\\server\\share\\x", "/mnt/share/x"),
        (("/mnt/share", "\\\\server\\share"), "/mnt/share/x/y", "\\\\server\\share\\x\\y"),
        (("/mnt/p", "P:/"), "/mnt/p/x", "P:/x"),
        (("/Show", "/x"), "/show/a", "/show/a"),
        (("/", "/top"), "/a", "/top/a"),
        (("", "/x"), "/a", "/a"),
    ],
)
def test_a_prefix_is_replaced_where_a_name_ends(rule: tuple[str, str], path: str, mapped: str) -> None:
    assert PathMap([PathRule(*rule)]).mapPath(path) == mapped


def test_other_matches_and_the_first_rule_that_fits() -> None:
    rules = PathMap(
        [
            PathRule("v001", "v002", match="contains"),
            PathRule(".exr", ".png", match="suffix"),
            PathRule("/a", "/never", match="prefix"),
        ]
    )
    assert rules.mapPath("/a/v001/x.exr") == "/a/v002/x.exr"
    assert rules.mapPath("/a/x.exr") == "/a/x.png"
    found = rules.rule_for("/a/x")
    assert found is not None
    assert found.to_path == "/never"


def test_rules_hold_in_their_zone() -> None:
    rules = PathMap(
        [
            PathRule("/p", "P:", zone="WIN"),
            PathRule("/p", "/Volumes/p", zone="MAC"),
            PathRule("/p", "/any", zone="POSIX"),
        ],
        zone="MAC",
    )
    assert (rules.mapPath("/p/x"), rules.mapPath("/p/x", "LINUX"), rules.mapPath("/p/x", "WIN")) == (
        "/Volumes/p/x",
        "/any/x",
        "P:/x",
    )
    rules.setMappingZone("FARM")
    assert (rules.mappingZone, rules.mapPath("/p/x")) == ("FARM", "/any/x")
    assert rules.mapPathToLocal("/p/x") == rules.mapPath("/p/x", local_zone())


def test_jobs_get_the_rules_of_their_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDG_PATHMAP_ZONE", "LINUX")
    host = FakeHost()
    row = {"zone": "*", "match": "prefix"}
    host.graph.network.path_maps = [
        {"from_path": "/p", "to_path": "/mine", "scheduler": "scheduler", **row},
        {"from_path": "/p", "to_path": "/other", "scheduler": "elsewhere", **row},
    ]
    made = host.make(PyScheduler)
    env: dict[str, str] = {}
    made.resolvePathMapping(env)
    again = PathMap()
    again.setPathMapJSON(env["PDG_PATHMAP"])
    assert again.mappings == [PathRule("/p", "/mine")]
    assert made.localizePath("/p/x") == "/mine/x"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"paths": [1]}',
        '{"paths": [{"/a": {}}]}',
        '{"paths": [{"/a": {"path": "/b", "matchtype": "regex"}}]}',
    ],
)
def test_what_is_no_path_map_is_refused_and_the_old_one_stays(text: str) -> None:
    rules = PathMap([PathRule("/a", "/b")])
    with pytest.raises(CookError, match="path map"):
        rules.setPathMapJSON(text)
    assert rules.mappings == [PathRule("/a", "/b")]


@given(st.text(), st.text(min_size=1), st.text(), st.sampled_from(["prefix", "contains", "suffix"]))
def test_any_rule_on_any_path_gives_a_path(path: str, source: str, target: str, match: str) -> None:
    assert isinstance(PathMap([PathRule(source, target, match=match)]).mapPath(path), str)
