"""What happens to a journal: killed writers, full disks, strange files. What was committed is there."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from topcook.errors import RecorderError
from topcook.model.states import WorkItemState
from topcook.runtime.journal import Past, schema
from topcook.testkit.journaldesk import JournalDesk

#: Has a child commit hand-overs and ends, each told once its commit has returned, and kills it after some of them.
KILLER = """
import os, random, signal, sys
from pathlib import Path
from topcook.testkit.journaldesk import JournalDesk

folder, rounds, how = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
for number in range(rounds):
    path = folder / f"{number}.sqlite"
    read, write = os.pipe()
    child = os.fork()
    if not child:
        desk = JournalDesk(path, power=how == "power", network_disk=how == "network")
        while True:
            item = desk.item()
            desk.hand_over(item)
            os.write(write, b".")
            desk.end(item)
            os.write(write, b".")
    os.close(write)
    goal, said = random.randrange(1, 300), 0
    while said < goal:
        said += len(os.read(read, 1)) or sys.exit("the writer ended by itself")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while rest := os.read(read, 4096):
        said += len(rest)
    os.close(read)
    print(number, said, flush=True)
"""


LIMITED = """
import resource, signal, sys
from pathlib import Path
from topcook.errors import RecorderError
from topcook.testkit.journaldesk import JournalDesk

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
desk = JournalDesk(Path(sys.argv[1]))
try:
    while True:
        desk.hand_over(desk.item())
except RecorderError as error:
    print(len(desk.items) - 1, error)
"""


@pytest.mark.parametrize(("how", "rounds"), [("process", 60), ("power", 20), ("network", 5)])
def test_whoever_is_killed_while_writing_leaves_a_journal_with_all_that_was_committed(
    tmp_path: Path, how: str, rounds: int
) -> None:
    told = subprocess.run(
        [sys.executable, "-c", KILLER, tmp_path, str(rounds), how], capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in told.stdout.splitlines()]
    assert len(lines) == rounds
    for number, said in lines:
        past = Past.open(str(tmp_path / f"{number}.sqlite"))
        done = [item for item in past.items() if item.state is WorkItemState.CookedSuccess]
        # Two commits an item; the last one may be there although nobody was told of it.
        assert 2 * len(done) + len(past.in_flight()) - int(said) in {0, 1}
        assert past.outcome == ""
        with sqlite3.connect(past.path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = (
        shutil.which("mount")
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("a small tmpfs can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("network_disk", [False, True])
def test_a_full_disk_is_an_error_and_what_was_committed_stays(small_disk: Path, network_disk: bool) -> None:
    desk = JournalDesk(small_disk / "j.sqlite", network_disk=network_disk)
    with pytest.raises(RecorderError, match=r"j\.sqlite.*full.*bytes are free"):  # noqa: PT012 - which commit is last
        while True:
            desk.hand_over(desk.item())
    desk.journal.close("failed")
    past = Past.open(desk.path)
    assert len(past.in_flight()) == len(desk.items) - 1
    # How it ended could not be written: a cook that is resumed goes on.
    assert past.outcome == ""


def test_a_disk_that_is_full_from_the_beginning_refuses_the_journal(small_disk: Path) -> None:
    (small_disk / "rest").write_bytes(b"\0" * os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize)
    with pytest.raises(RecorderError, match=r"cannot be written.*\n.*--journal DIR"):
        JournalDesk(small_disk / "j.sqlite")


def test_a_limit_on_file_sizes_is_an_error_and_what_was_committed_stays(tmp_path: Path) -> None:
    limited = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path / "j.sqlite"], capture_output=True, text=True, check=True
    )
    number, words = limited.stdout.split(" ", 1)
    assert "cannot be written" in words
    assert len(Past.open(str(tmp_path / "j.sqlite")).in_flight()) == int(number)


def test_where_nothing_may_be_written_a_journal_is_refused_with_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecorderError, match=r"File exists(.|\n)*--journal DIR(.|\n)*--no-journal"):
        JournalDesk(tmp_path / "file" / "j.sqlite")


def test_a_journal_that_is_gone_or_no_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecorderError, match="there is no journal"):
        Past.open(str(tmp_path / "none.sqlite"))
    with sqlite3.connect(tmp_path / "other.sqlite") as connection:
        connection.execute("CREATE TABLE something (a)")
    connection.close()
    for attempt in (Past.open, lambda path: JournalDesk(Path(path))):
        with pytest.raises(RecorderError, match="is a database, but no journal of a cook"):
            attempt(str(tmp_path / "other.sqlite"))
    (tmp_path / "text.sqlite").write_text("no database at all, but long enough to be taken for one" * 100)
    for attempt in (Past.open, lambda path: JournalDesk(Path(path))):
        with pytest.raises(RecorderError, match="not a database"):
            attempt(str(tmp_path / "text.sqlite"))


@pytest.mark.parametrize("begun", ["", "PRAGMA journal_mode = WAL", "BEGIN; CREATE TABLE session (number)"])
def test_a_journal_whose_cook_was_killed_before_it_wrote_anything_knows_of_nothing(tmp_path: Path, begun: str) -> None:
    path = tmp_path / "j.sqlite"
    path.touch()
    connection = sqlite3.connect(path)
    connection.executescript(begun)
    # What is not committed is gone with who was about to.
    connection.close()
    past = Past.open(str(path))
    assert (list(past.items()), past.sessions, past.outcome) == ([], [], "")
    desk = JournalDesk(path)
    desk.hand_over(desk.item())
    desk.journal.close()
    assert len(Past.open(str(path)).in_flight()) == 1


def test_a_damaged_journal_is_an_error_in_words(desk: JournalDesk) -> None:
    for _ in range(300):
        desk.item()
    desk.hand_over(*desk.items)
    desk.journal.close("cooked")
    content = bytearray(Path(desk.path).read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    Path(desk.path).write_bytes(content)
    with pytest.raises(RecorderError, match="cannot be read"):
        Past.open(desk.path)


def test_a_journal_of_a_newer_version_is_refused(desk: JournalDesk) -> None:
    desk.journal.close("cooked")
    with sqlite3.connect(desk.path) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    for attempt in (Past.open, lambda path: JournalDesk(Path(path))):
        with pytest.raises(RecorderError, match=r"newer Topcook: it is of version \d+"):
            attempt(desk.path)


def test_a_journal_of_a_version_that_nobody_reads_any_more_is_refused(desk: JournalDesk) -> None:
    desk.journal.close("cooked")
    with sqlite3.connect(desk.path) as connection:
        connection.execute("PRAGMA user_version = 0")
    connection.close()
    with pytest.raises(RecorderError, match="does not read any more"):
        Past.open(desk.path)


def test_an_older_journal_is_brought_up_to_date_when_it_is_opened(
    desk: JournalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.hand_over(desk.item())
    desk.journal.close("cooked")
    with sqlite3.connect(desk.path) as connection:
        # Version 0, as it never was: items had no frame.
        connection.execute("ALTER TABLE item DROP COLUMN frame")
        connection.execute("PRAGMA user_version = 0")
    connection.close()
    monkeypatch.setitem(
        schema.MIGRATIONS, 0, lambda connection: connection.execute("ALTER TABLE item ADD COLUMN frame REAL")
    )
    assert [item.frame for item in Past.open(desk.path).items()] == [None]
    with sqlite3.connect(desk.path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    connection.close()


def test_a_migration_that_fails_changes_nothing(desk: JournalDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.hand_over(desk.item())
    desk.journal.close("cooked")
    with sqlite3.connect(desk.path) as connection:
        connection.execute("PRAGMA user_version = 0")
    connection.close()

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("DROP TABLE message")
        connection.execute("no such thing")

    monkeypatch.setitem(schema.MIGRATIONS, 0, half)
    with pytest.raises(RecorderError, match="cannot be read"):
        Past.open(desk.path)
    monkeypatch.setitem(schema.MIGRATIONS, 0, lambda _connection: None)
    assert len(Past.open(desk.path)) == 1


def test_only_its_owner_may_read_a_journal(tmp_path: Path) -> None:
    desk = JournalDesk(tmp_path / "cook" / "j.sqlite")
    desk.hand_over(desk.item())
    assert {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "cook").iterdir()} == {
        "j.sqlite": 0o600,
        "j.sqlite-wal": 0o600,
        "j.sqlite-shm": 0o600,
    }


def test_on_a_network_disk_there_is_nothing_but_the_one_file_between_commits(tmp_path: Path) -> None:
    desk = JournalDesk(tmp_path / "cook" / "j.sqlite", network_disk=True)
    desk.hand_over(desk.item())
    desk.journal.close("cooked")
    assert len(Past.open(desk.path).in_flight()) == 1
    assert not [path for path in (tmp_path / "cook").iterdir() if path.name.endswith(("-wal", "-shm"))]
