"""Cooks that are killed and go on: tasks go on without them, and nothing that had finished runs again."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest
from dask_bench import network, ours, running, until

from topcook.testkit.cookbench import CookBench
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine

#: Says that it began, takes its time, says that it is done.
JOB = "echo $1 $PDG_ITEM_ATTEMPT >> began\nsleep $(cat mark)\necho $1 >> done\n"
#: The same for Python on a worker.
PYTHON = """
import os, time
folder = work_item.localizePath("__PDG_DIR__")
name = f"python_{work_item.index}"
def said(where, text):
    with open(os.path.join(folder, where), "a") as stream:
        stream.write(text + "\\n")
said("began", name)
time.sleep(0.1)
work_item.setIntAttrib("square", work_item.index ** 2)
said("done", name)
"""
ITEMS, RESUMED = 30, 10


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def names(path: Path) -> Counter[str]:
    return Counter(line.split()[0] for line in lines(path))


class Cooks:
    """Cooks of one network, each a process that can be killed."""

    def __init__(self, bench: CookBench, cluster: TestCluster, text: str) -> None:
        self.folder = bench.folder
        self.cluster = cluster
        (self.folder / "net.toml").write_text(textwrap.dedent(text))

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "topcook", "cook", "net.toml", "--progress", "off", *more]
        with (self.folder / "said").open("ab") as said:
            return subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)

    def said(self) -> str:
        return (self.folder / "said").read_text()[-4000:]


def test_a_cook_that_is_killed_at_any_moment_goes_on_and_runs_nothing_twice_that_had_finished(
    bench: CookBench, cluster: TestCluster
) -> None:
    folder = bench.folder
    (folder / "job.sh").write_text(JOB)
    (folder / "mark").write_text("0.1")
    head = textwrap.dedent(network(cluster, "sh job.sh make_@pdg_index", count=ITEMS))
    cooks = Cooks(
        bench,
        cluster,
        head
        + f"""
[nodes.python]
type = "pythonscript"
inputs = ["work"]
parms.script = '''{PYTHON}'''
[nodes.after]
type = "genericgenerator"
inputs = ["python"]
parms.command = "sh job.sh after_@pdg_index"
""",
    )
    chance = random.Random(20)
    finished: set[str] = set()
    began_of_finished: Counter[str] = Counter()
    for number in range(RESUMED + 1):
        cook = cooks.start(*(["--resume"] if number else []))
        if number == RESUMED:
            assert cook.wait(180) == 0, cooks.said()
            break
        # By what has been done, not by the clock: a busy machine would be killed before it began.
        goal = len(lines(folder / "done")) + chance.randrange(1, 8)
        until(lambda: len(lines(folder / "done")) >= goal or cook.poll() is not None, "some are done")  # noqa: B023
        cook.kill()
        cook.wait()
        finished = set(lines(folder / "done"))
        began = names(folder / "began")
        began_of_finished = Counter({name: began[name] for name in finished})
    expected = {f"{node}_{number}" for node in ("make", "python", "after") for number in range(ITEMS)}
    assert set(lines(folder / "done")) == expected
    # What had finished when the last cook began was not begun again.
    began = names(folder / "began")
    assert {name: began[name] for name in finished} == dict(began_of_finished)
    twice = {name for name, count in names(folder / "done").items() if count > 1}
    assert not twice, sorted(line for line in lines(folder / "began") if line.split()[0] in twice)
    cluster.wait(lambda: not ours(cluster), "no task is left")


def test_what_ended_while_nobody_was_there_is_known_with_all_that_it_told(
    bench: CookBench, cluster: TestCluster
) -> None:
    folder = bench.folder
    wait = "while not os.path.exists(folder + '/gate'): time.sleep(0.05)\n"
    script = PYTHON.replace("time.sleep(0.1)\n", wait)
    more = f"[nodes.python]\ntype = \"pythonscript\"\nparms.script = '''{script}'''\n"
    after = '[nodes.after]\ntype = "pythonscript"\ninputs = ["python"]\nparms.script = "assert work_item.intAttribValue(\'square\') == 0"\n'
    cooks = Cooks(bench, cluster, textwrap.dedent(network(cluster, "true")) + more + after)
    cook = cooks.start()
    until(lambda: names(folder / "began")["python_0"] or cook.poll() is not None, "it runs")
    cook.kill()
    cook.wait()
    (folder / "gate").touch()
    until(lambda: names(folder / "done")["python_0"], "it has ended")
    until(lambda: not any(cluster.executing().values()), "its task, too")
    cook = cooks.start("--resume")
    assert cook.wait(120) == 0, cooks.said()
    assert names(folder / "began") == {"python_0": 1}


def test_a_cook_that_is_ended_leaves_no_task_and_no_process(bench: CookBench, cluster: TestCluster, mark: str) -> None:
    command = f"sh -c 'touch began_@pdg_index; sleep {mark}'"
    cooks = Cooks(bench, cluster, network(cluster, command, count=30))
    cook = cooks.start()
    until(lambda: running(mark) or cook.poll() is not None, "jobs run")
    cook.send_signal(signal.SIGTERM)
    assert cook.wait(120) == 130, cooks.said()
    assert not ours(cluster)
    until(lambda: not running(mark), "no process left")
