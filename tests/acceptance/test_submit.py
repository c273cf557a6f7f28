"""``topcook submit`` and ``topcook status``: a whole network as one job."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

NODES = """
[nodes.make]
type = "genericgenerator"
[nodes.make.parms]
itemcount = 2
command = '"__PDG_PYTHON__" $HIP/scripts/make.py @pdg_index "__PDG_DIR__/@pdg_name.txt"'
[nodes.late]
type = "genericgenerator"
inputs = ["make"]
parms = { command = "cp $HIP/tex/wood.txt __PDG_DIR__/@pdg_name.wood" }
"""
FARM = """
import json, os
import pdg
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded
    {submit}

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
"""
NOTES = """def submitAsJob(self, graph_file, node_path):
        told = [graph_file, node_path, self.workingDir(True), self.workingDir(False), sorted(os.listdir(self.workingDir(True)))]
        with open(os.path.join(os.environ["HIP"], "told.json"), "w") as stream:
            json.dump(told, stream)
        return {returned}
"""


def project(shell: Any) -> Path:
    shell.write("scripts/make.py", "import sys, helper\nopen(sys.argv[2], 'w').write(helper.WORD + sys.argv[1])\n")
    shell.write("scripts/helper.py", "WORD = 'made '\n")
    shell.write("tex/wood.txt", "wood")
    shell.write("unrelated.txt", "not asked for")
    made: Path = shell.network(NODES)
    return made


def path_of(uri: str) -> Path:
    assert uri.startswith("file:///")
    return Path(unquote(urlsplit(uri).path))


def test_a_cook_in_the_background_brings_its_files_and_tells_how_far_it_is(shell: Any) -> None:
    network = project(shell)
    elsewhere = shell.folder.parent / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "topcook", "submit", os.path.relpath(network, elsewhere), "--json"],
        cwd=elsewhere, env=shell.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["scheduler"] == "local"
    assert os.getsid(int(told["job"])) != os.getsid(0)
    status = shell.run("status", told["status_uri"], "--wait")
    assert status.stdout.startswith("cooked: 4 CookedSuccess, ")
    work = shell.folder / "work"
    assert (work / "make_2.txt").read_text() == "made 1"
    assert len(list(work.glob("*.wood"))) == 2
    assert not (work / "unrelated.txt").exists()
    # The cook ran the copy, in the working directory itself and not one deeper.
    assert (work / "net.toml").read_bytes() == network.read_bytes()
    assert not (work / "work").exists()
    said = json.loads(path_of(told["status_uri"]).read_text())
    assert {item["state"] for item in json.loads(Path(said["report"]).read_text())["items"]} == {"CookedSuccess"}


def test_a_single_node_is_submitted_and_its_failure_is_told(shell: Any) -> None:
    network = shell.network(
        "[nodes.bad]\ntype='genericgenerator'\nparms={command='exit 4'}\n"
        "[nodes.other]\ntype='genericgenerator'\nparms={command='touch $PDG_DIR/other'}\n"
    )
    uri = shell.run("submit", network, "--scheduler", "local", "--node", "bad").stdout.strip()
    done = shell.run("status", uri, "--wait", status=1)
    assert done.stdout.startswith("failed: 1 CookedFail, ")
    assert "bad_1: exit status 4" in path_of(uri).with_name("cook.log").read_text()
    assert not (shell.folder / "work" / "other").exists()
    assert shell.run("status", uri, "--json", status=1).stdout.startswith('{"version": 1')
    assert 'there is no node "god"' in shell.run("submit", network, "--node", "god", status=2).stderr


def test_a_background_cook_survives_the_end_of_its_terminal_and_a_lost_one_is_told(shell: Any) -> None:
    network = shell.network("[nodes.a]\ntype='genericgenerator'\nparms={command='touch $PDG_DIR/on; sleep 600'}\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "topcook", "submit", network, "--json"],
        cwd=shell.folder, env=shell.environment, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    told = json.loads(process.communicate()[0])
    pid = int(told["job"])
    try:
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, signal.SIGHUP)
        until = time.monotonic() + 30
        while not (shell.folder / "work" / "on").exists():
            assert time.monotonic() < until
            time.sleep(0.02)
        assert "cooking: " in shell.run("status", told["status_uri"]).stdout
        os.kill(pid, signal.SIGTERM)
        assert "interrupted: 1 CookedCancel" in shell.run("status", told["status_uri"], "--wait", status=1).stdout
    finally:
        _end(pid)
    file = path_of(told["status_uri"])
    file.write_text(json.dumps({**json.loads(file.read_text()), "state": "cooking"}))
    assert shell.run("status", told["status_uri"], status=1).stdout.startswith("lost: ")


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.mark.parametrize(
    ("returned", "uri", "job"),
    [
        ("'http://farm/7'", "http://farm/7", ""),
        ("('http://farm/7', 7)", "http://farm/7", "7"),
        ("('', 'job 7')", "", "job 7"),
    ],
)
def test_a_foreign_scheduler_gets_its_arguments_and_may_answer_in_either_form(
    shell: Any, returned: str, uri: str, job: str
) -> None:
    shell.write("types/farm.py", FARM.replace("{submit}", NOTES.replace("{returned}", returned)))
    network = project(shell)
    parms = '[schedulers.farm]\ntype = "farm"\nparms = { pdg_workingdir = "$HIP/farm", remotesharedroot = "P:/show" }\n'
    network.write_text(network.read_text() + parms)
    variables = {"PDG_TYPES_PATH": "types"}
    done = shell.run("submit", "net.toml", "--scheduler", "farm", "--node", "make", "--json", **variables)
    assert json.loads(done.stdout) == {"version": 1, "scheduler": "farm", "status_uri": uri, "job": job}
    told = json.loads((shell.folder / "told.json").read_text())
    work = str(shell.folder / "farm")
    brought = ["net.toml", "pdgtemp", "scripts", "tex", "types"]
    assert told == ["net.toml", "/net/make", work, "P:/show/farm", brought]
    assert sorted(os.listdir(f"{work}/scripts")) == ["helper.py", "make.py"]
    plain = shell.run("submit", "net.toml", "--scheduler", "farm", **variables)
    assert plain.stdout.strip() == (uri or job)
    assert json.loads((shell.folder / "told.json").read_text())[1] == "/net"


@pytest.mark.parametrize(
    ("submit", "reason"),
    [
        ("", "does not say how to submit"),
        ("def submitAsJob(self, graph_file, node_path):\n        return ''", "its submitAsJob returned nothing"),
        ("def submitAsJob(self, graph_file, node_path):\n        pass", "its submitAsJob returned nothing"),
        ("def submitAsJob(self, graph_file, node_path):\n        raise OSError('no farm')", "raised OSError: no farm"),
        (
            "def submitAsJob(self, graph_file, node_path):\n        raise pdg.CookError('no queue\\nfast')",
            'error: scheduler "pdg_farm" could not submit the network: no queue\n    fast\n',
        ),
        (
            "def submitAsJob(self, *_):\n        import topcook.author.farm as f\n        raise f.EngineError('no queue')",
            'error: scheduler "pdg_farm" could not submit the network: no queue\n',
        ),
        ("def submitAsJob(self, graph_file, node_path):\n        return 7", '"submitAsJob" returned 7'),
        ("def transferFile(self, file_path):\n        return False", "could not bring what the network needs"),
    ],
)
def test_what_cannot_be_submitted_is_told_in_a_sentence(shell: Any, submit: str, reason: str) -> None:
    shell.write("types/farm.py", FARM.replace("{submit}", submit))
    done = shell.run("submit", project(shell), "--scheduler", "farm", status=2, PDG_TYPES_PATH="types")
    assert reason in done.stderr
    assert done.stdout == ""


def test_the_example_cooks_in_the_background(shell: Any) -> None:
    example = Path(__file__).parents[2] / "examples" / "sharedserver"
    shutil.copytree(example, shell.folder / "example", ignore=shutil.ignore_patterns("work"))
    uri = shell.run("submit", "example/sharedserver.toml").stdout.strip()
    assert shell.run("status", uri, "--wait").stdout.startswith("cooked: 15 CookedSuccess")


def test_a_status_that_is_none_is_refused(shell: Any) -> None:
    shell.write("no.json", "[]")
    assert "is no status of a cook" in shell.run("status", "no.json", status=2).stderr
    assert "there is no status" in shell.run("status", "file:///nowhere/status.json", status=2).stderr
    assert "open it in a browser" in shell.run("status", "https://farm/7", status=2).stderr


def test_any_cook_may_keep_a_status_file(shell: Any) -> None:
    network = shell.network("[nodes.a]\ntype='genericgenerator'\nparms={command='echo'}\n")
    shell.run("cook", network, "--status", "status.json")
    said = json.loads((shell.folder / "status.json").read_text())
    assert (said["state"], said["counts"], said["network"]) == ("cooked", {"CookedSuccess": 1}, "net")
    assert shell.run("status", "status.json").stdout.startswith("cooked: 1 CookedSuccess")
    assert "there is no directory" in shell.run("cook", network, "--status", "no/s.json", status=2).stderr


def test_a_scheduler_that_pip_installed_is_no_file_to_bring(shell: Any) -> None:
    shell.write("site/pipfarm.py", FARM.format(submit=NOTES.format(returned="('farm:1', '1')")))
    shell.write("site/pipfarm-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: pipfarm\nVersion: 1.0\n")
    shell.write("site/pipfarm-1.0.dist-info/entry_points.txt", "[pdg.types]\npipfarm = pipfarm\n")
    shell.write(
        "net.toml",
        '[network]\nname = "net"\nscheduler = "farm"\n[schedulers.farm]\ntype = "farm"\n[nodes.n]\ntype = "null"\n',
    )
    done = shell.run("submit", "net.toml", "--json", PYTHONPATH=str(shell.folder / "site"))
    assert json.loads(done.stdout)["job"] == "1"
    assert json.loads((shell.folder / "told.json").read_text())[0] == "net.toml"
