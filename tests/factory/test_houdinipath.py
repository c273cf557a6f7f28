"""What Houdini users have already: HOUDINI_PATH, package files, the user folder of the newest version."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcook.factory.houdiniconditions import holds
from topcook.factory.houdinipath import houdini_places, split_path, user_folders
from topcook.factory.typespath import types_entries, types_path

Package = Callable[..., Path]


def places(environ: dict[str, str]) -> list[str]:
    return [directory for directory, _, _ in houdini_places(environ).directories]


def roots(environ: dict[str, str]) -> list[str]:
    return [each.removesuffix(os.sep + os.path.join("pdg", "types")) for each in places(environ)]


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """Writes a package file into the user folder ``pref``."""

    def write(name: str, content: object, folder: str = "pref/packages") -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


def test_the_order_is_user_folder_path_packages_and_houdinis_pdg(tmp_path: Path, package: Package) -> None:
    package("tool.json", {"hpath": "/packaged"})
    environ = {
        "HOUDINI_USER_PREF_DIR": str(tmp_path / "pref"),
        "HOUDINI_PATH": "/studio/one:/studio/two",
        "HOUDINI_PDG_DIR": "/studio/pdg",
        "HOME": str(tmp_path),
        "PDG_TYPES_PATH": "/first",
    }
    found = types_entries(None, environ)
    assert [(each.path, each.named_by.split(" /")[0]) for each in found] == [
        ("/first", "PDG_TYPES_PATH"),
        (str(tmp_path / "pref" / "pdg" / "types"), "HOUDINI_USER_PREF_DIR"),
        ("/studio/one/pdg/types", "HOUDINI_PATH"),
        ("/studio/two/pdg/types", "HOUDINI_PATH"),
        ("/packaged/pdg/types", "Houdini package"),
        ("/studio/pdg/types", "HOUDINI_PDG_DIR"),
        (str(tmp_path / ".local/share/topcook/types"), "your own types directory"),
    ]


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("/a:/b;/c", ["/a", "/b", "/c"]),
        ("/a:&", ["/a", "&"]),
        ("&;C:/tools;D:\\more", ["&", "C:/tools", "D:\\more"]),
        ("C:/tools:D:/more", ["C:/tools", "D:/more"]),
        ("//server/share;/b", ["//server/share", "/b"]),
        ("/x/a:b", ["/x/a", "b"]),
        (" ;: ", []),
        ("", []),
    ],
)
def test_both_separators_count_and_drive_letters_survive(text: str, entries: list[str]) -> None:
    assert split_path(text) == entries


@given(st.text(alphabet="aC:/\\;&$~ {}é\0", max_size=30))
def test_no_path_list_is_too_odd(text: str) -> None:
    houdini_places({"HOUDINI_PATH": text, "HOUDINI_PDG_DIR": text, "HOUDINI_PACKAGE_DIR": text})
    assert not [each for each in split_path(text) if ";" in each or not each.strip()]


def test_the_newest_user_folder_is_found_by_number_wherever_a_platform_has_it(tmp_path: Path) -> None:
    for name in ("houdini9.5", "houdini20.0", "Library/Preferences/houdini/20.5", "Documents/houdini19.5", "houdini.x"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "houdini30.0").write_text("a file", encoding="utf-8")
    assert user_folders(str(tmp_path)) == [
        str(tmp_path / name)
        for name in ("Library/Preferences/houdini/20.5", "houdini20.0", "Documents/houdini19.5", "houdini9.5")
    ]
    assert roots({"HOME": str(tmp_path)}) == [str(tmp_path / "Library/Preferences/houdini/20.5")]
    assert roots({"HOME": str(tmp_path), "HFS": "/opt/hfs20.0.724"}) == [str(tmp_path / "houdini20.0")]
    assert roots({}) == []


def test_a_path_without_the_sign_for_the_default_leaves_the_user_folder_out(tmp_path: Path) -> None:
    (tmp_path / "houdini20.5").mkdir()
    home = {"HOME": str(tmp_path)}
    assert roots(home | {"HOUDINI_PATH": "/studio"}) == ["/studio"]
    assert roots(home | {"HOUDINI_PATH": "/studio;&"}) == ["/studio", str(tmp_path / "houdini20.5")]
    assert roots(home | {"HOUDINI_PATH": "&", "HSITE": "/site"}) == ["/site/houdini20.5", str(tmp_path / "houdini20.5")]


def test_the_version_in_the_name_of_the_user_folder_is_put_in(tmp_path: Path) -> None:
    for version in ("9.5", "20.5"):
        (tmp_path / f"prefs{version}").mkdir()
    environ = {"HOUDINI_USER_PREF_DIR": f"{tmp_path}/prefs__HVER__"}
    assert roots(environ) == [str(tmp_path / "prefs20.5")]
    assert roots(environ | {"HOUDINI_VERSION": "9.5.101"}) == [str(tmp_path / "prefs9.5")]


def test_what_ships_with_houdini_is_left_out_and_noted(tmp_path: Path) -> None:
    (tmp_path / "hfs" / "houdini").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "hfs")
    environ = {
        "HFS": str(tmp_path / "hfs"),
        "HOUDINI_PATH": f"/studio:$HFS/houdini:{tmp_path}/link/houdini",
        "HOUDINI_PDG_DIR": "$HFS/houdini/pdg",
    }
    assert roots(environ) == ["/studio"]
    assert {each.code for each in houdini_places(environ).notes} == {"houdini-own"}


def test_variables_and_the_home_directory_are_put_in_and_what_is_not_set_is_left_out(tmp_path: Path) -> None:
    environ = {"HOUDINI_PATH": "~/tools:$STUDIO/h:${STUDIO}x:$NOWHERE/h", "STUDIO": "/studio", "HOME": str(tmp_path)}
    assert roots(environ) == [str(tmp_path / "tools"), "/studio/h", "/studiox"]


PACKAGES = {
    "hpath": ({"hpath": "/a"}, ["/a"]),
    "several": ({"hpath": ["/a", "/b"]}, ["/a", "/b"]),
    "path": ({"path": "$TOOL", "env": [{"TOOL": "/a"}]}, ["/a"]),
    "braces": ({"path": "${TOOL}/x", "env": [{"TOOL": "/a"}]}, ["/a/x"]),
    "variable as a row": ({"path": "$TOOL", "env": [{"var": "TOOL", "value": "/a"}]}, ["/a"]),
    "where the file is": ({"hpath": "$HOUDINI_PACKAGE_PATH"}, ["PACKAGES"]),
    "env": ({"env": [{"HOUDINI_PATH": "/a;/b"}]}, ["/a", "/b"]),
    "appended": ({"hpath": "/a", "env": [{"HOUDINI_PATH": {"value": "/b", "method": "append"}}]}, ["/a", "/b"]),
    "list with methods": ({"env": [{"HOUDINI_PATH": [{"value": ["/a", "/b"], "method": "append"}]}]}, ["/a", "/b"]),
    "replaced": ({"env": [{"HOUDINI_PATH": "/a"}, {"HOUDINI_PATH": {"value": "/b", "method": "replace"}}]}, ["/b"]),
    "default kept": ({"env": [{"HOUDINI_PATH": "/a;&"}]}, ["/a"]),
    "disabled": ({"enable": False, "hpath": "/a"}, []),
    "version too new": ({"enable": "houdini_version >= '21'", "hpath": "/a"}, []),
    "version fits": ({"enable": "houdini_version >= '20.0' and houdini_version < '21'", "hpath": "/a"}, ["/a"]),
    "build of the version": ({"enable": "houdini_version == '20.5'", "hpath": "/a"}, ["/a"]),
    "conditional": ({"hpath": [{"houdini_version < '20'": "/old"}, {"houdini_version >= '20'": "/new"}]}, ["/new"]),
    "version in a path": ({"hpath": "/a/$HOUDINI_MAJOR_RELEASE.$HOUDINI_MINOR_RELEASE"}, ["/a/20.5"]),
    "not understood": ({"enable": "houdini_version ~~ 3", "hpath": "/a"}, ["/a"]),
    "of another system": ({"hpath": {"houdini_os == 'windows'": "C:/a", "houdini_os != 'windows'": "/a"}}, ["/a"]),
    "unset variable": ({"hpath": "$NOWHERE/a"}, []),
    "odd values": ({"hpath": [None, True, {"value": None}, [["/a"]], 3.5], "env": [3, {"X": {}}], "path": {}}, None),
    "env no list": ({"env": {"HOUDINI_PATH": "/a"}}, ["/a"]),
    "comments": ('// by hand\n{ "hpath": "/a", /* "http://x" */ }\n', ["/a"]),
    "addresses": ('{ "env": [{"X": "http://x//y"},], "hpath": "/a" }', ["/a"]),
    "byte order mark": ("\ufeff" + '{"hpath": "/a"}', ["/a"]),
}  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="the table has POSIX paths")
@pytest.mark.parametrize("trait", PACKAGES)
def test_package_files_say_what_they_say_to_houdini(tmp_path: Path, package: Package, trait: str) -> None:
    content, expected = PACKAGES[trait]
    package("tool.json", content)
    environ = {"HOUDINI_USER_PREF_DIR": str(tmp_path / "pref"), "HOUDINI_VERSION": "20.5.445"}
    found = houdini_places(environ)
    assert found.problems == []
    paths = [each.removesuffix("/pdg/types") for each, _, _ in found.directories][1:]
    assert expected is None or paths == [str(tmp_path / "pref/packages") if x == "PACKAGES" else x for x in expected]


def test_a_condition_on_an_unknown_version_leaves_nothing_out(tmp_path: Path, package: Package) -> None:
    package("tool.json", {"enable": "houdini_version >= '20.5'", "hpath": "/a"}, "elsewhere")
    assert roots({"HOUDINI_PACKAGE_DIR": str(tmp_path / "elsewhere")}) == ["/a"]


@pytest.mark.parametrize("content", ["{", "", "[]", "[" * 100_000, '{"hpath": \x00}', "{'a': 1}", "\udcff"])
def test_a_broken_package_is_a_problem_with_its_place_and_the_others_count(
    tmp_path: Path, package: Package, content: str
) -> None:
    path = package("broken.json", {})
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    package("good.json", {"hpath": "/good"})
    os.symlink("nowhere", path.parent / "link.json")
    (path.parent / "folder.json").mkdir()
    found = types_path(None, {"HOUDINI_USER_PREF_DIR": str(tmp_path / "pref")})
    assert "/good/pdg/types" in [each.path for each in found.entries]
    assert [each.path for each in found.problems if each.code == "package-broken"] == [
        str(path),
        str(path.parent / "folder.json"),
        str(path.parent / "link.json"),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="$A&/;:{}'=<>() ", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["value", "method", "var", "HOUDINI_PATH", "A", "houdini_os == 'linux'", "$A >="]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(["enable", "hpath", "path", "package_path", "env", "other"])


@settings(deadline=None)
@given(st.dictionaries(KEYS, JSON))
def test_no_content_of_a_package_is_fatal(tmp_path: Path, package: Package, content: dict[str, object]) -> None:
    package("odd.json", content)
    package("zz.json", {"env": [{"HOUDINI_PATH": {"value": "/good", "method": "append"}}]})
    found = places({"HOUDINI_USER_PREF_DIR": str(tmp_path / "pref"), "HOME": str(tmp_path)})
    assert "/good/pdg/types" in found
    assert all(os.path.isabs(each) for each in found)


def test_packages_lead_to_more_packages_and_a_circle_ends(tmp_path: Path, package: Package) -> None:
    package("a.json", {"package_path": [{"houdini_os != 'amiga'": str(tmp_path / "shared")}, "$NOWHERE"]})
    package("b.json", {"hpath": "/b", "package_path": str(tmp_path / "pref/packages")}, "shared")
    assert roots({"HOUDINI_PACKAGE_DIR": f"&;{tmp_path}/pref/packages"}) == ["/b"]


def test_a_package_that_everybody_may_write_does_not_vouch_for_what_it_names(tmp_path: Path, package: Package) -> None:
    path = package("a.json", {"hpath": "/a", "package_path": str(tmp_path / "shared")})
    package("b.json", {"hpath": "/b"}, "shared")
    environ = {"HOUDINI_PACKAGE_DIR": str(path.parent)}
    assert [each.named for each in types_entries(None, environ)] == [True, True]
    path.chmod(0o666)
    assert [each.named for each in types_entries(None, environ)] == [False, False]


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ("houdini_os == 'linux'", True),
        ("houdini_os=='linux' and not houdini_os == 'windows'", True),
        ("(houdini_os == 'macos' or houdini_os == 'linux') and $SHOW == 'dragon'", True),
        ("$SHOW != 'dragon'", False),
        ("$SHOW", True),
        ("$NOBODY or ${SHOW}", True),
        ("houdini_version >= '20.5.400'", True),
        ("houdini_version > '9.5'", True),
        ("'20.5' <= houdini_version", True),
        ("houdini_version == '20.5.445.9'", None),
        ("houdini_python == 'python3.11'", None),
        ("houdini_python == 'python3.11' and houdini_os == 'windows'", False),
        ("houdini_python == 'python3.11' or houdini_os == 'linux'", True),
        ("true", True),
    ],
)
def test_conditions_hold_fail_or_are_unknown(condition: str, answer: bool | None) -> None:
    facts = {"houdini_version": (20, 5, 445), "houdini_os": "linux"}
    assert holds(condition, facts, {"SHOW": "dragon"}) is answer


@given(st.text(alphabet="()'\"$a<>=!andort. 1houdini_version", max_size=60))
def test_any_text_is_a_condition_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert holds(text, {"houdini_version": (20, 5)}, {}) in {True, False, None}
