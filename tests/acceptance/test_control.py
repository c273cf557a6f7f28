"""Cooks that run are looked at, made to wait and ended from outside; dead ones leave nothing running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Shell
from tests.acceptance.gate import NODES as SIX
from tests.acceptance.gate import lines
from tests.waiting import until
from topcook.cli import control
from topcook.cli.cancel import command as cancel
from topcook.runtime.keeper.program.processes import mark_of, process_table

NODES = SIX.replace("itemcount = 6", "itemcount = 4")
#: Says that it began, and who it is; waits for the gate; says that it is done.
JOB = """
echo $1 $PDG_ITEM_ATTEMPT $$ >> began
while [ ! -e "gate_$1" ] && [ ! -e gate ]; do sleep 0.02; done
echo $1 >> done
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")


def is_alive(pid: int) -> bool:
    row = process_table().get(pid)
    return row is not None and not row.zombie


@pytest.fixture
def work(shell: Shell) -> Path:
    """The working directory of a network whose jobs wait at a gate."""
    shell.write("job.sh", JOB)
    shell.network(NODES)
    (shell.folder / "work").mkdir()
    return shell.folder / "work"


def start(shell: Shell, work: Path, *options: str) -> subprocess.Popen[str]:
    """A cook with two jobs at work."""
    before = len(lines(work / "began"))
    engine = shell.start("cook", "net.toml", "--report", "report.json", *options)
    until(lambda: len(lines(work / "began")) == before + 2 or engine.poll() is not None, "a beginning")
    assert engine.poll() is None, engine.communicate()
    return engine


def pids(work: Path) -> list[int]:
    return [int(line.split()[2]) for line in lines(work / "began")]


def cooks(shell: Shell) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(shell.run("cooks", "--json").stdout)
    return found


def the_cook(shell: Shell) -> dict[str, Any]:
    (found,) = cooks(shell)
    return found


def seen(shell: Shell, state: str, **counts: int) -> None:
    """Wait until the one cook is in that state, with so many items in these."""

    def is_so() -> bool:
        cook = the_cook(shell)
        return cook["state"] == state and all(cook["counts"].get(name, 0) == number for name, number in counts.items())

    until(is_so, f"{state} {counts}")


def test_a_running_cook_is_shown_with_its_items_and_who_cooks_it(shell: Shell, work: Path) -> None:
    engine = start(shell, work)
    seen(shell, "cooking", Cooking=2)
    cook = the_cook(shell)
    assert (cook["pid"], cook["host"]) == (engine.pid, os.uname().nodename)
    assert (cook["network"], cook["folder"]) == (str(shell.folder / "net.toml"), str(work))
    text = shell.run("cooks").stdout
    assert f"{cook['cook']}  cooking  net.toml  0 of 8 items done, 2 cooking" in text
    assert f"process {engine.pid} on " in text
    (work / "gate").touch()
    engine.communicate()
    assert engine.returncode == 0
    after = the_cook(shell)
    assert (after["state"], after["jobs"]) == ("cooked", [])
    assert "cooked  net.toml" in shell.run("cooks").stdout


def test_a_paused_cook_begins_nothing_and_what_runs_goes_on(shell: Shell, work: Path) -> None:
    engine = start(shell, work)
    cook = the_cook(shell)["cook"]
    said = shell.run("pause", "net.toml").stdout
    assert said.startswith(f"{cook} paused: 2 running to the end")
    assert "paused already" in shell.run("pause", cook).stdout
    seen(shell, "paused")
    (work / "gate").touch()
    # What they free is offered in the very step that ends them, or not at all.
    seen(shell, "paused", CookedSuccess=2, Cooking=0, Scheduled=0)
    assert len(lines(work / "began")) == 2
    assert "go on: topcook unpause" in shell.run("cooks").stdout
    assert shell.run("unpause", cook.rpartition("-")[2]).stdout == f"{cook} goes on\n"
    _, err = engine.communicate()
    assert engine.returncode == 0
    assert "paused: nothing new is begun" in err
    report = shell.report()
    assert report["counts"] == {"CookedSuccess": 8}
    assert [text for text in report["messages"] if "pause" in text] == [
        "warning: cook: paused: nothing new is begun, what runs goes on",
        "warning: cook: goes on after a pause",
    ]
    assert "has ended: cooked" in shell.run("pause", cook, status=2).stderr


def test_a_canceled_cook_ends_its_jobs_and_is_waited_for(shell: Shell, work: Path) -> None:
    engine = start(shell, work)
    running = pids(work)
    cook = the_cook(shell)["cook"]
    # By the beginning of its id: there is no other one.
    done = shell.run("cancel", cook[:12])
    assert f"{cook} canceled" in done.stdout
    assert f"topcook resume {cook.rpartition('-')[2]}" in done.stdout
    assert not [pid for pid in running if is_alive(pid)]
    assert not is_alive(engine.pid)
    out, _ = engine.communicate()
    assert engine.returncode == 1
    assert "canceled by topcook cancel" in out
    assert shell.report()["state"] == "canceled"
    assert the_cook(shell)["state"] == "canceled"
    # The journal says the same, by any name of it.
    for name in (cook, cook.rpartition("-")[2][:5], "net.toml"):
        assert json.loads(shell.run("report", name).stdout)["state"] == "canceled"
    (work / "gate").touch()
    shell.run("resume", cook.rpartition("-")[2][:5])
    assert the_cook(shell)["state"] == "cooked"


def test_only_some_items_are_canceled_when_a_node_or_an_item_is_named(shell: Shell, work: Path) -> None:
    engine = start(shell, work)
    first = lines(work / "began")[0].split()
    item = f"make_{int(first[0].partition('_')[2]) + 1}"
    assert shell.run("cancel", "net.toml", "--item", item).stdout == "canceled 1 item\n"
    assert not is_alive(int(first[2]))
    assert "had ended" in shell.run("cancel", "net.toml", "--item", item).stdout
    assert 'did you mean "after"' in shell.run("cancel", "net.toml", "--node", "aftr", status=2).stderr
    assert "no work item" in shell.run("cancel", "net.toml", "--item", "nobody", status=2).stderr
    assert "whole cook" in shell.run("cancel", "net.toml", "--node", "make", "--now", status=2).stderr
    assert shell.run("cancel", "net.toml", "--node", "make").stdout == "canceled 3 items\n"
    engine.communicate()
    assert engine.returncode == 1
    assert shell.report()["counts"]["CookedCancel"] >= 4
    assert not lines(work / "done")


def test_a_cook_that_is_canceled_now_gives_jobs_no_time_to_tidy_up(shell: Shell, work: Path) -> None:
    shell.write("job.sh", f"trap 'echo $1 >> termed; while :; do sleep 0.1; done' TERM\n{JOB}")
    engine = start(shell, work)
    running = pids(work)
    shell.run("cancel", "net.toml", "--now")
    assert not [pid for pid in running if is_alive(pid)]
    assert engine.wait() == 1
    assert shell.report()["state"] == "canceled"


SLOW = """
import pathlib, time
from pdg.scheduler import PyScheduler
class Slow(PyScheduler):
    @classmethod
    def templateName(cls): return "slow"
    def onStart(self):
        here = pathlib.Path(__file__).parent
        (here / "starting").touch()
        while not (here / "go").exists():
            time.sleep(0.02)
        return True
    def onSchedule(self, work_item):
        (pathlib.Path(__file__).parent / "begun").touch()
def registerTypes(type_registry): type_registry.registerScheduler(Slow)
"""


def test_a_cook_whose_schedulers_are_still_being_made_is_told_by_a_signal(
    shell: Shell, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    types = shell.write("types/slow.py", SLOW).parent
    shell.environment["PDG_TYPES_PATH"] = str(types)
    engine = shell.start("cook", "net.toml", "--scheduler", "slow")
    until((types / "starting").exists, "a scheduler that is being made")
    signals: list[tuple[int, int]] = []
    kill = os.kill

    def tell(pid: int, number: int) -> None:
        kill(pid, number)
        signals.append((pid, number))
        (types / "go").touch()

    monkeypatch.setattr(os, "kill", tell)
    monkeypatch.setattr(control, "_OPENING", 0.2)
    for name in ("XDG_STATE_HOME", "TOPCOOK_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", shell.environment["HOME"])
    threading.Thread(target=engine.wait).start()
    assert cancel.main([str(shell.folder / "net.toml")], standalone_mode=False) == 0
    assert signals == [(engine.pid, signal.SIGTERM)]
    assert engine.wait() == 130
    assert not (types / "begun").exists()


DAEMON = """
import os, sys, time
if os.fork():
    sys.exit()
os.setsid()
if os.fork():
    os._exit(0)
with open("daemon.part", "w") as stream:
    stream.write(str(os.getpid()))
os.rename("daemon.part", "daemon")
time.sleep(600)
"""


def with_daemon(shell: Shell, work: Path, *options: str) -> tuple[subprocess.Popen[str], list[int]]:
    """A cook with two jobs at work, one of which has left a daemon that forked twice; their processes."""
    shell.write("daemon.py", DAEMON)
    shell.write("job.sh", f"[ $1 != make_0 ] || python3 ../daemon.py\n{JOB}")
    engine = start(shell, work, *options)
    until((work / "daemon").exists, "a daemon")
    return engine, [*pids(work), int((work / "daemon").read_text())]


def keeper_of(pid: int) -> int:
    return process_table()[pid].parent


@pytest.mark.parametrize("keeper_dies", [False, True], ids=["by its keeper", "without its keeper"])
def test_what_a_dead_cook_left_running_is_told_of_and_ended(shell: Shell, work: Path, keeper_dies: bool) -> None:
    engine, left = with_daemon(shell, work)
    keeper = keeper_of(left[0])
    engine.kill()
    engine.wait()
    if keeper_dies:
        os.kill(keeper, signal.SIGKILL)
        until(lambda: not is_alive(keeper), "the keeper's end")
    assert all(map(is_alive, left))
    cook = the_cook(shell)
    assert cook["state"] == "dead"
    assert len(cook["jobs"]) == 2
    text = shell.run("cooks").stdout
    short = cook["cook"].rpartition("-")[2]
    assert "2 jobs of it still run here" in text
    assert f"topcook resume {short}" in text
    assert f"topcook cancel {short}" in text
    assert "ended all together" in shell.run("cancel", short, "--item", "make_1", status=2).stderr
    assert "ended 2 jobs that it had left running" in shell.run("cancel", short).stdout
    assert not [pid for pid in left if is_alive(pid)]
    assert the_cook(shell)["state"] == "canceled"
    report = json.loads(shell.run("report", short).stdout)
    assert report["counts"]["CookedCancel"] == 2
    (work / "gate").touch()
    shell.run("resume", short, "--report", "report.json")
    assert shell.report()["counts"] == {"CookedSuccess": 8}
    (daemon,) = {pid for pid in process_table() if mark_of(pid) and f"{cook['cook']}-" in mark_of(pid)} or {0}
    if daemon:
        os.kill(daemon, signal.SIGKILL)


@pytest.mark.parametrize("damaged", [False, True], ids=["whole", "damaged"])
def test_a_plain_recook_ends_what_a_dead_cook_left_before_it_begins(shell: Shell, work: Path, damaged: bool) -> None:
    engine, left = with_daemon(shell, work)
    engine.kill()
    engine.wait()
    if damaged:
        Path(the_cook(shell)["journal"]).write_bytes(b"no journal" * 1000)
    # Each job looks whether one of the dead cook still runs.
    olds = " ".join(map(str, left))
    look = 'case "$(cut -d" " -f3 /proc/$old/stat 2>/dev/null)" in ""|Z|X) ;; *) echo $1 >> overlap;; esac'
    shell.write("look.sh", f"for old in {olds}; do {look}; done\necho $1 >> done\n")
    shell.network(NODES.replace("job.sh", "look.sh"))
    done = shell.run("cook", "net.toml")
    assert not [pid for pid in left if is_alive(pid)]
    assert not lines(work / "overlap")
    assert "ended 2 jobs that cook " in done.stderr
    assert sorted(lines(work / "done")) == sorted(f"{node}_{index}" for node in ("make", "after") for index in range(4))
    assert [cook["state"] for cook in cooks(shell)] == ["cooked", "died"]
    assert ("does not know that its jobs were ended" in done.stderr) == damaged


def test_a_cook_that_nobody_knows_or_several_could_be_is_asked_for_again(shell: Shell) -> None:
    network = shell.network('[nodes.one]\ntype = "genericgenerator"\n')
    assert "no cook has left one here" in shell.run("cancel", "20", status=2).stderr
    assert shell.run("cooks").stdout == "there are no cooks here\n"
    shell.run("cook", network)
    shell.run("cook", network)
    told = shell.run("report", "20", status=2).stderr
    assert '"20" may be any of 2 cooks' in told
    assert told.count("net.toml") == 2
    assert "topcook cooks" in shell.run("resume", "xyz", status=2).stderr
    assert "there is no cook of" in shell.run("pause", "other.toml", status=2).stderr


def test_of_several_cooks_of_a_network_the_one_that_runs_is_told(shell: Shell, work: Path) -> None:
    engine = start(shell, work)
    (shell.folder / "elsewhere").mkdir()
    (shell.folder / "elsewhere" / "gate").touch()
    shell.run("cook", "net.toml", "--parm", f"local.pdg_workingdir={shell.folder}/elsewhere")
    assert [cook["state"] for cook in cooks(shell)] == ["cooking", "cooked"]
    shell.run("pause", "net.toml")
    assert [cook["state"] for cook in cooks(shell)] == ["paused", "cooked"]
    (shell.folder / "third").mkdir()
    other = shell.start("cook", "net.toml", "--parm", f"local.pdg_workingdir={shell.folder}/third")
    until(lambda: len(lines(shell.folder / "third" / "began")) == 2, "a third cook")
    assert '2 cooks of "net.toml" run; say which:' in shell.run("cancel", "net.toml", status=2).stderr
    for cook in cooks(shell):
        if cook["state"] != "cooked":
            shell.run("cancel", "--now", cook["cook"])
    assert (engine.wait(), other.wait()) == (1, 1)
    # Where none runs, the last one is meant.
    assert "it has ended: canceled" in shell.run("cancel", "net.toml", status=2).stderr


def test_with_die_with_parent_nothing_outlives_a_killed_engine(shell: Shell, work: Path) -> None:
    engine, left = with_daemon(shell, work, "--die-with-parent")
    engine.kill()
    engine.wait()
    until(lambda: not [pid for pid in left if is_alive(pid)], "the end of all jobs")
    until(lambda: the_cook(shell)["jobs"] == [], "a dead cook without jobs")
    (work / "daemon").unlink()
    # It holds for who takes up the keeper of somebody that did not ask for it, too.
    shell.environment["TOPCOOK_DIE_WITH_PARENT"] = "0"
    before = len(lines(work / "began"))
    engine, left = with_daemon(shell, work)
    engine.kill()
    engine.wait()
    engine = shell.start("-c", "die_with_parent=true", "cook", "net.toml", "--resume")
    keeper = keeper_of(left[-1])
    until(lambda: cooks(shell)[0]["state"] == "cooking", "a cook that goes on")
    until(lambda: cooks(shell)[0]["counts"].get("Cooking") == 2, "jobs that were taken up")
    assert len(lines(work / "began")) == before + 2
    engine.kill()
    engine.wait()
    until(lambda: not [pid for pid in [*left, keeper] if is_alive(pid)], "the end of all jobs")


PROGRAM = """
import sys
from topcook.runtime.api import GraphContext
context = GraphContext("mine", die_with_parent=sys.argv[1] == "die")
context.addScheduler("localscheduler", "local")
context.addNode("genericgenerator", "make", command="sh -c 'echo $$ > pid.part && mv pid.part pid; sleep 600'")
context.cook(True)
"""


@pytest.mark.parametrize("how", ["die", "live"])
def test_the_jobs_of_a_program_that_is_killed_die_with_it_if_it_wants_so(shell: Shell, how: str) -> None:
    shell.write("program.py", PROGRAM)
    with subprocess.Popen([sys.executable, "program.py", how], cwd=shell.folder, env=shell.environment) as program:
        until((shell.folder / "pid").exists, "a job")
        job = int((shell.folder / "pid").read_text())
        cook = the_cook(shell)
        assert (cook["state"], cook["pid"], cook["network"]) == ("cooking", program.pid, None)
        assert "(a program)" in shell.run("cooks").stdout
        program.kill()
    if how == "live":
        assert is_alive(job)
        cook = the_cook(shell)
        assert (cook["state"], len(cook["jobs"])) == ("dead", 1)
        assert "ended 1 job" in shell.run("cancel", cook["cook"]).stdout
        assert not is_alive(job)
    until(lambda: not is_alive(job), "the end of the job")
    until(lambda: cooks(shell) == [], "an end without traces")
