"""What a cook writes goes wrong in the middle: full disks, disks that fail, files that somebody removed or damaged.

Each time the cook stops with words, nothing that was written down is lost, and it goes on when all is well again.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crash.bench import CrashBench, Tools, until

pytestmark = pytest.mark.crash

MAIN, JOURNAL, RECORD = "/journal.sqlite", "/journal.sqlite-wal", "/keeper.record"
EVER = 10**9


@pytest.fixture
def bench(tmp_path: Path, tools: Tools) -> Iterator[CrashBench]:
    made = CrashBench(tmp_path / "cook", tools)
    yield made
    made.close()


def goes_wrong(bench: CrashBench, *options: str, fault: str, status: int = 1) -> str:
    """Cook with a fault, which has to end the cook with this exit status; answers what was said."""
    ended = bench.wait(bench.start("--progress", "off", *options, fault=fault))
    told = bench.told()
    assert ended == status, bench.whole_story([f"the status is {ended}"])
    assert "Traceback" not in told, told
    # Whatever was running is gone when the cook has stopped.
    assert not bench.jobs()
    return told


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.EIO, "disk I/O error"), (errno.ENOSPC, "full"), (errno.EROFS, "disk I/O error")],
    ids=["EIO", "ENOSPC", "EROFS"],
)
@pytest.mark.parametrize("first", [1, 40, 100])
def test_a_journal_that_cannot_be_written_stops_the_cook_which_goes_on_later(
    bench: CrashBench, number: int, reason: str, first: int
) -> None:
    # Where nothing can be written from the beginning, nothing runs.
    told = goes_wrong(bench, fault=f"write {JOURNAL} {first} {EVER} {number}", status=2 if first == 1 else 1)
    assert first > 1 or not bench.lines()
    assert "the cook stops: what happened could not be recorded" in told or "cannot be written" in told
    assert reason in told
    bench.look()
    bench.finish()


def test_with_power_each_commit_waits_for_the_disk_and_one_that_fails_stops_the_cook(bench: CrashBench) -> None:
    """Whatever had been synced is there; without ``power`` the cook does not care."""
    fault = f"sync {JOURNAL} 6 {EVER} {errno.EIO}"
    assert "disk I/O error" in goes_wrong(bench, "--durability", "power", fault=fault)
    bench.look()
    bench.finish()


@pytest.mark.parametrize("fault", [f"sync {JOURNAL} 1 {EVER} {errno.EIO}", f"write {MAIN} 3 {EVER} {errno.ENOSPC}"])
def test_what_goes_wrong_when_the_journal_is_put_together_at_the_end_costs_nothing(
    bench: CrashBench, fault: str
) -> None:
    """All of it is in the journal's second file by then."""
    assert bench.wait(bench.start("--progress", "off", fault=fault)) == 0
    assert len(bench.look().done) == len(bench.names)
    bench.finish()


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_a_keeper_whose_record_cannot_be_written_serves_on(bench: CrashBench, number: int) -> None:
    """What it cannot write it keeps, until there is room: what the engine has heard is in the journal anyway."""
    assert bench.wait(bench.start("--progress", "off", fault=f"write {RECORD} 3 60 {number}")) == 0
    assert not bench.broken_promises()


GATED = """
[network]
name = "net"
scheduler = "local"
[schedulers.local]
type = "localscheduler"
[schedulers.local.parms]
pdg_workingdir = "$HIP/work"
maxprocsmenu = 1
maxprocs = 2
[nodes.first]
type = "genericgenerator"
[nodes.first.parms]
itemcount = 20
command = "JOB $HIP/effects $HIP/locks first_@pdg_index"
[nodes.gate]
type = "genericgenerator"
inputs = ["first"]
[nodes.gate.parms]
command = "sh -c 'while [ ! -e $HIP/gate ]; do sleep 0.02; done; JOB $HIP/effects $HIP/locks gate_@pdg_index'"
"""
GATED_NAMES = [f"{node}_{index}" for node in ("first", "gate") for index in range(20)]


@pytest.fixture
def gated(tmp_path: Path, tools: Tools) -> Iterator[CrashBench]:
    """A network half of whose jobs wait until there is a file called gate."""
    made = CrashBench(tmp_path / "cook", tools, GATED, GATED_NAMES)
    yield made
    made.close()


def begin(gated: CrashBench, *options: str) -> tuple[subprocess.Popen[str], Path]:
    """A cook whose first half is done, and its journal."""
    engine = gated.start("--progress", "off", *options)

    def at_the_gate() -> bool:
        return len(gated.jobs()) == 2 and len(gated.look().done) == 20

    until(at_the_gate, "all of the first half written down")
    [journal] = gated.state.glob("*/journal.sqlite")
    return engine, journal


def released(gated: CrashBench, engine: subprocess.Popen[str], status: int) -> str:
    """Let the jobs at the gate go on; the cook has to end with this status. Answers what was said."""
    (gated.folder / "gate").touch()
    ended = gated.wait(engine)
    told = gated.told()
    assert ended == status, gated.whole_story([f"the status is {ended}"])
    assert "Traceback" not in told, told
    return told


def test_a_cook_whose_journal_is_removed_ends_and_says_so(gated: CrashBench) -> None:
    engine, journal = begin(gated)
    for path in journal.parent.glob("journal.sqlite*"):
        path.unlink()
    # Without the gate: it ends by itself.
    assert gated.wait(engine) == 1
    assert "was removed while the cook ran: nothing can be kept any more" in gated.told()
    assert not gated.jobs()
    assert gated.wait(gated.start("--resume")) == 2
    assert "is not there any more\n    cook it from the start: leave --resume away" in gated.told()


def cut(path: Path) -> None:
    os.truncate(path, 0)


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def scribble(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as stream:
        stream.seek(size // 3)
        stream.write(b"\xa5" * (size // 2))


@pytest.mark.parametrize("end", ["", "-wal"])
@pytest.mark.parametrize("damage", [cut, shorten, scribble])
def test_a_journal_that_is_damaged_while_the_cook_runs_is_told_or_serves_and_is_never_believed(
    gated: CrashBench, damage: Callable[[Path], None], end: str
) -> None:
    engine, journal = begin(gated)
    damage(Path(f"{journal}{end}"))
    (gated.folder / "gate").touch()
    status = gated.wait(engine)
    assert status in {0, 1}, gated.whole_story([f"the status is {status}"])
    gated.looks.clear()
    resumed = gated.wait(gated.start("--progress", "off", "--resume"))
    told = gated.told()
    assert "Traceback" not in told, told
    if resumed == 2:
        assert re.search(r"journal .*(cannot be (read|written)|is not there|is damaged)", told), told
        assert gated.wait(gated.start("--progress", "off")) == 0
    else:
        assert resumed == 0, gated.whole_story([f"the status is {resumed}"])
    ends = {line.name for line in gated.lines() if line.what == "end"}
    assert ends == set(gated.names)
    assert not [line for line in gated.lines() if line.what == "overlap"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk for 2 MiB, and for 1,000 files."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    command = ["mount", "-t", "tmpfs", "-o", "size=2m,nr_inodes=1000", "tmpfs", str(folder)]
    if not mount or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small tmpfs can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(disk: Path) -> Path:
    """Leave no room on it, for bytes and for names; removing the folder that this answers makes some again."""
    folder = disk / "filler"
    folder.mkdir()
    with (folder / "bytes").open("wb", buffering=0) as stream:
        for size in (65536, 4096, 512, 1):
            with contextlib.suppress(OSError):
                while stream.write(b"x" * size) == size:
                    pass
    with contextlib.suppress(OSError):
        for number in itertools.count():
            (folder / str(number)).touch()
    return folder


def test_a_disk_that_fills_up_under_the_journal_stops_the_cook_which_goes_on_when_there_is_room(
    gated: CrashBench, small_disk: Path
) -> None:
    (gated.folder / "state").symlink_to(small_disk)
    engine, _ = begin(gated)
    filler = fill(small_disk)
    told = released(gated, engine, 1)
    assert "the cook stops: what happened could not be recorded" in told
    assert "bytes are free)" in told
    gated.look()
    # On that disk the keeper could not write either.
    gated.keeper_died = True
    shutil.rmtree(filler)
    gated.finish()


def test_a_disk_that_is_read_only_refuses_the_cook_and_a_resume_with_words(gated: CrashBench, small_disk: Path) -> None:
    (gated.folder / "state").symlink_to(small_disk)
    engine, _ = begin(gated)
    engine.kill()
    gated.wait(engine)
    (gated.folder / "gate").touch()
    until(lambda: not gated.keepers(), "the keeper's end")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for options in ([], ["--resume"]):
        assert gated.wait(gated.start("--progress", "off", *options)) == 2
        last = gated.told().splitlines()[-3:]
        assert any("journal" in line and ("cannot be" in line) for line in last), last
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    gated.finish()


def test_a_disk_that_fills_up_under_the_logs_fails_items_in_words_and_no_more_than_these(
    gated: CrashBench, small_disk: Path
) -> None:
    (gated.folder / "work").symlink_to(small_disk)
    engine, _ = begin(gated)
    filler = fill(small_disk)
    told = released(gated, engine, 1)
    assert "No space left on device" in told
    failed = set(gated.names) - {line.name for line in gated.lines() if line.what == "end"}
    assert failed
    shutil.rmtree(filler)
    assert gated.wait(gated.start("--progress", "off", "--resume", "--retry-failed")) == 0
    assert not gated.broken_promises()
