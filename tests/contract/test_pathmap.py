"""The same place under different names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pdgjob import _pathmap as jobs_side
from topcook.contract.pathmap import MATCHES, PathMap, PathRule, PathRules
from topcook.contract.scheduler import PyScheduler
from topcook.errors import CookError
from topcook.model.enums import PathMapMatchType
from topcook.testkit import FakeHost


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Linux machine without a path map; what a test puts there goes with it."""
    for name, value in (("PDG_PATHMAP", ""), ("PDG_PATHMAP_ZONE", "LINUX")):
        monkeypatch.setenv(name, value)
    return


def mapped(rule: PathRule, path: str, zone: str = "LINUX") -> str:
    return PathRules([rule]).mapped(path, zone)


PREFIXES = [
    (("/show/shot1", "/mnt/s1"), "/show/shot1/a.exr", "/mnt/s1/a.exr"),
    (("/show/shot1/", "/mnt/s1/"), "/show/shot1/a.exr", "/mnt/s1/a.exr"),
    (("/show/shot1", "/mnt/s1"), "/show/shot1", "/mnt/s1"),
    (("/show/shot1", "/mnt/s1"), "/show/shot10/a", "/show/shot10/a"),
    (("/show/shot1", "/mnt/s1"), "/other/show/shot1/a", "/other/show/shot1/a"),
    (("P:/show", "/mnt/show"), "p:\\Show\\Tex\\A.exr", "/mnt/show/Tex/A.exr"),
    (("P:/show", "/mnt/show"), "P:/show10/x", "P:/show10/x"),
    (("P:\\", "/mnt/p"), "P:\\a\\b", "/mnt/p/a/b"),
    (("P:", "/mnt/p"), "p:/a", "/mnt/p/a"),
    (("\\\\server\\share", "/mnt/share"), "//SERVER/share/x", "/mnt/share/x"),
    (("//server/share", "/mnt/share"), "\\\\server\\share\\x", "/mnt/share/x"),
    (("//server/share", "/mnt/share"), "//server/share2/x", "//server/share2/x"),
    (("//server/größe", "/mnt/g"), "\\\\SERVER\\GRÖßE\\x", "/mnt/g/x"),
    (("//server/share", "P:/"), "\\\\server\\share\\x", "P:/x"),
    (("/mnt/share", "\\\\server\\share"), "/mnt/share/x/y", "\\\\server\\share\\x\\y"),
    (("/mnt/p", "P:/"), "/mnt/p/x", "P:/x"),
    (("/mnt/p", "P:/"), "/mnt/p", "P:/"),
    (("/mnt/p", "P:\\"), "/mnt/p/x/y", "P:\\x\\y"),
    (("/Show", "/x"), "/show/a", "/show/a"),
    (("/show", "/x"), "/show/back\\slash", "/x/back\\slash"),
    (("/show", "/"), "/show/a", "/a"),
    (("/", "/top"), "/a", "/top/a"),
    (("", "/x"), "/a", "/a"),
    (("/", "/x"), "", ""),
]


@pytest.mark.parametrize(("rule", "path", "expected"), PREFIXES)
def test_a_prefix_is_replaced_where_a_name_ends(rule: tuple[str, str], path: str, expected: str) -> None:
    assert mapped(PathRule(*rule), path) == expected


@pytest.mark.parametrize(("rule", "path", "expected"), PREFIXES)
def test_a_job_maps_prefixes_as_the_cook_does(
    rule: tuple[str, str], path: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDG_PATHMAP", PathRules([PathRule(*rule)]).to_json())
    assert jobs_side.mapped(path) == expected


@pytest.mark.parametrize(
    ("match", "source", "path", "expected"),
    [
        ("prefix", "/mnt/Show", "\\MNT\\show\\Tex", "P:/Tex"),
        ("contains", "projects/old", "//nas/Projects\\Old/x", "//nas/P:/x"),
        ("suffix", ".EXR", "/a/b.exr", "/a/bP:"),
    ],
)
def test_in_the_zone_of_windows_neither_case_nor_kind_of_slash_matters(
    match: str, source: str, path: str, expected: str
) -> None:
    rule = PathRule(source, "P:", match=match)
    assert mapped(rule, path, "WIN") == expected
    assert mapped(rule, path, "LINUX") == path


def test_other_matches_and_the_first_rule_that_fits() -> None:
    rules = PathRules(
        [
            PathRule("v001", "v002", match="contains"),
            PathRule(".exr", ".png", match="suffix"),
            PathRule("/a", "/never", match="prefix"),
        ]
    )
    assert rules.mapped("/a/v001/x.exr", "LINUX") == "/a/v002/x.exr"
    assert rules.mapped("/a/x.exr", "LINUX") == "/a/x.png"
    found = rules.rule_for("/a/x", "LINUX")
    assert found is not None
    assert found.to_path == "/never"


def test_rules_hold_in_their_zone() -> None:
    rules = PathRules(
        [
            PathRule("/p", "P:", zone="WIN"),
            PathRule("/p", "/Volumes/p", zone="mac"),
            PathRule("/p", "/cloud", zone="AwsLinux"),
            PathRule("/p", "/any", zone="POSIX"),
        ]
    )
    zones = ("MAC", "LINUX", "WIN", "awslinux", "FARM")
    assert [rules.mapped("/p/x", zone) for zone in zones] == ["/Volumes/p/x", "/any/x", "P:/x", "/cloud/x", "/any/x"]


def test_the_map_of_the_process_is_edited_as_in_houdini() -> None:
    with PathMap.edit() as draft:
        draft.addPathMapping("LINUX", "P:/show", "/mnt/show")
        draft.addPathMapping("*", "/scratch", "/tmp", createdBy="farm")
        draft.addPathMapping("WIN", ".exr", ".png", matchType=PathMapMatchType.Suffix)
        assert PathMap.mapPathToLocal("P:/show/a") == "P:/show/a"  # nothing counts before the end
    assert PathMap.mapPathToLocal("P:/show/a") == "/mnt/show/a"
    assert PathMap.mapPath("/a.exr", "WIN") == "/a.png"
    assert [rule.mapFrom for rule in PathMap.mappings()] == ["P:/show", "/scratch", ".exr"]
    assert [rule.mapTo for rule in PathMap.mappings("WIN")] == ["/tmp", ".png"]
    assert [rule.matchType.name for rule in PathMap.mappings("WIN", "other")] == ["Suffix"]
    with PathMap.edit() as draft:
        draft.clearSchedulerMappings("farm")
    assert [rule.zone for rule in PathMap.mappings()] == ["LINUX", "WIN"]
    with pytest.raises(ValueError, match="no match"), PathMap.edit() as draft:
        draft.addPathMapping("*", "/a", "/b", matchType="no match")
    assert len(PathMap.mappings()) == 2
    with PathMap.edit() as draft:
        draft.clearAllMappings()
    assert json.loads(os.environ["PDG_PATHMAP"]) == {"paths": []}


def test_the_map_of_the_process_goes_by_its_zone_and_takes_json() -> None:
    PathMap.setPathMapJSON('{"paths": [{"/p": {"zone": "FARM", "path": "/f"}}]}')
    PathMap.setPathMapJSON('{"paths": [{"/p": {"path": "/any", "matchtype": 1}}]}', merge=True)
    assert PathMap.mapPathToLocal("/p/x") == "/any/x"
    PathMap.setMappingZone("FARM")
    assert (PathMap.mappingZone(), PathMap.mapPathToLocal("/p/x")) == ("FARM", "/f/x")
    assert PathRules.from_json(PathMap.pathMapJSON()).rules == PathMap.mappings()


def network_with_maps(**parms: object) -> tuple[FakeHost, PyScheduler]:
    host = FakeHost(**parms)
    row = {"zone": "*", "match": "prefix"}
    host.graph.network.path_maps = [
        {"from_path": "/p", "to_path": "/other", "scheduler": "elsewhere", **row},
        {"from_path": "/p", "to_path": "/mine", "scheduler": "scheduler", **row},
    ]
    return host, host.make(PyScheduler)


def test_jobs_get_the_rules_of_their_scheduler_and_then_those_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDG_PATHMAP", '{"paths": [{"/p": {"path": "/late"}}, {"/q": {"path": "/studio"}}]}')
    _, made = network_with_maps()
    env = {"PDG_PATHMAP": "what was inherited"}
    made.resolvePathMapping(env)
    rules = PathRules.from_json(env["PDG_PATHMAP"])
    assert [rule.to_path for rule in rules.rules] == ["/mine", "/late", "/studio"]
    assert "PDG_PATHMAP_ZONE" not in env
    assert (made.localizePath("/p/x"), made.localizePath("/q/x")) == ("/mine/x", "/studio/x")


def test_a_scheduler_may_name_the_zone_of_its_jobs_or_leave_them_without_a_map() -> None:
    _, made = network_with_maps(pdg_usemapzone=1, pdg_mapzone="WIN")
    env: dict[str, str] = {}
    made.resolvePathMapping(env)
    assert env["PDG_PATHMAP_ZONE"] == "WIN"
    _, made = network_with_maps(pdg_mapmode=1)
    env = {"PDG_PATHMAP": "what was inherited"}
    made.resolvePathMapping(env)
    assert env == {}


@pytest.mark.parametrize(
    ("remote", "path", "local"),
    [
        ("/farm/show", "/farm/show/a", "/here/a"),
        ("/farm/show", "/farm/show2/a", "/farm/show2/a"),
        ("P:/show", "p:\\Show\\a\\b", "/here/a/b"),
        ("\\\\server\\show", "//Server/show/a", "/here/a"),
    ],
)
def test_the_farms_view_of_the_working_directory_is_brought_over(remote: str, path: str, local: str) -> None:
    host = FakeHost()
    host.directories.working = ("/here", remote)
    made = host.make(PyScheduler)
    assert made.localizePath(path) == local
    token = "__PDG_DIR__" + local.removeprefix("/here") if local != path else path
    assert made.delocalizePath(path) == token


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"paths": [1]}',
        '{"paths": [{"/a": {}}]}',
        '{"paths": [{"/a": {"path": "/b", "matchtype": "regex"}}]}',
        '{"paths": [{"/a": {"path": "/b", "matchtype": 9}}]}',
    ],
)
def test_what_is_no_path_map_is_refused_and_the_old_one_stays(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PathMap.setPathMapJSON('{"paths": [{"/a": {"path": "/b"}}]}')
    with pytest.raises(CookError, match="path map"):
        PathMap.setPathMapJSON(text)
    assert PathMap.mappings() == [PathRule("/a", "/b")]
    monkeypatch.setenv("PDG_PATHMAP", text)
    assert PathMap.mappings() == []


paths = st.text("aAbB:/\\.ßİ$ ")


@given(paths, paths, paths, st.sampled_from(MATCHES), st.sampled_from(["WIN", "LINUX", "FARM"]))
def test_cook_and_job_apply_any_rule_to_any_path_alike(
    path: str, source: str, target: str, match: str, zone: str
) -> None:
    rules = PathRules([PathRule(source, target, match=match)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PDG_PATHMAP", rules.to_json())
        patch.setenv("PDG_PATHMAP_ZONE", zone)
        assert rules.mapped(path, zone) == jobs_side.mapped(path) == PathMap.mapPathToLocal(path)


@pytest.mark.parametrize(
    ("command", "there"),
    [
        ("cp /here/a /here/b", "cp /farm/show/a /farm/show/b"),
        ("cd /here", "cd /farm/show"),
        ('"/here/my file" --out=/here/x', '"/farm/show/my file" --out=/farm/show/x'),
        ("a;/here/x|/here/y", "a;/farm/show/x|/farm/show/y"),
        ("/heretic /here2/x /not/here/x", "/heretic /here2/x /not/here/x"),
        ("file:///here/x", "file:///here/x"),
        ("/farm/show/a", "/farm/show/a"),
        ("", ""),
    ],
)
def test_a_command_has_the_farms_names_of_what_lies_in_the_working_directory(command: str, there: str) -> None:
    host = FakeHost()
    host.directories.working = ("/here", "/farm/show")
    assert host.make(PyScheduler).expandCommandTokens(command) == there


@pytest.mark.parametrize("remote", ["/here", "/here/farm"])
def test_a_directory_that_farms_see_within_ours_is_not_looked_for_in_commands(remote: str) -> None:
    host = FakeHost()
    host.directories.working = ("/here", remote)
    made = host.make(PyScheduler)
    assert made.expandCommandTokens("cp __PDG_DIR__/a /here/b") == f"cp {remote}/a /here/b"
    env: dict[str, str] = {"HIP": "/here/net"}
    made.resolvePathMapping(env)
    assert env == {"HIP": "/here/net"}


def test_jobs_get_the_rule_from_our_view_to_theirs_and_hip_by_it() -> None:
    host, made = network_with_maps()
    host.directories.working = ("/here", "//nas/show")
    env = {"HIP": "/here/net"}
    made.resolvePathMapping(env)
    assert env["HIP"] == "//nas/show/net"
    rules = PathRules.from_json(env["PDG_PATHMAP"]).rules
    assert [(rule.from_path, rule.to_path) for rule in rules] == [("/here", "//nas/show"), ("/p", "/mine")]


@given(st.text(max_size=60))
def test_a_command_that_names_nothing_of_ours_stays_as_it_is(command: str) -> None:
    assume("/here" not in command and "__PDG_" not in command)
    host = FakeHost()
    host.directories.working = ("/here", "/farm/show")
    assert host.make(PyScheduler).expandCommandTokens(command) == command
