"""The example schedulers cook for real: their own networks, failures, cancels that leave nothing, reports that repeat."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until

EXAMPLE = Path(__file__).parents[2] / "examples" / "schedulers"
TYPES = sorted(path.stem for path in (EXAMPLE / "types").glob("*.py"))
TOPCOOK = (sys.executable, "-m", "topcook")
DEADLINE = 60.0

NETWORK = """
[network]
name = "test"
scheduler = "farm"
[schedulers.farm]
type = "{type}"
[schedulers.farm.parms]
pdg_workingdir = "$HIP/work"
pdg_tickperiod = 0.05
{parms}
"""
QUICK = {"timer_poll": "spool_period = 0.05"}

BROKEN = """
[nodes.first]
type = "genericgenerator"
[nodes.first.parms]
itemcount = 3
command = 'test @pdg_index -ne 1'
[nodes.second]
type = "genericgenerator"
inputs = ["first"]
[nodes.second.parms]
command = 'echo @pdg_index > "__PDG_DIR__/second.@pdg_index"'
"""

ENDLESS = """
[nodes.endless]
type = "genericgenerator"
[nodes.endless.parms]
itemcount = 6
command = 'sleep 600 & echo $! $$ > "__PDG_DIR__/~@pdg_index"; mv "__PDG_DIR__/~@pdg_index" "__PDG_DIR__/pid.@pdg_index"; wait'
"""

# Jobs tell by themselves that they have started and succeeded, and go on a little; the farm then says it all again.
TALKATIVE = """
[nodes.first]
type = "genericgenerator"
[nodes.first.parms]
itemcount = 2
command = '"__PDG_PYTHON__" "__PDG_DIR__/job.py"'
[nodes.second]
type = "genericgenerator"
inputs = ["first"]
[nodes.second.parms]
command = 'cp "@pdg_input" "__PDG_DIR__/copy.@pdg_index"'
"""
JOB = """
import os, sys
sys.path.insert(0, os.environ["PDG_SCRIPTDIR"])
import pdgcmd
path = os.path.join(os.environ["PDG_DIR"], os.environ["PDG_ITEM_NAME"])
with open(path, "w") as stream:
    stream.write("hello")
pdgcmd.workItemStartCook()
pdgcmd.addOutputFile(path, result_data_tag="file/txt")
pdgcmd.workItemSuccess(os.environ["PDG_ITEM_NAME"])
pdgcmd.workItemSuccess(os.environ["PDG_ITEM_NAME"])
"""


class Studio:
    """A copy of the example, with a shell in it."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("work", "pdgtemp"))
        self.folder = folder
        self.work = folder / "work"
        self.work.mkdir()
        self.env = {**os.environ, "PDG_TYPES_PATH": str(folder / "types"), "PYTHONDONTWRITEBYTECODE": "1"}

    def network(self, kind: str, nodes: str, parms: str = "") -> str:
        text = NETWORK.format(type=kind, parms=f"{QUICK.get(kind, '')}\n{parms}") + nodes
        (self.folder / "test.toml").write_text(text)
        return "test.toml"

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*TOPCOOK, *words],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, status: int = 0) -> str:
        with self.start(*words) as process:
            out, err = process.communicate(timeout=DEADLINE)
        assert process.returncode == status, out + err
        return out + err

    def cook(self, network: str, status: int = 0) -> dict[str, Any]:
        self.run("cook", network, "--progress", "off", "--report", "report.json", status=status)
        return self.report()

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return found


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "studio")


def lives(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def states(report: dict[str, Any], node: str) -> list[str]:
    return [item["state"] for item in report["items"] if item["node"] == node]


def test_the_first_file_of_the_page_on_writing_schedulers_cooks_as_it_says(studio: Studio) -> None:
    page = (EXAMPLE.parents[1] / "docs" / "writing-a-scheduler.md").read_text()
    (studio.folder / "types" / "tinyfarm.py").write_text(page.split("```python\n")[1].partition("```")[0])
    studio.run("check", "types/tinyfarm.py")
    studio.run(
        "cook", studio.network("tick_poll", BROKEN), "--scheduler", "tinyfarm", "--report", "report.json", status=1
    )
    report = studio.report()
    assert states(report, "first") == ["CookedSuccess", "CookedFail", "CookedSuccess"]
    assert {item["scheduler"] for item in report["items"]} == {"pdg_tinyfarm"}


@pytest.mark.parametrize("kind", TYPES)
def test_it_cooks_its_own_network(kind: str, studio: Studio) -> None:
    report = studio.cook(f"{kind}.toml")
    assert report["state"] == "cooked"
    assert set(report["counts"]) == {"CookedSuccess"}
    assert not report["messages"]
    if kind != "own_scheduler":
        film = (studio.work / kind / "film.txt").read_text()
        assert film.splitlines() == [f"frame {frame}" for frame in range(1, 7)]
        assert all(
            Path(item["log_uri"].removeprefix("file://")).exists() for item in report["items"] if item["log_uri"]
        )


@pytest.mark.parametrize("kind", TYPES)
def test_a_job_that_fails_fails_its_item_and_blocks_what_waits_for_it(kind: str, studio: Studio) -> None:
    report = studio.cook(studio.network(kind, BROKEN), status=1)
    assert states(report, "first") == ["CookedSuccess", "CookedFail", "CookedSuccess"]
    assert states(report, "second") == ["CookedSuccess", "Waiting", "CookedSuccess"]
    assert sorted(path.name for path in studio.work.glob("second.*")) == ["second.0", "second.2"]


@pytest.mark.parametrize("kind", TYPES)
def test_a_cancel_leaves_no_process(kind: str, studio: Studio) -> None:
    network = studio.network(kind, ENDLESS)
    cook = studio.start("cook", network, "--progress", "off", "--report", "report.json")
    try:
        until(lambda: len(list(studio.work.glob("pid.*"))) >= 2 or cook.poll() is not None, "two jobs run")
        cook.send_signal(signal.SIGINT)
        _, err = cook.communicate(timeout=DEADLINE)
    finally:
        cook.kill()
        cook.communicate()
    pids = [int(pid) for path in studio.work.glob("pid.*") for pid in path.read_text().split()]
    assert len(pids) >= 4
    until(lambda: not any(map(lives, pids)), "all processes of the jobs have ended")
    assert cook.returncode == 130, err
    report = studio.report()
    assert set(states(report, "endless")) <= {"CookedCancel", "Uncooked"}
    assert states(report, "endless").count("CookedCancel") >= 2


@pytest.mark.parametrize("kind", TYPES)
def test_what_a_job_and_its_farm_both_say_counts_once(kind: str, studio: Studio) -> None:
    (studio.work / "job.py").write_text(JOB)
    report = studio.cook(studio.network(kind, TALKATIVE))
    assert report["counts"] == {"CookedSuccess": 4}
    assert not report["messages"], "nothing contradicts"
    for item in report["items"][:2]:
        assert [Path(output["path"]).name for output in item["outputs"]] == [item["name"]]
        assert item["attempts"] == 1
    assert [(studio.work / f"copy.{index}").read_text() for index in (0, 1)] == ["hello", "hello"]


def test_every_file_passes_the_check_and_one_the_strict_one(studio: Studio) -> None:
    networks = [f"{kind}.toml" for kind in TYPES]
    studio.run("check", *(f"types/{kind}.py" for kind in TYPES), *networks)
    studio.run("check", "--strict", "types/tick_poll.py")


def test_the_longest_goes_first(studio: Studio) -> None:
    nodes = """
[nodes.shots]
type = "wedge"
[nodes.shots.parms]
wedgecount = 4
wedgeattributes = [ { name = "own_seconds", type = "float", values = [0.1, 0.4, 0.2, 0.3] } ]
[nodes.sim]
type = "genericgenerator"
inputs = ["shots"]
[nodes.sim.parms]
command = 'echo @pdg_index >> "__PDG_DIR__/order"'
"""
    studio.cook(studio.network("own_scheduler", nodes, "own_slots = 1"))
    assert (studio.work / "order").read_text().split() == ["1", "3", "2", "0"]


def test_no_more_jobs_run_than_there_are_licences(studio: Studio) -> None:
    nodes = """
[nodes.render]
type = "genericgenerator"
[nodes.render.parms]
itemcount = 6
command = 'mkdir "__PDG_DIR__/token" && sleep 0.05 && rmdir "__PDG_DIR__/token"'
[nodes.render.job_parms]
own_license = "karma"
"""
    parms = 'own_slots = 4\nown_licenses = "nuke:3 karma:1"'
    assert studio.cook(studio.network("own_scheduler", nodes, parms))["counts"] == {"CookedSuccess": 6}
    report = studio.cook(studio.network("own_scheduler", nodes, 'own_licenses = "nuke:3"'), status=1)
    assert 'there is no licence "karma"' in json.dumps(report, ensure_ascii=False).replace('\\"', '"')
    report = studio.cook(studio.network("own_scheduler", nodes, 'own_licenses = "nuke:many"'), status=1)
    assert "write " in " ".join(report["messages"])


def test_a_farm_that_dies_ends_the_cook_and_says_so(studio: Studio) -> None:
    nodes = """
[nodes.killer]
type = "genericgenerator"
[nodes.killer.parms]
command = 'kill -9 $PPID; sleep 0.1'
"""
    report = studio.cook(studio.network("rest_callback", nodes), status=1)
    assert report["state"] == "canceled"
    assert "the farm has ended" in report["schedulers"]["farm"]["errors"][0]


def test_a_farm_that_cannot_be_reached_ends_the_cook_after_a_while(studio: Studio) -> None:
    nodes = """
[nodes.thief]
type = "genericgenerator"
[nodes.thief.parms]
command = 'rm -f "__PDG_DIR__/../farms/spool_farm.py"; exec sleep 1'
"""
    report = studio.cook(studio.network("tick_poll", nodes, "spool_patience = 0.2"), status=1)
    assert report["state"] == "canceled"
    assert "spool_farm.py" in report["schedulers"]["farm"]["errors"][0]


@pytest.fixture
def rest_farm() -> Iterator[tuple[http.client.HTTPConnection, subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLE / "farms" / "rest_farm.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write("sesame\n")
    process.stdin.flush()
    connection = http.client.HTTPConnection(json.loads(process.stdout.readline())["url"][7:], timeout=DEADLINE)
    yield connection, process
    connection.close()
    process.stdin.close()
    assert process.wait(DEADLINE) == 0
    process.stdout.close()


@pytest.mark.parametrize(
    ("method", "path", "secret", "body", "status"),
    [
        ("GET", "/jobs/1", "guess", "", 403),
        ("POST", "/jobs", "", "{}", 403),
        ("GET", "/jobs/1", "sesame", "", 404),
        ("GET", "/jobs/x", "sesame", "", 404),
        ("DELETE", "/jobs/9", "sesame", "", 404),
        ("POST", "/elsewhere", "sesame", "{}", 404),
        ("POST", "/jobs", "sesame", "{", 400),
        ("POST", "/jobs", "sesame", "[]", 400),
        ("POST", "/jobs", "sesame", '{"name": "x"}', 400),
    ],
)
def test_the_rest_farm_refuses_what_is_wrong(
    rest_farm: tuple[http.client.HTTPConnection, Any], method: str, path: str, secret: str, body: str, status: int
) -> None:
    connection, _ = rest_farm
    connection.request(method, path, body, {"Farm-Secret": secret})
    answer = connection.getresponse()
    assert "error" in json.load(answer)
    assert answer.status == status


def test_a_rest_farm_whose_starter_is_gone_takes_its_jobs_along(
    rest_farm: tuple[http.client.HTTPConnection, subprocess.Popen[str]], tmp_path: Path
) -> None:
    connection, process = rest_farm
    pid = tmp_path / "pid"
    os.mkfifo(pid)
    job = {"name": "x", "command": f"echo $$ > {pid}; exec sleep 600", "folder": "/", "env": {}, "log": f"{tmp_path}/l"}
    connection.request("POST", "/jobs", json.dumps(job), {"Farm-Secret": "sesame"})
    assert connection.getresponse().read() == b'{"job": 1}'
    number = int(pid.read_text())
    assert process.stdin
    process.stdin.close()
    process.wait(DEADLINE)
    until(lambda: not lives(number), "the job has ended")


def spool(folder: Path, *words: str) -> str:
    program = str(EXAMPLE / "farms" / "spool_farm.py")
    return subprocess.run(
        [sys.executable, program, str(folder), *words], capture_output=True, text=True, check=True, timeout=DEADLINE
    ).stdout


def test_a_spooled_job_whose_watcher_was_killed_has_failed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    os.mkfifo(pid)
    assert spool(tmp_path / "spool", "submit", "--name", "x", f"echo $$ > {pid}; exec sleep 600") == "job 1\n"
    os.killpg(os.getpgid(int(pid.read_text())), signal.SIGKILL)
    until(lambda: spool(tmp_path / "spool", "status").split()[1] != "running", "it is noticed")
    assert spool(tmp_path / "spool", "status", "1").split()[:2] == ["1", "failed"]


def test_a_spool_runs_no_more_jobs_than_it_has_slots_and_cancels_those_that_wait(tmp_path: Path) -> None:
    for name in ("one", "two"):
        spool(tmp_path / "spool", "submit", "--slots", "1", "--name", name, "sleep 600")
    until(lambda: "running" in spool(tmp_path / "spool", "status"), "one runs")
    said = [line.split()[1] for line in spool(tmp_path / "spool", "status").splitlines()]
    assert sorted(said) == ["queued", "running"]
    spool(tmp_path / "spool", "cancel", "1", "2")
    said = [line.split()[1] for line in spool(tmp_path / "spool", "status").splitlines()]
    assert said == ["canceled", "canceled"]
