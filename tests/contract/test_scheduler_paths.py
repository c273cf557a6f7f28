"""Directories, localized paths, and files that are truly copied."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.contract.scheduler import PyScheduler
from topcook.errors import RecursionTrapError
from topcook.testkit import FakeGraph, FakeHost


@pytest.fixture
def host(tmp_path: Path) -> FakeHost:
    (tmp_path / "net").mkdir()
    (tmp_path / "work").mkdir()
    graph = FakeGraph(hip=str(tmp_path / "net"), environment={"PROJ": "/proj"})
    return FakeHost(graph, working=str(tmp_path / "work"))


@pytest.fixture
def scheduler(host: FakeHost) -> PyScheduler:
    return host.make(PyScheduler)


def test_directories_follow_the_working_directory_unless_set(scheduler: PyScheduler) -> None:
    scheduler.setWorkingDir("/l", "/r")
    assert (scheduler.workingDir(True), scheduler.workingDir(False)) == ("/l", "/r")
    assert (scheduler.tempDir(True), scheduler.dataDir(False)) == ("/l/pdgtemp/1", "/r/pdgtemp/1/data")
    scheduler.setTempDir("/tl", "/tr")
    scheduler.setScriptDir("$PROJ/s", "/rs")
    assert (scheduler.logDir(False), scheduler.getLocalLogDir()) == ("/tr/logs", "/tl/logs")
    assert (scheduler.scriptDir(True), scheduler.scriptDir(False)) == ("/proj/s", "/rs")


def test_a_relative_working_directory_starts_at_hip(host: FakeHost, scheduler: PyScheduler) -> None:
    scheduler.setWorkingDir(".", ".")
    assert scheduler.workingDir(True) == scheduler.workingDir(False) == host.graph.network.hip


@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("__PDG_DIR__/a.exr", "/l/a.exr"),
        ("__PDG_SHARED_ROOT__", "/l"),
        ("__PDG_TEMP__/x __PDG_SCRIPTDIR__", "/l/pdgtemp/1/x /l/pdgtemp/1/scripts"),
        ("sub/a.exr", "/l/sub/a.exr"),
        ("/r/a.exr", "/l/a.exr"),
        ("/rest/a.exr", "/rest/a.exr"),
        ("$PROJ/a", "/proj/a"),
        ("P:/a", "P:/a"),
        ("\\\\srv\\a", "\\\\srv\\a"),
        ("http://x/y", "http://x/y"),
        ("", ""),
    ],
)
def test_paths_are_localized(scheduler: PyScheduler, path: str, local: str) -> None:
    scheduler.setWorkingDir("/l", "/r")
    assert scheduler.localizePath(path) == local


@pytest.mark.parametrize(
    ("path", "portable"),
    [
        ("/l/a.exr", "__PDG_DIR__/a.exr"),
        ("/r/a.exr", "__PDG_DIR__/a.exr"),
        ("/l/pdgtemp/1/x", "__PDG_TEMP__/x"),
        ("/l/pdgtemp/1/scripts/x.py", "__PDG_SCRIPTDIR__/x.py"),
        ("/lost/x", "/lost/x"),
        ("/l", "__PDG_DIR__"),
        ("", ""),
    ],
)
def test_paths_are_made_portable(scheduler: PyScheduler, path: str, portable: str) -> None:
    scheduler.setWorkingDir("/l", "/r")
    assert scheduler.delocalizePath(path) == portable


@given(st.text(alphabet="abc/._- ", max_size=20))
def test_a_portable_path_comes_back_as_it_was(tail: str) -> None:
    made = FakeHost(FakeGraph(environment={})).make(PyScheduler)
    made.setWorkingDir("/l", "/r")
    path = "/l/" + tail
    assert made.localizePath(made.delocalizePath(path)) == path


def test_the_seeds_working_directory_snippet_works(host: FakeHost) -> None:
    class Farm(PyScheduler):
        def workingDir(self, local: bool = True) -> str:
            folder = self["pdg_workingdir"].evaluateString()  # type: ignore[union-attr]
            return folder if local else self.localizePath(folder)

    host.parms.set("pdg_workingdir", "/shared")
    made = host.make(Farm)
    assert made.workingDir(False) == "/shared"
    assert made.localizePath("__PDG_DIR__/a") == "/shared/a"


def test_two_paths_that_ask_each_other_are_caught(host: FakeHost) -> None:
    class Loop(PyScheduler):
        def workingDir(self, local: bool = True) -> str:
            return self.localizePath("__PDG_DIR__")

    with pytest.raises(RecursionTrapError, match="workingDir and localizePath"):
        host.make(Loop).workingDir(True)


def transferred(scheduler: PyScheduler, path: Path) -> Path:
    assert scheduler.transferFile(str(path)) is True
    return Path(scheduler.workingDir(True))


def test_a_file_is_copied_with_time_and_mode_and_keeps_its_place_below_hip(
    host: FakeHost, scheduler: PyScheduler
) -> None:
    source = Path(host.graph.network.hip, "scripts", "run.sh")
    source.parent.mkdir()
    source.write_text("#!/bin/sh\n")
    source.chmod(0o755)
    os.utime(source, (1e9, 1e9))
    copy = transferred(scheduler, source) / "scripts/run.sh"
    assert copy.read_text() == "#!/bin/sh\n"
    assert (stat.S_IMODE(copy.stat().st_mode), copy.stat().st_mtime) == (0o755, 1e9)
    assert scheduler.formatTransferPath("scripts/run.sh") == "__PDG_DIR__/scripts/run.sh"


def test_a_file_from_elsewhere_lands_at_the_top(scheduler: PyScheduler, tmp_path: Path) -> None:
    source = tmp_path / "else.txt"
    source.write_text("x")
    assert (transferred(scheduler, source) / "else.txt").read_text() == "x"


def test_the_same_content_is_not_written_again_and_other_content_is(scheduler: PyScheduler, tmp_path: Path) -> None:
    source = tmp_path / "a.bin"
    source.write_bytes(b"one")
    copy = transferred(scheduler, source) / "a.bin"
    first = copy.stat().st_ino
    transferred(scheduler, source)
    assert copy.stat().st_ino == first
    stamp = source.stat()
    source.write_bytes(b"two")
    os.utime(source, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    transferred(scheduler, source)
    assert copy.read_bytes() == b"two"


def test_a_directory_goes_with_all_it_holds(scheduler: PyScheduler, tmp_path: Path) -> None:
    (tmp_path / "tex/sub").mkdir(parents=True)
    (tmp_path / "tex/a").write_text("a")
    (tmp_path / "tex/sub/b").write_text("b")
    copy = transferred(scheduler, tmp_path / "tex") / "tex"
    assert sorted(str(path.relative_to(copy)) for path in copy.rglob("*")) == ["a", "sub", "sub/b"]
    assert not list(copy.rglob("*.part"))


def test_what_is_in_the_working_directory_already_stays(scheduler: PyScheduler) -> None:
    there = Path(scheduler.workingDir(True), "sub/x")
    there.parent.mkdir()
    there.write_text("x")
    transferred(scheduler, there)
    assert not there.parents[1].joinpath("x").exists()


def test_a_working_directory_inside_what_is_copied_does_not_copy_itself(host: FakeHost, tmp_path: Path) -> None:
    made = host.make(PyScheduler)
    (tmp_path / "a").write_text("a")
    assert made.transferFile(str(tmp_path))
    assert not (tmp_path / "work" / tmp_path.name / "work").exists()


@pytest.mark.parametrize("kind", ["missing", "fifo", "blocked"])
def test_a_failure_is_told_and_false(host: FakeHost, scheduler: PyScheduler, tmp_path: Path, kind: str) -> None:
    source = tmp_path / "source"
    if kind == "fifo":
        os.mkfifo(source)
    if kind == "blocked":
        source.write_text("x")
        Path(scheduler.workingDir(True)).rmdir()
        Path(scheduler.workingDir(True)).write_text("a file where a directory should be")
    assert scheduler.transferFile(str(source)) is False
    assert str(source) in host.warnings[0]


def test_the_base_never_calls_the_fields_own_transfer(host: FakeHost, tmp_path: Path) -> None:
    class Saved(PyScheduler):
        def onTransferFile(self, file_path: str) -> Any:
            return self.transferFile(file_path)

    (tmp_path / "a").write_text("a")
    assert host.make(Saved).onTransferFile(str(tmp_path / "a")) is True


def test_only_a_temp_directory_of_this_cook_is_removed(host: FakeHost, scheduler: PyScheduler) -> None:
    temp = Path(scheduler.tempDir(True))
    temp.mkdir(parents=True)
    assert scheduler.cleanTempDirectory() is False
    host.directories.made.add(str(temp))
    assert scheduler.cleanTempDirectory() is True
    assert not temp.exists()
    scheduler.setTempDir(scheduler.workingDir(True))
    host.directories.made.add(scheduler.workingDir(True))
    assert scheduler.cleanTempDirectory() is False
