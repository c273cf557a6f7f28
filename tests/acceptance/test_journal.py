"""What a cook leaves behind that did not end well, and the same cook twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from topcook.runtime.journal import Past
from topcook.runtime.keeper.record import read_record

# Reports a file, says so when it was answered, and goes on until it is let go.
REPORTER = """
[nodes.one]
type = "genericgenerator"
[nodes.one.parms]
command = "sh -c '__PDG_PYTHON__ __PDG_SCRIPTDIR__/pdgcmd.py addOutputFile /etc/hostname && echo yes > answered; read line < go'"
"""


class Fifos:
    """Two pipes in the working directory: the job says there that it was answered, and is let go."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.answered, self.go = folder / "answered", folder / "go"
        os.mkfifo(self.answered)
        os.mkfifo(self.go)
        # Open for both, so that nobody waits for an other end that has died.
        self._go = os.open(self.go, os.O_RDWR)

    def wait(self) -> None:
        assert self.answered.read_text().strip() == "yes"

    def let_go(self) -> None:
        os.write(self._go, b"\n")


@pytest.fixture
def fifos(shell: Any) -> Iterator[Fifos]:
    made = Fifos(shell.folder / "work")
    yield made
    made.let_go()


def journals(shell: Any) -> list[Path]:
    home = Path(shell.environment["HOME"])
    return sorted((home / ".local" / "state" / "topcook" / "cooks").glob("*/journal.sqlite"))


def test_what_was_answered_to_a_job_is_in_the_journal_whenever_the_engine_is_killed(shell: Any, fifos: Fifos) -> None:
    process = shell.start("cook", shell.network(REPORTER))
    fifos.wait()
    process.send_signal(signal.SIGKILL)
    process.wait()
    (journal,) = journals(shell)
    past = Past.open(str(journal))
    (item,) = past.items()
    assert [file.path for file in item.outputs] == ["/etc/hostname"]
    assert item.in_flight
    assert past.outcome == ""
    # The token is what the keeper's record, and a farm, know the job by.
    assert read_record(str(journal.parent))[item.token].is_running


def test_the_same_cook_twice_is_refused_and_the_lock_of_a_killed_one_is_taken_over(shell: Any, fifos: Fifos) -> None:
    network = shell.network(REPORTER)
    process = shell.start("cook", network)
    fifos.wait()
    second = shell.run("cook", network, status=2)
    assert f"is being cooked already: cook {journals(shell)[0].parent.name} by " in second.stderr
    assert f"topcook cancel {journals(shell)[0].parent.name}" in second.stderr
    assert len(journals(shell)) == 1
    # Another network in the same directory is another cook.
    other = shell.network('[nodes.two]\ntype = "genericgenerator"\n[nodes.two.parms]\ncommand = "true"\n', "other.toml")
    shell.run("cook", other)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (shell.folder / "work" / "answered").unlink()
    third = shell.run("cook", shell.network('[nodes.one]\ntype = "genericgenerator"\n'))
    assert "did not end: process " in third.stdout + third.stderr


def test_a_cook_without_a_journal_leaves_none(shell: Any) -> None:
    network = shell.network('[nodes.one]\ntype = "genericgenerator"\n')
    shell.run("cook", network, "--no-journal")
    assert journals(shell) == []
    clash = shell.run("cook", network, "--no-journal", "--journal", "here", status=2)
    assert "--no-journal" in clash.stderr


@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_journal_lies_where_it_is_wanted_and_the_pointer_names_it(shell: Any, durability: str) -> None:
    network = shell.network('[nodes.one]\ntype = "genericgenerator"\n')
    shell.run("cook", network, "--journal", "kept", "--durability", durability)
    (journal,) = (shell.folder / "kept").glob("*.sqlite")
    (pointer,) = (shell.folder / "work" / "pdgtemp").glob("cook.net.*.json")
    said = json.loads(pointer.read_text())
    assert said["journal"] == str(journal)
    assert said["ended"] == "cooked"
    assert Past.open(str(journal)).sessions[0].facts["durability"] == durability


@pytest.fixture
def small_disk(shell: Any) -> Iterator[Path]:
    folder = Path(shell.folder / "small")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small tmpfs can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_when_the_disk_of_the_journal_is_full_the_cook_ends_and_nothing_ran_unrecorded(
    shell: Any, small_disk: Path
) -> None:
    network = shell.network("""
        [nodes.many]
        type = "genericgenerator"
        [nodes.many.parms]
        itemcount = 900
        command = "touch @pdg_name.ran"
        """)
    done = shell.run("cook", network, "--journal", small_disk, status=1)
    assert "the cook stops: what happened could not be recorded" in done.stderr
    assert "full" in done.stderr
    ran = {path.stem for path in (shell.folder / "work").glob("*.ran")}
    (journal,) = small_disk.glob("*.sqlite")
    past = Past.open(str(journal))
    given = {item.name for item in past.items() if item.token}
    assert ran <= given
    assert len(ran) < 900
    assert past.outcome == ""


def test_a_journal_that_cannot_be_made_is_refused_before_anything_runs(shell: Any) -> None:
    network = shell.network('[nodes.one]\ntype = "genericgenerator"\n[nodes.one.parms]\ncommand = "touch ran"\n')
    shell.write("file", "")
    done = shell.run("cook", network, "--journal", "file/below", status=2)
    assert "--no-journal" in done.stderr
    assert not (shell.folder / "work" / "ran").exists()


def test_what_the_keeper_wrote_down_stays_when_the_journal_could_not_take_it(shell: Any, small_disk: Path) -> None:
    network = shell.network("""
        [nodes.many]
        type = "genericgenerator"
        [nodes.many.parms]
        itemcount = 900
        command = "touch @pdg_name.ran"
        """)
    shell.run("cook", network, "--journal", small_disk, status=1)
    (journal,) = small_disk.glob("*.sqlite")
    past = Past.open(str(journal))
    record = read_record(str(Path(shell.environment["HOME"], ".local/state/topcook/cooks", past.cook_id)))
    told = {token for token, job in record.items() if job.ended is not None}
    ended = {item.name for item in past.items() if not item.in_flight or item.token in told}
    assert {path.stem for path in (shell.folder / "work").glob("*.ran")} <= ended


@pytest.mark.parametrize("options", [[], ["--no-journal"]], ids=["journal", "keeper"])
def test_a_state_directory_that_cannot_be_used_is_told_with_how_to_have_another(shell: Any, options: list[str]) -> None:
    (shell.folder / "file").touch()
    shell.environment["TOPCOOK_STATE_DIR"] = str(shell.folder / "file")
    network = shell.network('[nodes.one]\ntype = "genericgenerator"\nparms.command = "true"\n')
    assert "TOPCOOK_STATE_DIR=DIR" in shell.run("cook", network, *options, status=1 if options else 2).stderr


def test_who_goes_on_from_a_damaged_journal_hears_what_to_type_instead(shell: Any) -> None:
    network = shell.network('[nodes.one]\ntype = "genericgenerator"\n')
    shell.run("cook", network)
    (cook,) = json.loads(shell.run("cooks", "--json").stdout)
    Path(cook["journal"]).write_bytes(b"no journal" * 1000)
    assert "leave --resume away" in shell.run("cook", network, "--resume", status=2).stderr
    shell.run("cook", network)
