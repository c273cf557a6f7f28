"""The index: nothing is executed again that did not change, nothing that changed is believed, and no file of it harms."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factory.indexhome import Counting, Home, long_ago, only, told
from topcook.factory import Factory, State
from topcook.factory.index import Index
from topcook.factory.index.database import Database
from topcook.factory.index.entries import Look
from topcook.factory.index.open import open_index
from topcook.factory.index.rows import SCHEMA
from topcook.factory.probing.prober import Done
from topcook.factory.sources import Candidate

Drop = Callable[..., Path]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look happens ten seconds after now, so that stamps count as proof at once."""
    monkeypatch.setattr("topcook.factory.index.entries.time.time", lambda: time.time_ns() / 1e9 + 10)


def test_an_unchanged_file_is_not_executed_again_and_its_record_says_the_same(drop: Drop, home: Home) -> None:
    drop("good.py")
    drop("helper.py", "X = 1\n")
    drop("broken.py", "import no_such_client\ndef registerTypes(r): ...\n")
    first = home.scan()
    assert home.probed == ["broken", "good"]
    second = home.scan()
    assert home.probed == []
    assert told(second) == told(first)
    assert second.load(second.scheduler("good")).__name__ == "Farm"


def test_what_is_unchanged_is_not_even_opened(drop: Drop, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    drop("good.py")
    home.scan()
    monkeypatch.setattr("topcook.factory.bundles.read_file", lambda path: pytest.fail(f"{path} was read"))
    monkeypatch.setattr("topcook.factory.sources.read_trusted", lambda path, _: pytest.fail(f"{path} was read"))
    home.scan()


def test_an_edit_of_the_same_size_and_time_is_seen(drop: Drop, home: Home) -> None:
    path = drop("farm.py", label="One")
    status = path.stat()
    home.scan()
    drop("farm.py", label="Two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert only(home.scan()).label == "Two"
    assert home.probed == ["farm"]


def test_a_time_that_goes_backwards_is_a_change_like_any_other(drop: Drop, home: Home) -> None:
    path = drop("farm.py", label="One")
    home.scan()
    drop("farm.py", label="Two")
    long_ago(path)
    assert only(home.scan()).label == "Two"


def test_a_touched_file_is_read_and_not_executed(drop: Drop, home: Home) -> None:
    path = drop("farm.py")
    home.scan()
    long_ago(path)
    home.scan()
    assert home.probed == []


def test_a_fresh_stamp_proves_nothing(drop: Drop, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("topcook.factory.index.entries.time.time", lambda: time.time_ns() / 1e9)
    path = drop("farm.py", label="One")
    home.scan()
    reads: list[str] = []
    monkeypatch.setattr(Look, "digest", lambda _self, path: reads.append(path))
    home.scan()
    assert reads == [str(path)]


@pytest.mark.parametrize("year", [2200, 2300])
def test_a_file_of_the_future_is_read_each_time_and_neither_executed_nor_written_down(
    drop: Drop, home: Home, year: int
) -> None:
    path = drop("farm.py")
    seconds = (year - 1970) * 31_556_952
    os.utime(path, (seconds, seconds))
    home.scan()
    size = home.path.stat()
    assert only(home.scan()).usable
    assert (home.probed, home.notes) == ([], [])
    now = home.path.stat()
    assert (now.st_mtime_ns, now.st_ctime_ns) == (size.st_mtime_ns, size.st_ctime_ns)
    drop("farm.py", label="Two")
    os.utime(path, (seconds, seconds))
    assert only(home.scan()).label == "Two"


@pytest.mark.skipif(sys.platform == "win32", reason="names of files are text there")
def test_what_is_no_text_is_kept_as_it_is_and_costs_the_others_nothing(drop: Drop, home: Home) -> None:
    """Names of files in another encoding, and halves of characters in labels, are nothing that UTF-8 can say."""
    types = drop("good.py").parent
    (types / os.fsdecode(b"sch\xebduler.py")).write_text("import no_such_client\n", encoding="utf-8")
    odd = drop("odd.py").read_text(encoding="utf-8").replace('label="Odd"', 'label="\\ud800 odd"')
    drop("odd.py", odd)
    first = home.scan()
    assert home.notes == []
    second = home.scan()
    assert (home.probed, home.notes) == ([], [])
    assert told(second) == told(first)
    assert {each.name for each in second.records} == {"good", "odd", os.fsdecode(b"sch\xebduler")}
    assert second.load(second.scheduler("odd")).__name__ == "Farm"


def test_what_cannot_be_written_leaves_the_rest_of_the_index_as_it_was(drop: Drop, home: Home) -> None:
    drop("farm.py")
    home.scan()
    home.index().put("x", object())  # type: ignore[arg-type]
    home.scan()
    assert home.probed == []


def test_a_helper_that_changes_appears_or_goes_makes_its_importer_new(drop: Drop, home: Home) -> None:
    text = drop("farm.py").read_text(encoding="utf-8").replace('label="Farm"', "label=label()")
    drop("farm.py", text + "def label():\n    try:\n        import naming\n    except ImportError:\n"
         "        return 'none'\n    return naming.LABEL\n")  # fmt: skip
    drop("other.py")
    assert home.scan().scheduler("farm").label == "none"
    naming = drop("naming.py", "LABEL = 'one'\n")
    assert home.scan().scheduler("farm").label == "one"
    assert home.probed == ["farm"]
    drop("naming.py", "LABEL = 'two'\n")
    assert home.scan().scheduler("farm").label == "two"
    assert home.probed == ["farm"]
    naming.unlink()
    assert home.scan().scheduler("farm").label == "none"
    assert home.probed == ["farm"]
    home.scan()
    assert home.probed == []


def test_a_package_is_new_when_any_of_its_files_is_or_one_is_added(drop: Drop, home: Home) -> None:
    drop("pack/__init__.py", "from .core import Farm\ndef registerTypes(r): r.registerScheduler(Farm, 'pack')\n")
    drop("pack/core.py", drop("x.py", folder="elsewhere").read_text(encoding="utf-8"))
    drop("pack/deep/inner.py", "X = 1\n")
    home.scan()
    assert home.probed == ["pack"]
    home.scan()
    assert home.probed == []
    drop("pack/deep/inner.py", "X = 2\n")
    home.scan()
    assert home.probed == ["pack"]
    drop("pack/deep/new.py", "X = 2\n")
    home.scan()
    assert home.probed == ["pack"]


def test_a_missing_module_that_can_be_found_by_now_is_asked_for_again(
    drop: Drop, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop("farm.py", "import client_of_mine\n" + drop("farm.py").read_text(encoding="utf-8"))
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    assert only(home.scan()).state is State.FAILED
    home.scan()
    assert home.probed == []
    (site / "client_of_mine.py").write_text("X = 1\n", encoding="utf-8")
    assert only(home.scan()).state is State.OK
    monkeypatch.delitem(sys.modules, "client_of_mine")


def test_an_outcome_of_the_moment_is_believed_for_a_while_only(
    drop: Drop, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop("farm.py", "raise ConnectionError('the server is away')\ndef registerTypes(r): ...\n")
    assert only(home.scan()).state is State.FAILED
    home.scan()
    assert home.probed == []
    monkeypatch.setattr("topcook.factory.index.entries.time.time", lambda: time.time_ns() / 1e9 + 700)
    home.scan()
    assert home.probed == ["farm"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners here")
def test_a_helper_that_may_be_read_again_is_looked_at_again_at_once(tmp_path: Path, drop: Drop) -> None:
    path = drop("farm.py", "import helper\nfrom pdg.scheduler import PyScheduler\ndef registerTypes(r): ...\n")
    helper = drop("helper.py", "X = 1\n")
    helper.chmod(0o666)
    environ = {"PDG_TYPES_PATH": str(path.parent)}

    def problems() -> list[str]:
        database = Database(str(tmp_path / "cache" / "index.sqlite3"), SCHEMA)
        prober = Counting()
        factory = Factory.scan(environ, prober=prober, index=Index(database, "here"))
        probed[:] = prober.probed
        (record,) = [each for each in factory.records if each.name == "farm"]
        return [each.code for each in record.problems]

    probed: list[str] = []
    assert problems() == ["untrusted-writable"]
    assert problems() == ["untrusted-writable"]
    assert probed == []
    helper.chmod(0o644)
    assert problems() == ["registers-nothing"]


def test_a_time_out_is_believed_for_longer(drop: Drop, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(Counting):
        def probe(self, candidates: list[Candidate], done: Done, deadline: float | None = None) -> list[Candidate]:
            def timed_out(candidate: Candidate, report: object) -> None:
                report.transient = True  # type: ignore[attr-defined]
                for problem in report.records[0]["problems"]:  # type: ignore[attr-defined]
                    problem["code"] = "endless"
                done(candidate, report)  # type: ignore[arg-type]

            return super().probe(candidates, timed_out, deadline)

    drop("farm.py", "1/0\ndef registerTypes(r): ...\n")
    index = home.index()
    factory = Factory([], prober=Endless(), index=index)
    factory.add_path(str(home.folder / "types"))
    for seconds, probed in ((700, []), (3700, ["farm"])):
        monkeypatch.setattr("topcook.factory.index.entries.time.time", lambda more=seconds: time.time_ns() / 1e9 + more)
        home.scan()
        assert home.probed == probed


def test_each_environment_has_its_own_outcomes_and_the_oldest_goes(drop: Drop, home: Home) -> None:
    drop("farm.py")
    for number in range(10):
        home.environment = f"environment {number}"
        home.scan()
        assert home.probed == ["farm"]
    home.scan()
    assert home.probed == []
    home.environment = "environment 0"
    home.scan()
    assert home.probed == ["farm"]


def test_a_file_named_itself_and_the_same_file_of_its_directory_are_two(drop: Drop, home: Home) -> None:
    drop("helper.py", "raise RuntimeError('never meant to be executed')\n")
    assert only(home.scan()).state is State.SKIPPED
    prober = Counting()
    named = Factory([], prober=prober, index=home.index())
    named.add_path(str(home.folder / "types" / "helper.py"))
    assert only(named).state is State.FAILED
    assert only(home.scan()).state is State.SKIPPED


# Harmless


def test_without_an_index_each_start_probes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for said in ("", "off", "none", "0"):
        assert open_index({"TOPCOOK_INDEX": said, "HOME": str(tmp_path)}) is None
    index = open_index({"TOPCOOK_INDEX": str(tmp_path / "mine")})
    assert index is not None
    assert index.database.path == str(tmp_path / "mine")


# What was stored is executed


def test_the_host_executes_the_bytes_that_were_stored(drop: Drop, home: Home) -> None:
    path = drop("farm.py", "import helper\n" + drop("farm.py").read_text(encoding="utf-8"))
    helper = drop("helper.py", "X = 1\n")
    home.scan()
    factory = home.scan()
    path.unlink()
    helper.unlink()
    assert factory.load(factory.scheduler("farm")).__name__ == "Farm"


def test_a_version_that_is_nowhere_any_more_says_so(drop: Drop, home: Home) -> None:
    path = drop("farm.py")
    home.scan()
    factory = home.scan()
    record = factory.scheduler("farm")
    home.path.unlink()
    factory.index.database.close()  # type: ignore[union-attr]
    drop("farm.py", label="Another")
    with pytest.raises(Exception, match="has changed since it was probed") as caught:
        factory.load(record)
    assert str(path) in str(caught.value)


# Whatever happens to the files, the index changes nothing but the time

_NAMES = ("a.py", "b.py", "helper.py", "pack/__init__.py", "pack/core.py")
_TEXTS = {
    "good": None,
    "importer": "import helper\nfrom pdg.scheduler import PyScheduler\nclass F(PyScheduler):\n"
    "    def onSchedule(self, w): return True\ndef registerTypes(r): r.registerScheduler(F, 'f' + helper.X)\n",
    "helper": "X = 'one'\n",
    "other": "X = 'two'\n",
    "broken": "1/0\ndef registerTypes(r): ...\n",
    "torn": "class X(\n",
}
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(_NAMES), st.sampled_from(sorted(_TEXTS))),
        st.tuples(st.just("touch"), st.sampled_from(_NAMES), st.sampled_from(["past", "now"])),
        st.tuples(st.just("rename"), st.sampled_from(_NAMES), st.sampled_from(_NAMES)),
        st.tuples(st.just("delete"), st.sampled_from(_NAMES), st.just("")),
        st.tuples(st.just("scan"), st.just(""), st.just("")),
    ),
    min_size=2,
    max_size=10,
)


def step(drop: Drop, folder: Path, what: str, name: str, how: str) -> None:
    path = folder / name
    if what == "write":
        drop(name, _TEXTS[how])
    elif what == "touch" and path.exists():
        os.utime(path, (1e9, 1e9) if how == "past" else None)
    elif what == "rename" and path.exists():
        (folder / how).parent.mkdir(exist_ok=True)
        path.replace(folder / how)
    elif what == "delete":
        path.unlink(missing_ok=True)


@settings(max_examples=40)
@given(steps=_STEPS)
def test_with_an_index_a_scan_finds_what_one_without_finds(
    drop: Drop, home: Home, steps: list[tuple[str, str, str]]
) -> None:
    folder = home.folder / "types"
    folder.mkdir(exist_ok=True)
    for path in sorted(folder.rglob("*.py")):
        path.unlink()
    for what, name, how in [*steps, ("scan", "", "")]:
        if what != "scan":
            step(drop, folder, what, name, how)
            continue
        bare = Factory([], prober=Counting())
        bare.add_path(str(folder))
        assert told(home.scan()) == told(bare)
