"""Ctrl-C and its kin."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

# Says who it is as soon as it runs, and would run for a minute.
SLEEPERS = """
[nodes.sleep]
type = "genericgenerator"
[nodes.sleep.parms]
itemcount = 6
command = "sh -c 'echo $$ > __PDG_DIR__/@pdg_name.pid; sleep 60 & echo $! >> __PDG_DIR__/@pdg_name.pid; wait'"
"""


def wait_for_cooking(process: subprocess.Popen[str], number: int) -> None:
    """Read the progress until that many items cook."""
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("state") == "Cooking":
            number -= 1
            if not number:
                return
    pytest.fail("the cook ended before it was interrupted")


def pids(work: Path) -> list[int]:
    return [int(pid) for path in work.glob("*.pid") for pid in path.read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interrupt_ends_the_jobs_and_the_report_is_written(shell: Any, number: signal.Signals) -> None:
    process = shell.start("cook", shell.network(SLEEPERS), "--progress", "json", "--report", "report.json")
    wait_for_cooking(process, 2)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert json.loads(out.splitlines()[-1])["state"] == "interrupted"
    assert f"interrupted ({number.name})" in err
    assert not [pid for pid in pids(shell.folder / "work") if is_alive(pid)]
    report = shell.report()
    assert report["state"] == "interrupted"
    assert report["counts"] == {"Uncooked": 4, "CookedCancel": 2}


STUBBORN = """
import pdg, time
from pdg.scheduler import PyScheduler
class Stubborn(PyScheduler):
    @classmethod
    def templateName(cls): return "stubborn"
    def onSchedule(self, work_item):
        self.onWorkItemStartCook(work_item.id, -1)
        time.sleep(300)
        return pdg.scheduleResult.CookSucceeded
def registerTypes(type_registry): type_registry.registerScheduler(Stubborn)
"""


def test_a_second_interrupt_ends_at_once_what_a_callback_holds_up(shell: Any) -> None:
    shell.write("types/stubborn.py", STUBBORN)
    shell.environment["PDG_TYPES_PATH"] = str(shell.folder / "types")
    process = shell.start("cook", shell.network(SLEEPERS), "--scheduler", "stubborn", "--progress", "json")
    wait_for_cooking(process, 1)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    # Two signals that wait together are one: the second goes when the first was heard.
    assert any("once more" in line for line in process.stdout)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told.endswith("killed: topcook cooks shows what is left of it, as on a farm\n")


DIARY = """
import pathlib
import subprocess
import time

import pdg
from pdg.scheduler import PyScheduler


class Diary(PyScheduler):
    @classmethod
    def templateName(cls):
        return "diary"

    def note(self, *words):
        with pathlib.Path(__file__).with_name("diary.txt").open("a") as stream:
            print(*words, file=stream)

    def onStart(self):
        self.jobs = []

    def onSchedule(self, work_item):
        command = self.expandCommandTokens(work_item.command, work_item)
        self.jobs.append(subprocess.Popen(command, shell=True, start_new_session=True))
        self.onWorkItemStartCook(work_item.id, -1)

    def onStopCook(self, cancel):
        import os
        import signal

        for job in self.jobs:
            os.killpg(job.pid, signal.SIGKILL)
            job.wait()
        self.note("onStopCook", cancel)
        return True

    def onStop(self):
        self.note("onStop")


def registerTypes(type_registry):
    type_registry.registerScheduler(Diary)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupt_stops_the_cook_of_every_scheduler_and_lets_it_leave(shell: Any, number: signal.Signals) -> None:
    shell.write("types/diary.py", DIARY)
    shell.environment["PDG_TYPES_PATH"] = str(shell.folder / "types")
    process = shell.start("cook", shell.network(SLEEPERS), "--scheduler", "diary", "--progress", "json")
    wait_for_cooking(process, 2)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert (shell.folder / "types" / "diary.txt").read_text().splitlines() == ["onStopCook True", "onStop"]


def test_a_reader_that_goes_away_does_not_end_the_cook(shell: Any) -> None:
    network = shell.network(SLEEPERS.replace("sleep 60", "sleep 0.1"))
    process = shell.start("cook", network, "--progress", "json", "--report", "report.json")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    process.communicate(timeout=60)
    assert shell.report()["counts"] == {"CookedSuccess": 6}
    assert process.returncode == 0


SLOW = """
import os, time
import pdg
from pdg.processor import PyProcessor

HOME = os.environ["HOME_OF_TEST"]
if os.path.exists(HOME + "/armed"):
    with open(HOME + "/began", "a") as stream:
        stream.write(str(os.getpid()))
    while not os.path.exists(HOME + "/gate"):
        time.sleep(0.02)



class Slow(PyProcessor):
    def onGenerate(self, item_holder, upstream_items, generation_type):
        open(HOME + "/made", "a").close()
        item_holder.addWorkItem(inProcess=True)
        return pdg.result.Success

    def onCookTask(self, work_item):
        return pdg.result.Success


def registerTypes(type_registry):
    type_registry.registerNode(Slow, pdg.nodeType.Processor, name="slow", label="Slow")
"""
SLOWLY = """
[nodes.a]
type = "slow"
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize("probed", [True, False])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_before_the_cook_begins_ends_it_and_leaves_nothing(
    shell: Any, number: signal.Signals, *, probed: bool
) -> None:
    """While types are probed, or while the cook is being prepared: its lock is taken, and a type's file read."""
    types = shell.write("types/slow.py", SLOW)
    network = shell.network(SLOWLY)
    known = {"PDG_TYPES_PATH": str(types.parent), "HOME_OF_TEST": str(shell.folder)}
    shell.environment.update(known)
    if probed:
        shell.run("cook", network)
        (shell.folder / "made").unlink()
    (shell.folder / "armed").touch()
    process = shell.start("cook", network)
    began = shell.folder / "began"
    deadline = time.monotonic() + 30
    while not (began.exists() and began.read_text()):
        assert time.monotonic() < deadline, process.communicate(timeout=30)
        time.sleep(0.01)
    process.send_signal(number)
    if probed:
        (shell.folder / "gate").touch()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in out + err
    assert not (shell.folder / "made").exists()
    deadline = time.monotonic() + 30
    while is_alive(int(began.read_text())):
        assert time.monotonic() < deadline, "who read the file is still there"
        time.sleep(0.01)
    (shell.folder / "armed").unlink()
    # Nobody is in the way, and nothing is told of a cook that died.
    assert "did not end" not in shell.run("cook", network).stderr
