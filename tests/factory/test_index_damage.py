"""The file of the index: damaged, foreign, locked, of somebody else, on a full disk. None of it is fatal."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factory.indexhome import Home, only, told
from topcook.errors import SchedulerContractError
from topcook.factory import State

Drop = Callable[..., Path]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look happens ten seconds after now, so that stamps count as proof at once."""
    monkeypatch.setattr("topcook.factory.index.entries.time.time", lambda: time.time_ns() / 1e9 + 10)


def test_a_file_that_is_no_index_is_set_aside_and_made_anew(drop: Drop, home: Home) -> None:
    drop("farm.py")
    home.path.parent.mkdir()
    home.path.write_bytes(b"not a database" * 1000)
    home.path.chmod(0o600)
    assert only(home.scan()).state is State.OK
    assert "could not be read" in home.notes[0]
    assert home.path.with_name("index.sqlite3.damaged").exists()
    home.scan()
    assert home.probed == []


@settings(max_examples=40)
@given(data=st.data())
def test_no_damage_to_the_file_is_fatal(drop: Drop, home: Home, data: st.DataObject) -> None:
    drop("farm.py")
    drop("broken.py", "1/0\ndef registerTypes(r): ...\n")
    home.path.unlink(missing_ok=True)
    right = told(home.scan())
    content = bytearray(home.path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(1, 64))] = data.draw(st.binary(max_size=64))
    home.path.write_bytes(content)
    factory = home.scan()
    assert len(factory.records) == len(right)
    for record in factory.records:
        assert record.name
        assert isinstance(record.problems, list)
    home.path.unlink(missing_ok=True)
    assert told(home.scan()) == right


FOREIGN = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=5) | st.binary(max_size=5)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_value_in_any_column_is_fatal(drop: Drop, home: Home, data: st.DataObject) -> None:
    drop("farm.py", "import helper\n" + drop("farm.py").read_text(encoding="utf-8"))
    drop("helper.py", "X = 1\n")
    drop("broken.py", "1/0\ndef registerTypes(r): ...\n")
    home.path.unlink(missing_ok=True)
    right = {each.origin.path for each in home.scan().records}
    with sqlite3.connect(home.path) as connection:
        table = data.draw(st.sampled_from(["candidate", "record", "directory", "source", "blob"]))
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        column = data.draw(st.sampled_from([each for each in columns if each not in {"id", "environment"}]))
        value = data.draw(FOREIGN)
        try:
            connection.execute(f"UPDATE OR IGNORE {table} SET {column} = ?", (value,))
        except sqlite3.IntegrityError:
            value = None  # What may not be NULL is not.
    connection.close()
    factory = home.scan()
    # A name may be damaged and still be one; no file is lost, and whatever is said of it can be said.
    assert {each.origin.path for each in factory.records} == right, (table, column, value)
    told(factory)
    for record in factory.records:
        record.why_not()
        [str(each) for each in record.problems]
        if record.usable:
            with suppress(SchedulerContractError):
                factory.load(record)


def test_an_older_layout_is_set_aside(drop: Drop, home: Home) -> None:
    drop("farm.py")
    home.path.parent.mkdir()
    with sqlite3.connect(home.path) as connection:
        connection.execute("CREATE TABLE candidate (something TEXT)")
        connection.execute("CREATE TABLE environment (something TEXT)")
    connection.close()
    home.path.chmod(0o600)
    assert only(home.scan()).state is State.OK
    assert home.notes
    assert only(home.scan()).state is State.OK


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners here")
def test_an_index_that_others_may_write_or_that_is_anothers_is_not_believed(drop: Drop, home: Home) -> None:
    drop("farm.py")
    home.scan()
    home.path.chmod(0o622)
    home.scan()
    assert home.probed == ["farm"]
    assert "chmod go-w" in home.notes[0]
    home.path.chmod(0o600)
    home.scan()
    assert home.probed == []
    if os.geteuid() == 0:
        os.chown(home.path, 4242, 4242)
        home.scan()
        assert home.probed == ["farm"]
        assert "another user" in home.notes[0]


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_an_index_beside_which_everybody_may_put_a_journal_is_not_believed(drop: Drop, home: Home, mode: int) -> None:
    drop("farm.py")
    home.scan()
    home.path.parent.chmod(mode)
    home.scan()
    assert home.probed == ["farm"]
    assert "everybody may put files beside" in home.notes[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("kind", ["pipe", "directory", "device"])
def test_what_is_no_file_is_no_index_and_is_left_where_it_is(drop: Drop, home: Home, kind: str) -> None:
    drop("farm.py")
    home.path.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(home.path, 0o600)
    elif kind == "directory":
        home.path.mkdir(0o700)
    else:
        home.path.symlink_to("/dev/null")
    before = home.path.stat()
    assert only(home.scan()).state is State.OK
    assert "no regular file" in home.notes[0]
    assert home.path.stat() == before or kind == "device"
    assert [each.name for each in home.path.parent.iterdir()] == [home.path.name]


def test_the_index_is_for_nobody_else_to_read(drop: Drop, home: Home) -> None:
    drop("farm.py")
    home.scan()
    assert home.path.stat().st_mode & 0o777 == 0o600
    assert home.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_place_that_cannot_be_written_to_costs_time_only(drop: Drop, home: Home) -> None:
    drop("farm.py")
    home.path = Path("/proc/nowhere/index.sqlite3")
    assert only(home.scan()).state is State.OK
    assert "could not be written" in home.notes[0]


def test_an_index_that_another_process_has_locked_keeps_nobody_waiting(drop: Drop, home: Home) -> None:
    drop("farm.py")
    home.scan()
    drop("more.py")
    locker = sqlite3.connect(home.path, isolation_level=None)
    try:
        locker.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        factory = home.scan()
        assert time.monotonic() - begun < 5
        assert {record.name for record in factory.records} == {"farm", "more"}
        assert home.notes
    finally:
        locker.close()
    assert {record.name for record in home.scan().records} == {"farm", "more"}


FULL = """
import resource, sys
from topcook.factory import Factory
from topcook.factory.index import Index
from topcook.factory.index.database import Database
from topcook.factory.index.rows import SCHEMA
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
index = Index(Database(sys.argv[1], SCHEMA), "here")
factory = Factory([], index=index)
factory.add_path(sys.argv[2])
print(*sorted(record.name for record in factory.records))
print(*index.notes)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes here")
def test_a_full_disk_costs_time_only(drop: Drop, home: Home) -> None:
    for number in range(20):
        drop(f"farm{number:02}.py")
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", FULL, str(home.path), str(home.folder / "types")],
            capture_output=True,
            text=True,
            check=True,
        )
        names, _, notes = done.stdout.partition("\n")
        assert len(names.split()) == 20
        assert "could not be written" in notes


def test_two_processes_at_once_do_no_harm(drop: Drop, home: Home) -> None:
    for number in range(10):
        drop(f"farm{number}.py")
    code = FULL.replace("resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))", "")
    arguments = [sys.executable, "-c", code, str(home.path), str(home.folder / "types")]
    started = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = {each.communicate()[0].partition("\n")[0] for each in started}
    assert outputs == {" ".join(f"farm{number}" for number in range(10))}
    home.scan()
    assert home.probed == []
