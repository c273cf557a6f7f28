"""Scheduler files with the habits of the field cook networks to the right end, each in a process of its own.

The files lie in ``types/``, written as strangers write them, from PDG's documented interface: none knows this project.
``farm/`` holds what stands in for their farms, ``networks/`` what they cook. The table says how each cook ends.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
DEADLINE = 60.0


@dataclass(frozen=True)
class Cooked:
    """What came of a cook."""

    status: int
    out: str
    err: str
    folder: Path
    report: dict[str, Any]

    def states(self, node: str) -> list[str]:
        return [item["state"] for item in self.report["items"] if item["node"] == node]

    def item(self, name: str) -> dict[str, Any]:
        return next(item for item in self.report["items"] if item["name"] == name)

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    @property
    def scheduler(self) -> dict[str, Any]:
        found: dict[str, Any] = self.report["schedulers"]["farm"]
        return found

    def logs(self) -> str:
        """What the scheduler's log says."""
        return "".join(path.read_text() for path in self.folder.rglob("*.log"))


def topcook(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What a user types who has the files on the types path."""
    env = {
        **os.environ,
        "PDG_TYPES_PATH": str(HERE / "types"),
        "PYTHONPATH": str(HERE / "farm"),
        "PATH": f"{HERE / 'farm'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "topcook", *words]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=DEADLINE)


def prepare(folder: Path, scheduler: str, network: str, parms: str = "") -> str:
    """Put a network into the folder, for a scheduler type."""
    shutil.copytree(HERE / "networks", folder, dirs_exist_ok=True)
    path = folder / f"{network}.toml"
    path.write_text(path.read_text().replace("TYPE", scheduler).replace("#PARMS", parms))
    return path.name


def cook(folder: Path, scheduler: str, network: str, parms: str = "") -> Cooked:
    """Cook a network in this folder with a scheduler type."""
    name = prepare(folder, scheduler, network, parms)
    ended = topcook(folder, "cook", name, "--progress", "off", "--report", "report.json", "-v")
    report = folder / "report.json"
    assert report.exists(), ended.stderr
    return Cooked(ended.returncode, ended.stdout, ended.stderr, folder, json.loads(report.read_text()))


def chain(cooked: Cooked) -> None:
    """All items of the chain cooked, in order."""
    assert (cooked.status, cooked.report["state"]) == (0, "cooked"), cooked.err
    assert cooked.report["counts"] == {"CookedSuccess": 8}
    assert cooked.text("last") == "0\n1\n2\n"
    assert cooked.item("last_8")["attempts"] == 1
    assert not cooked.scheduler["errors"]


def broken(cooked: Cooked) -> None:
    """The one that failed failed, the one behind it never ran, the others did."""
    assert (cooked.status, cooked.report["state"]) == (1, "failed"), cooked.err
    assert cooked.states("first") == ["CookedSuccess", "CookedFail", "CookedSuccess"]
    assert cooked.states("second") == ["CookedSuccess", "Waiting", "CookedSuccess"]
    assert not (cooked.folder / "second.1").exists()
    assert cooked.item("second_5")["blocked_by"] == [2]


def reports(cooked: Cooked) -> None:
    """What jobs reported is there, and what comes after could use it."""
    assert (cooked.status, cooked.report["state"]) == (0, "cooked"), cooked.err
    first = cooked.item("first_1")
    outputs = [(os.path.basename(each["path"]), each["tag"]) for each in first["outputs"]]
    assert outputs.count(("first_1.txt", "file/txt")) == 1
    assert first["attributes"]["letters"]["value"] == [7]
    assert [cooked.text(f"second.{index}") for index in (0, 1)] == ["first_1\n", "first_2\n"]


def told(cooked: Cooked) -> None:
    """What every job reported is there."""
    assert (cooked.status, cooked.report["state"]) == (0, "cooked"), cooked.err
    for item in cooked.report["items"]:
        assert [os.path.basename(each["path"]) for each in item["outputs"]][-1] == f"{item['name']}.txt"
        assert item["attributes"]["letters"]["value"] == [len(item["name"])]


def walked(cooked: Cooked) -> None:
    chain(cooked)
    lines = cooked.text("graph.txt").splitlines()
    assert lines[-1] == "ready 3"
    assert [line.split()[0] for line in lines[:-1]] == [f"first_{n}" for n in (1, 2, 3)] + [
        f"second_{n}" for n in (4, 5, 6)
    ] + ["last_8"]


def handed_over(cooked: Cooked) -> None:
    chain(cooked)
    assert cooked.scheduler["static"] is True


def dispatched(cooked: Cooked) -> None:
    chain(cooked)
    assert "first_1.made" in [os.path.basename(each["path"]) for each in cooked.item("first_1")["outputs"]]
    assert cooked.item("first_1")["attributes"]["farm_host"]["value"] == ["reef"]
    assert cooked.item("first_1")["duration"] == 0.25


def by_name(cooked: Cooked) -> None:
    chain(cooked)
    assert "second_4.seventeen" in [os.path.basename(each["path"]) for each in cooked.item("second_4")["outputs"]]
    assert cooked.item("second_4")["attributes"]["letters"]["value"] == [8]
    assert cooked.item("second_4")["duration"] == 0.5


def chatted(cooked: Cooked) -> None:
    chain(cooked)
    log = cooked.logs()
    assert "→ first_1" in log
    assert "onStartCook" in log
    assert "Traceback" not in cooked.err


def in_dot(cooked: Cooked) -> None:
    chain(cooked)
    assert (cooked.folder / "dot_temp" / "bin" / "pdgcmd.py").is_file()


def titled(cooked: Cooked) -> None:
    chain(cooked)
    assert cooked.item("first_1")["attributes"]["title"]["value"][0].startswith("farm@field first ")


def logged(cooked: Cooked) -> None:
    chain(cooked)
    assert cooked.item("first_1")["log_uri"] == f"file:///{cooked.folder}/farmlogs/first/first_1.log"
    assert cooked.item("first_2")["log_uri"] is None
    assert cooked.item("first_1")["status_uri"].startswith("http://farm.example:8080/1?t=")


def struck(cooked: Cooked) -> None:
    assert (cooked.status, cooked.report["state"]) == (1, "canceled"), cooked.err
    assert "the farm is on strike" in cooked.scheduler["errors"]
    assert set(cooked.report["counts"]) <= {"CookedCancel", "Uncooked", "Waiting"}
    pid = int(next(cooked.folder.rglob("pid")).read_text())
    assert not Path(f"/proc/{pid}").exists()
    stops, last = cooked.text("stops").split()
    assert int(stops) >= 3
    assert last == "False"


def refused(cooked: Cooked) -> None:
    assert (cooked.status, cooked.report["state"]) == (1, "failed"), cooked.err
    assert "no licence for the farm" in cooked.scheduler["errors"]
    assert "no licence for the farm" in cooked.err
    assert set(cooked.report["counts"]) <= {"Uncooked", "Waiting"}


def one_job(cooked: Cooked) -> None:
    chain(cooked)
    assert cooked.item("first_1")["attributes"]["onejob_id"]["value"] == [77]
    assert cooked.text("deleted") == "job in pool night deleted with 7 tasks"


def threaded(cooked: Cooked) -> None:
    chain(cooked)
    assert cooked.item("first_1")["attributes"]["threads"]["value"] == [2]


QUICK = "pdg_tickperiod = 0.05"
NOBODY = 'nobody_greeting = "ahoy"\nnobody_count = 3\nnobody_scale = 0.5'
TWEAKED = 'tweaker_envmulti = 1\ntweaker_envname1 = "ANCHOR"\ntweaker_envvalue1 = "down"'

#: scheduler type, network, parms of the scheduler, how it ends.
TABLE: tuple[tuple[str, str, str, Callable[[Cooked], None]], ...] = (
    ("python_scheduler", "chain", "", chain),
    ("python_scheduler", "broken", "", broken),
    ("python_scheduler", "reports", "", reports),
    ("repeater", "chain", QUICK, chain),
    ("repeater", "broken", QUICK, broken),
    ("repeater", "reports", QUICK, reports),
    ("harborscheduler", "chain", QUICK, chain),
    ("HarborScheduler", "reports", QUICK, reports),
    ("noname", "chain", QUICK, chain),
    ("noname", "broken", QUICK, broken),
    ("nobodyscheduler", "chain", NOBODY, chain),
    ("tweaker", "chain", TWEAKED, chain),
    ("tweaker", "reports", TWEAKED, reports),
    ("nonecloud", "chain", QUICK, chain),
    ("nonecloud", "broken", QUICK, broken),
    ("nonecloud", "reports", QUICK, reports),
    ("graphwalker", "chain", QUICK, walked),
    ("graphwalker", "broken", QUICK, broken),
    ("graphwalker", "told", QUICK, told),
    ("fqscheduler", "chain", "pdg_tickperiod = 0.2", chain),
    ("fqscheduler", "broken", "pdg_tickperiod = 0.2", broken),
    ("fqscheduler", "reports", "pdg_tickperiod = 0.2", reports),
    ("relayscheduler", "chain", QUICK, chain),
    ("relayscheduler", "reports", QUICK, reports),
    ("staticnet", "chain", QUICK, handed_over),
    ("staticnet", "broken", QUICK, broken),
    ("staticmixinonly", "chain", QUICK, handed_over),
    ("wholegraph", "chain", "", handed_over),
    ("noopstatic", "chain", "", chain),
    ("noopstatic", "broken", "", broken),
    ("dispatcher", "chain", "", dispatched),
    ("dispatcher", "broken", "", broken),
    ("seventeenscheduler", "chain", "", by_name),
    ("seventeenscheduler", "broken", "", broken),
    ("seventeenscheduler", "reports", "", reports),
    ("chatterbox", "chain", "", chatted),
    ("dotdir", "chain", "", in_dot),
    ("TopNodes", "chain", "", titled),
    ("statusfiles", "chain", QUICK, chain),
    ("statusfiles", "broken", QUICK, broken),
    ("loguri", "chain", "", logged),
    ("jobids", "chain", "", chain),
    ("jobids", "broken", "", broken),
    ("jobids", "reports", "", reports),
    ("latecomer", "chain", QUICK, chain),
    ("latecomer", "broken", QUICK, broken),
    ("busybody", "chain", "", chain),
    ("scraper", "chain", "", chain),
    ("scraper", "reports", "", reports),
    ("tokens", "chain", "", chain),
    ("tokens", "reports", "", reports),
    ("strike", "chain", QUICK, struck),
    ("refusal", "chain", "", refused),
    ("forgetful", "chain", "", chain),
    ("forgetful", "broken", "", broken),
    ("SimpleQueue", "chain", "", chain),
    ("simplequeue", "broken", "", broken),
    ("onejob", "chain", QUICK, one_job),
    ("onejob", "broken", QUICK, broken),
    ("onejob", "reports", QUICK, reports),
    ("tupler", "chain", "", threaded),
    ("tupler", "broken", "", broken),
)


@pytest.mark.parametrize(("scheduler", "network", "parms", "ends"), TABLE, ids=[f"{a}-{b}" for a, b, _, _ in TABLE])
def test_a_strangers_file_cooks_a_network_to_the_right_end(
    scheduler: str, network: str, parms: str, ends: Callable[[Cooked], None], tmp_path: Path
) -> None:
    ends(cook(tmp_path, scheduler, network, parms))


def test_what_an_earlier_cook_left_behind_does_not_pass_for_this_one(tmp_path: Path) -> None:
    chain(cook(tmp_path, "statusfiles", "chain", QUICK))
    for left in tmp_path.glob("second.*"):
        left.unlink()
    broken(cook(tmp_path, "statusfiles", "broken", QUICK))


@pytest.mark.parametrize(
    ("scheduler", "status", "said"),
    [
        ("tupler", 0, "http://farm.example/jobs/12"),
        ("onejob", 0, "onefarm"),
        ("python_scheduler", 2, "cannot take a whole network"),
        ("nonecloud", 2, "localscheduler can"),
    ],
)
def test_a_network_is_submitted_where_the_file_can_and_refused_where_it_cannot(
    scheduler: str, status: int, said: str, tmp_path: Path
) -> None:
    ended = topcook(tmp_path, "submit", prepare(tmp_path, scheduler, "chain"), "--scheduler", "farm")
    assert (ended.returncode, said in ended.stdout + ended.stderr) == (status, True), ended.stdout + ended.stderr


def test_a_package_that_swallows_its_own_import_error_is_listed_with_the_reason_and_stops_nobody(
    tmp_path: Path,
) -> None:
    ended = topcook(tmp_path, "list")
    line = next(line for line in ended.stdout.splitlines() if "swallow" in line)
    assert 'there is no module "swallow_farm_api_that_nobody_has"' in line
    assert all(name in ended.stdout for name in ("chatterbox", "tupler", "repeater"))
