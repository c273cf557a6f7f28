"""Candidates: what is found on the types path, whatever lies there, and that finding opens no file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from topcook.config import load_config
from topcook.factory import Factory, Kind, State
from topcook.factory.records import Tier
from topcook.factory.sources import Candidate, Rules, Stamp, candidates_in, classified
from topcook.factory.typespath import TypesEntry, types_path

Drop = Callable[..., Path]
Scan = Callable[..., Factory]
TEXT = "def registerTypes(r): ...\n"


@pytest.fixture
def types(tmp_path: Path) -> Path:
    folder = tmp_path / "types"
    folder.mkdir()
    return folder


def write(path: Path, text: str = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def found(folder: Path, rules: Rules | None = None) -> dict[str, Candidate]:
    entry = TypesEntry(str(folder), Tier.PATH, "PDG_TYPES_PATH")
    return {each.stem: classified(each) for each in candidates_in(entry, rules or Rules())}


def test_files_packages_and_one_level_of_directories_are_found_in_order(types: Path) -> None:
    for name in ("b.py", "a.py", "pack/__init__.py", "pack/inside.py", "sub dir/c.py", "sub dir/deeper/d.py"):
        write(types / name)
    for name in (".hidden.py", "__pycache__/x.py", "__init__.py", "~copy.py", "notes.txt", ".git/e.py"):
        write(types / name)
    assert [(stem, each.is_package) for stem, each in found(types).items()] == [
        ("a", False),
        ("b", False),
        ("pack", True),
        ("c", False),
    ]


def test_one_stat_tells_what_the_index_compares(types: Path) -> None:
    path = write(types / "a.py")
    status = path.stat()
    stamp = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    assert found(types)["a"].stamp == stamp


def test_finding_opens_no_file(types: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        write(types / f"f{number}.py")
    opened: list[object] = []

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and str(types) in str(arguments[0]) and active:
            opened.append(arguments[0])

    active = True
    sys.addaudithook(audit)
    entry = TypesEntry(str(types), Tier.PATH, "PDG_TYPES_PATH")
    candidates = candidates_in(entry)
    active = False
    assert len(candidates) == 5
    assert opened == []
    assert {each.skipped for each in candidates} == {None}


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="names there are Unicode")
def test_any_name_is_a_name(types: Path, scan: Scan, drop: Drop) -> None:
    text = drop("x.py", folder="elsewhere").read_text(encoding="utf-8")
    odd = [b"caf\xe9", b"new\nline", b"with space", b"semi;colon", b"-dash", "schön".encode(), b"quote'\""]
    for number, name in enumerate(odd):
        (types / os.fsdecode(name + b".py")).write_text(text.replace('"x"', f'"farm{number}"'), encoding="utf-8")
    records = scan().records
    assert {record.state for record in records} == {State.OK}
    assert {record.name for record in records} == {f"farm{number}" for number in range(len(odd))}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes or links here")
def test_what_is_no_file_is_listed_with_the_reason(types: Path, scan: Scan) -> None:
    write(types / "good.py")
    (types / "broken.py").symlink_to("nowhere.py")
    (types / "circle.py").symlink_to("circle.py")
    (types / "up").symlink_to(".")
    (types / "lost").symlink_to("nowhere")
    (types / "folder.py").mkdir()
    os.mkfifo(types / "pipe.py")
    records = {record.name: record for record in scan().records}
    assert set(records) == {"good", "broken", "circle", "folder", "pipe"}
    assert records["broken"].state is records["circle"].state is State.FAILED
    assert records["broken"].problems[0].message == (
        'is a link to "nowhere.py", which cannot be read: No such file or directory'
    )
    assert "Too many levels" in records["circle"].problems[0].message
    assert records["folder"].state is records["pipe"].state is State.SKIPPED
    assert "directory" in records["folder"].reason
    assert all(record.problems[0].hint for record in records.values() if record.state is State.FAILED)


def test_a_link_to_a_directory_is_followed_once(types: Path, tmp_path: Path) -> None:
    write(tmp_path / "real" / "farm.py")
    (types / "one").symlink_to(tmp_path / "real")
    (types / "two").symlink_to(tmp_path / "real")
    entry = TypesEntry(str(types), Tier.PATH, "PDG_TYPES_PATH")
    assert [each.path for each in candidates_in(entry)] == [str(types / "one" / "farm.py")]


@pytest.mark.parametrize(
    ("text", "skipped"),
    [
        ("X = 1\n", "a helper file: it has no registerTypes"),
        ("", "a helper file: it has no registerTypes"),
        ("class Farm(PyScheduler): ...\n", "it has the class Farm but no registerTypes(type_registry)"),
        (
            "class Farm(PyScheduler): ...\ndef registerType(r): ...\n",
            "its function is called registerType, not registerTypes(type_registry)",
        ),
        (
            "class Farm(pdg.PyScheduler): ...\ndef register_types(r): ...\n",
            "its function is called register_types, not registerTypes(type_registry)",
        ),
        (
            "class Farm(PyScheduler): ...\ndef registerTags(r): ...\n",
            "it has the class Farm but no registerTypes(type_registry)",
        ),
        ("def registerType(r): ...\n", "a helper file: it has no registerTypes"),
        ("class Farm(PyScheduler):\n    def onSchedule(self", ""),
        ("print 'Python 2'\n", ""),
        ("x = 1\0\n", ""),
        ("(" * 5000, ""),
        ("async def registerTypes(r): ...\n", ""),
        ("from .farm import registerTypes\n", ""),
        ("registerTypes = make()\n", ""),
    ],
)
def test_a_helper_is_passed_over_and_what_is_no_python_is_not(types: Path, text: str, skipped: str) -> None:
    write(types / "a.py", text)
    assert found(types)["a"].skipped == skipped


def test_a_cut_off_file_is_listed_as_failed_with_its_line(drop: Drop, scan: Scan) -> None:
    drop("torn.py", "from pdg.scheduler import PyScheduler\nclass Farm(PyScheduler):\n    def onSchedule(self")
    (record,) = scan().records
    assert (record.state, record.problems[0].code, record.problems[0].line) == (State.FAILED, "syntax-error", 3)


def test_thousands_of_entries_are_found(types: Path) -> None:
    for number in range(5000):
        (types / f"f{number}.py").touch()
    entry = TypesEntry(str(types), Tier.PATH, "PDG_TYPES_PATH")
    assert len(candidates_in(entry)) == 5000


# The path itself


def test_a_place_named_twice_counts_once_also_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    names = [str(tmp_path / name) for name in ("link", "real", "other/../link", "real/")]
    path = types_path(None, {"PDG_TYPES_PATH": os.pathsep.join(names)})
    assert [each.path for each in path.entries] == [str(tmp_path / "link")]
    assert [each.path for each in path.repeated] == [
        str(tmp_path / "real"),
        str(tmp_path / "link"),
        str(tmp_path / "real"),
    ]


def test_configured_entries_come_in_the_order_of_their_layers(tmp_path: Path) -> None:
    site = write(tmp_path / "site.toml", 'types.path = ["/site"]\n')
    write(tmp_path / ".config" / "topcook" / "config.toml", 'types.path = ["~/user"]\n')
    project = write(tmp_path / "project" / "topcook.toml", 'types.path = ["types"]\n').parent
    environ = {"HOME": str(tmp_path), "TOPCOOK_CONFIG": str(site), "PDG_TYPES_PATH": "/variable"}
    config = load_config(environ, directory=str(project), overrides=["types.path=/line"])
    entries = types_path(config, environ).entries
    assert [(each.path, each.named) for each in entries[:-1]] == [
        ("/line", True),
        ("/variable", True),
        (str(project / "types"), False),
        (str(tmp_path / "user"), True),
        ("/site", True),
    ]
    assert entries[2].named_by == f"project configuration {project / 'topcook.toml'}:1"
    assert entries[-1].named_by == "your own types directory"


def test_odd_entries_are_problems_and_no_more(tmp_path: Path, scan: Scan, drop: Drop) -> None:
    drop("farm.py")
    site = write(
        tmp_path / "site.toml", 'types.path = ["~\\u0000", "a\\u0000b", "~nobody-of-that-name/x", "farm.py/x"]\n'
    )
    environ = {"TOPCOOK_CONFIG": str(site), "PDG_TYPES_PATH": f"{tmp_path}/types{os.pathsep}{'x' * 5000}"}
    factory = Factory.scan(environ)
    assert "farm" in {record.name for record in factory.records}
    told = [each.message for each in factory.problems if each.code in {"path-missing", "path-unreadable"}]
    assert [sum(name in each for each in told) for name in ("xxxx", "~nobody", "farm.py/x")] == [1, 1, 1]
    assert all(each.hint for each in factory.problems if each.message in told)


def test_a_current_directory_that_was_removed_is_no_hindrance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    environ = {"PDG_TYPES_PATH": f"types{os.pathsep}/there", "HOUDINI_PATH": "tools:/tools"}
    path = types_path(load_config(environ), environ)
    assert [each.path for each in path.entries] == ["types", "/there", "tools/pdg/types", "/tools/pdg/types"]


# The block list


def blocked(tmp_path: Path, rows: str) -> Rules:
    write(tmp_path / ".config" / "topcook" / "config.toml", rows)
    return Rules(config=load_config({"HOME": str(tmp_path)}, directory=str(tmp_path)))


@pytest.mark.parametrize("key", ['file = "old*.py"', 'module = "oldfarm"', 'file = "~/types/oldfarm.py"'])
def test_a_blocked_file_is_listed_as_disabled_and_not_even_read(types: Path, tmp_path: Path, key: str) -> None:
    write(types / "oldfarm.py")
    write(types / "farm.py")
    candidates = found(types, blocked(tmp_path, f'[[block]]\n{key}\nreason = "use slurm"\n'))
    record = candidates["oldfarm"].record()
    assert (record.state, record.kind, candidates["farm"].settled) == (State.DISABLED, Kind.SCHEDULER, False)
    assert record.reason == f"use slurm (user configuration {tmp_path}/.config/topcook/config.toml:1)"


@pytest.mark.parametrize("listed", ["old", "old.py", "x;old", "more", "a:more,b"])
def test_houdinis_skip_list_names_files_modules_and_directories(types: Path, listed: str) -> None:
    write(types / "more" / "old.py")
    config = load_config({"HOUDINI_PDG_TYPE_SKIPLIST": listed})
    assert "HOUDINI_PDG_TYPE_SKIPLIST" in found(types, Rules(config=config))["old"].disabled


def test_who_asks_for_a_name_in_a_file_that_may_not_be_executed_is_told_why(drop: Drop, scan: Scan) -> None:
    path = drop("open.py", name="renderfarm", cls="GreatFarm")
    path.chmod(0o666)
    answer = scan().explain(Kind.SCHEDULER, "renderfarm")
    assert "failed, because not executed: everybody may write" in answer
    assert f"chmod o-w {path}" in answer
    assert "renderfarm" in {record.name for record in scan().records}


def test_a_type_blocked_by_name_is_disabled_once_its_file_told_it(drop: Drop, tmp_path: Path) -> None:
    text = drop("two.py", name="oldfarm").read_text(encoding="utf-8")
    text += '    type_registry.registerScheduler(type("New", (Farm,), {}), name="newfarm")\n'
    path = drop("two.py", text)
    config = blocked(tmp_path, '[[block]]\nname = "oldfarm"\nreason = "use newfarm"\n').config
    factory = Factory.scan(
        {"PDG_TYPES_PATH": str(path.parent)},
        config=load_config({"PDG_TYPES_PATH": str(path.parent), "HOME": str(tmp_path)}),
    )
    states = {record.name: record.state for record in factory.records if record.origin.path == str(path)}
    assert states == {"oldfarm": State.DISABLED, "newfarm": State.OK}
    assert config is not None
    assert "disabled, because use newfarm" in factory.explain(Kind.SCHEDULER, "oldfarm")
