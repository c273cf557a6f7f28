"""Why a type is, or is not, in the menu: each link of the chain broken once, with real files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

import topcook
from topcook.factory import Factory, Kind, Origin, Record, State, Tier
from topcook.factory.diagnosis import BAD, GOOD, NOTE, ODD, Diagnosis, Finding, Scene, chain_of
from topcook.factory.doctor import diagnose
from topcook.factory.typespath import TypesEntry
from topcook.factory.whereabouts import installed_elsewhere

Drop = Callable[..., Path]
Scan = Callable[..., Factory]
Ask = Callable[..., Diagnosis]

SCHEMA = json.loads((Path(topcook.__file__).parent / "model/schemas/doctor.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def ask(scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Diagnoses with ``types`` on the path; the test's own folder is the current one."""
    monkeypatch.chdir(tmp_path)

    def diagnosis(asked: str | Path, *folders: str, builtins: bool = False, **environ: str) -> Diagnosis:
        folders = folders or ("types",)
        factory = scan(*folders, builtins=builtins)
        entries = [TypesEntry(str(tmp_path / each), Tier.PATH, "PDG_TYPES_PATH") for each in folders]
        scene = Scene(factory.records, factory.problems, entries, "/built-ins", environ, alone)
        found = diagnose(str(asked), scene)
        jsonschema.validate(found.data(), SCHEMA)
        return found

    return diagnosis


def alone(path: str) -> list[Record]:
    """The records of one file."""
    factory = Factory([])
    factory.add_path(path)
    return factory.records


def states(found: Diagnosis) -> dict[str, str]:
    """The links in their order, each with its state."""
    return {finding.topic: finding.state for finding in found.findings}


def bad(found: Diagnosis) -> Finding:
    return next(finding for finding in found.findings if finding.state == BAD)


def test_a_good_one_is_followed_from_its_path_entry_to_its_row(drop: Drop, ask: Ask) -> None:
    path = drop("farm.py", label="My Farm")
    found = ask("farm")
    assert found.healthy
    assert found.verdict == "in the menu"
    assert list(states(found).items()) == [
        ("python", NOTE),
        ("types path", GOOD),
        ("file", GOOD),
        ("trust", GOOD),
        ("block list", GOOD),
        ("text", GOOD),
        ("execution", GOOD),
        ("contract", GOOD),
        ("name", GOOD),
        ("menu", GOOD),
    ]
    texts = {finding.topic: finding.text for finding in found.findings}
    assert sys.executable in texts["python"]
    assert "(PDG_TYPES_PATH) is entry 1 of 1" in texts["types path"]
    assert str(path) in texts["file"]
    assert texts["menu"] == 'Schedulers > My Farm; ask for it as "farm"'
    assert "--scheduler farm" in found.next


@pytest.mark.parametrize("how", ["name", "path", "relative path", "link", "stem"])
def test_it_can_be_asked_for_by_name_and_by_every_path_that_leads_to_it(drop: Drop, ask: Ask, how: str) -> None:
    path = drop("farm.py", name="renderfarm")
    asked = {
        "name": "RenderFarm",
        "path": str(path),
        "relative path": os.path.join("types", "farm.py"),
        "link": "link.py",
        "stem": "farm",
    }[how]
    if how == "link":
        os.symlink(path, "link.py")
    assert ask(asked).verdict == "in the menu"


BROKEN = {
    "import": ("import no_such_thing\ndef registerTypes(r): pass\n", "execution", "no_such_thing"),
    "syntax": ("def registerTypes(r:\n", "execution", "SyntaxError"),
    "contract": (
        "class X:\n  x = 1\ndef registerTypes(r): r.registerScheduler(X, name='farm')\n",
        "contract",
        "onSchedule",
    ),
    "helper": ("x = 1\n", "text", "no registerTypes"),
}


@pytest.mark.parametrize("trait", BROKEN)
def test_the_chain_ends_at_its_first_broken_link_which_says_what_to_do(drop: Drop, ask: Ask, trait: str) -> None:
    text, link, said = BROKEN[trait]
    path = drop("farm.py", text)
    found = ask(path)
    assert found.verdict.startswith("not in the menu: ")
    assert not found.healthy
    assert found.findings[-1].topic == link
    assert bad(found).topic == link
    assert said in bad(found).text
    assert found.next
    assert "menu" not in states(found)


def test_the_first_problems_of_a_file_are_told_and_the_very_first_is_what_to_do_next(drop: Drop, ask: Ask) -> None:
    path = drop("farm.py", "class X:\n  x = 1\ndef registerTypes(r): r.registerScheduler(X, name='farm')\n")
    found = ask("farm")
    broken = [finding for finding in found.findings if finding.state == BAD]
    assert len(broken) == 3
    assert found.findings[-1].hint == f"topcook check {path}"
    assert all(finding.place.startswith(f"{path}:1") for finding in broken)
    assert found.next == f"{broken[0].place}: {broken[0].hint}"


def test_a_shadowed_one_names_its_winner(drop: Drop, ask: Ask) -> None:
    winner = drop("a.py", name="farm")
    loser = drop("b.py", name="farm")
    found = ask(loser)
    assert bad(found).topic == "name"
    assert str(winner) in bad(found).text
    assert f"it comes before {loser}" in next(each.text for each in ask("farm").findings if each.topic == "name")


def test_a_file_beside_the_path_is_told_to_be_and_what_would_become_of_it(drop: Drop, ask: Ask, tmp_path: Path) -> None:
    drop("x.py")
    path = drop("farm.py", folder="elsewhere")
    found = ask(path)
    assert bad(found).topic == "types path"
    assert f"export PDG_TYPES_PATH={tmp_path / 'elsewhere'}" in found.next
    assert f"topcook install {path}" in found.next
    assert any('it would give "farm"' in finding.text for finding in found.findings)
    drop("farm.py", "import no_such_thing\ndef registerTypes(r): pass\n", folder="elsewhere")
    assert any("could not be used there either" in finding.text for finding in ask(path).findings)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("farm.txt", "does not end in .py"),
        (".farm.py", "passed over"),
        ("~farm.py", "passed over"),
        ("__farm.py", "passed over"),
        ("one/two/farm.py", "2 directories below"),
    ],
)
def test_a_file_that_no_scan_sees_is_told_why(drop: Drop, ask: Ask, file: str, said: str) -> None:
    path = drop(file, "def registerTypes(r): pass\n")
    found = ask(path)
    assert said in bad(found).text
    assert found.next


def test_a_module_of_a_package_is_told_to_be_part_of_it(drop: Drop, ask: Ask) -> None:
    drop("pack/__init__.py", "from .core import Farm\ndef registerTypes(r): r.registerScheduler(Farm)\n")
    core = drop("pack/core.py", drop("x.py", name="packed").read_text(encoding="utf-8"))
    found = ask(core)
    assert any("part of the package" in finding.text for finding in found.findings)
    assert ask(core.parent).findings[-1].topic == "menu"


def test_a_file_that_is_not_there_is_answered_with_the_closest_name(drop: Drop, ask: Ask) -> None:
    path = drop("farm.py")
    found = ask(path.with_name("fram.py"))
    assert "does not exist" in bad(found).text
    assert found.next == f"did you mean {path}?"


def test_a_link_that_leads_nowhere_is_told_with_its_target(drop: Drop, ask: Ask) -> None:
    path = drop("x.py").with_name("farm.py")
    os.symlink("/no/such/target.py", path)
    assert "/no/such/target.py" in " ".join(finding.text for finding in ask(path).findings if finding.state == BAD)


def test_a_directory_tells_of_each_of_its_files(drop: Drop, ask: Ask) -> None:
    drop("good.py")
    drop("helper.py", "x = 1\n")
    broken = drop("bad.py", "import no_such_thing\ndef registerTypes(r): pass\n")
    found = ask(broken.parent)
    assert found.verdict == "on the types path"
    assert found.next == f"topcook doctor {broken}"
    assert [finding.state for finding in found.findings if finding.topic == "file"] == [GOOD, BAD, GOOD, NOTE]
    other = drop("farm.py", folder="elsewhere").parent
    assert ask(other).verdict == "not on the types path"


def test_a_name_that_nobody_has_is_answered_with_the_closest_and_where_was_looked(drop: Drop, ask: Ask) -> None:
    drop("slurm.py", name="slurmscheduler")
    found = ask("slrum", "types", "gone")
    assert bad(found).hint == 'did you mean "slurmscheduler"?'
    assert any(
        "gone (PDG_TYPES_PATH), which does not exist" in finding.text
        for finding in found.findings
        if finding.topic == "looked in"
    )


def test_a_file_of_that_name_in_the_current_directory_is_noticed(drop: Drop, ask: Ask, tmp_path: Path) -> None:
    drop("x.py")
    path = drop("quux.py", folder=".")
    assert path.parent == tmp_path
    assert ask("quux").next == f"topcook doctor {path}"


def installed(prefix: Path, name: str, entry: str) -> Path:
    """An environment in which a distribution offers a type."""
    site = prefix / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    info = site / f"{name.replace('-', '_')}-1.2.0.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(f"[console_scripts]\nx = y\n[pdg.types]\n{entry} = pack.types\n")
    (prefix / "bin").mkdir(exist_ok=True)
    (prefix / "bin" / "python3").write_text("")
    return prefix


@pytest.mark.parametrize("how", ["PATH", "VIRTUAL_ENV", ".venv"])
def test_a_plugin_in_another_python_is_found_there(drop: Drop, ask: Ask, tmp_path: Path, how: str) -> None:
    drop("x.py")
    prefix = installed(tmp_path / (".venv" if how == ".venv" else "other"), "topcook-slurm", "slurmscheduler")
    environ = {"PATH": str(prefix / "bin")} if how == "PATH" else {how: str(prefix)} if how == "VIRTUAL_ENV" else {}
    for asked in ("slurm", "slurmscheduler", "topcook-slurm"):
        found = ask(asked, **environ)
        assert found.next == f"{sys.executable} -m pip install topcook-slurm"
        assert any(f"topcook-slurm 1.2.0 offers it in another Python, {prefix}" in each.text for each in found.findings)


def test_entry_points_that_cannot_be_read_hide_no_others(tmp_path: Path) -> None:
    prefix = installed(tmp_path / "one", "topcook-a", "a")
    (entry,) = prefix.glob("lib/*/*/*/entry_points.txt")
    entry.write_bytes(b"[pdg.types]\n\xff\xfe =\n[[[")
    installed(tmp_path / "two", "topcook-b", "b")
    found = installed_elsewhere({"PATH": f"{prefix / 'bin'}{os.pathsep}{tmp_path / 'two' / 'bin'}"}, str(tmp_path))
    assert "b" in [each.name for each in found]


def test_a_distribution_without_types_is_told_to_be_one(drop: Drop, ask: Ask) -> None:
    drop("x.py")
    found = ask("click")
    assert any("offers no entry point of group pdg.types" in finding.text for finding in found.findings)


@pytest.mark.parametrize(
    ("state", "reason", "link", "meant"),
    [
        (State.DISABLED, "use slurm (user configuration /c.toml:3)", "block list", BAD),
        (State.NOT_PROBED, "it is still being looked at", "execution", ODD),
    ],
)
def test_one_that_is_blocked_or_still_waits_says_so(state: State, reason: str, link: str, meant: str) -> None:
    record = Record("farm", Origin(Tier.PATH, __file__), state, Kind.UNKNOWN, reason=reason)
    last = list(chain_of(record, Scene([], [], [], "", {}, alone)))[-1]
    assert (last.topic, last.state) == (link, meant)
    assert reason in last.text
    assert last.hint


def test_a_refused_one_ends_at_trust_with_the_line_to_type() -> None:
    from topcook.errors import Problem

    problem = Problem("untrusted-writable", "not executed: everybody may write it", __file__, hint="chmod o-w x.py")
    record = Record("farm", Origin(Tier.PATH, __file__), State.FAILED, Kind.UNKNOWN, problems=[problem])
    last = list(chain_of(record, Scene([], [], [], "", {}, alone)))[-1]
    assert (last.topic, last.state, last.hint) == ("trust", BAD, "chmod o-w x.py")


def test_control_characters_of_what_is_asked_do_not_come_back(drop: Drop, ask: Ask) -> None:
    drop("x.py")
    data = ask("\x1b[31mfarm")
    assert all(text.isprintable() for text in (data.subject, *(each.text + each.hint for each in data.findings)))


def test_an_empty_environment_has_no_other_pythons(tmp_path: Path) -> None:
    assert installed_elsewhere({}, str(tmp_path)) == []


def test_python_is_named_as_it_is_typed() -> None:
    code = "from topcook.factory.diagnosis import python_told; print(python_told())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.startswith(sys.executable)


def test_how_old_an_outcome_is_stands_with_it(drop: Drop, scan: Scan) -> None:
    good = drop("good.py")
    bad = drop("bad.py", "import no_such_thing\ndef registerTypes(r): pass\n")
    factory = scan()

    def execution(name: str, seconds: float) -> list[Finding]:
        ages = {str(good): seconds, str(bad): seconds}
        scene = Scene(factory.records, [], [], "", {}, alone, ages=ages)
        return [each for each in diagnose(name, scene).findings if each.topic == "execution"]

    assert execution("good", 0.1)[0].text.endswith("ms, just now")
    assert execution("good", 840.0)[0].text.endswith("ms, 14 min ago; the file has not changed since")
    assert [each.state for each in execution("bad", 0.1)] == [BAD]
    earlier, failure = execution("bad", 7200.0)
    assert (earlier.state, earlier.text) == (NOTE, "executed 2 h ago; the file has not changed since")
    assert earlier.hint.endswith(f"topcook check {bad}")
    assert failure.state == BAD


def test_a_broken_one_of_the_same_name_is_told_beside_the_one_that_serves(drop: Drop, ask: Ask) -> None:
    broken = drop("a.py", "import no_such\ndef registerTypes(r): r.registerScheduler(Farm, name='farm')\n")
    drop("b.py", name="farm")
    found = ask("farm")
    assert found.verdict == "in the menu"
    also = found.findings[-1]
    assert (also.topic, also.state, also.hint) == ("also", ODD, f"topcook doctor {broken}")
    assert 'failed, because there is no module "no_such"' in also.text
