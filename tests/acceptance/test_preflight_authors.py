"""``topcook preflight`` with schedulers that know nothing of it: the examples', and three in Houdini's style."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Shell

EXAMPLE = Path(__file__).parents[2] / "examples" / "schedulers"
KINDS = sorted(path.stem for path in (EXAMPLE / "types").glob("*.py"))
NODE = """
[schedulers.{name}]
type = "{name}"
parms.pdg_workingdir = "$HIP/work"
[nodes.on_{name}]
type = "genericgenerator"
scheduler = "{name}"
parms.command = "true"
"""
#: Blocks in onSchedule, as the Python Scheduler's default code does.
BLOCKING = """
import os, subprocess
import pdg
from pdg.scheduler import PyScheduler

class Blocking(PyScheduler):
    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        self.workItemResultServerAddr()
        command = self.expandCommandTokens(work_item.command, work_item)
        env = os.environ.copy()
        for name, value in work_item.environment.items():
            env[name] = str(value)
        env["PDG_RESULT_SERVER"] = str(self.workItemResultServerAddr())
        env["PDG_ITEM_NAME"] = str(work_item.name)
        env["PDG_ITEM_ID"] = str(work_item.id)
        env["PDG_DIR"] = str(self.workingDir(False))
        env["PDG_TEMP"] = str(self.tempDir(False))
        env["PDG_SCRIPTDIR"] = str(self.scriptDir(False))
        failed = subprocess.call(command, shell=True, env=env)
        return pdg.scheduleResult.CookFailed if failed else pdg.scheduleResult.CookSucceeded

def registerTypes(type_registry):
    type_registry.registerScheduler(Blocking, name="blocking", label="Blocking")
"""
#: Starts processes and looks at them in onTick; its jobs work in another view of the directory.
TICKING = """
import os, subprocess
import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler

class Ticking(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)
        self.jobs = {}

    @classmethod
    def templateName(cls):
        return "ticking"

    def onStartCook(self, static, cook_set):
        local = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(local, local + "_there")
        self.startCallbackServer()
        return True

    def onStopCook(self, cancel):
        for process, number in self.jobs.values():
            process.kill()
        self.stopCallbackServer()
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        words = ["/bin/sh", "-c", self.expandCommandTokens(work_item.command, work_item)]
        process = subprocess.Popen(words, env=env, cwd=self.workingDir(False))
        self.jobs[work_item.name] = (process, work_item.id)
        self.onWorkItemStartCook(work_item.id, -1)
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        for name, (process, number) in list(self.jobs.items()):
            if process.poll() is not None:
                del self.jobs[name]
                told = self.onWorkItemFailed if process.returncode else self.onWorkItemSucceeded
                told(number, -1) if process.returncode else told(number, -1, 0.1)
        return pdg.tickResult.SchedulerReady

def registerTypes(type_registry):
    type_registry.registerScheduler(Ticking, label="Ticking")
"""
#: Writes each job as a script into a folder, from which another process runs them; hears of them by their reports only.
SCRIPTS = """
import os, shlex, subprocess
import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler

RUN = 'while [ ! -e "$0/over" ]; do for job in "$0"/*.sh; do [ -e "$job" ] && mv "$job" "$job.run" && sh "$job.run"; done; sleep 0.1; done'

class Scripts(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)

    @classmethod
    def templateName(cls):
        return "scripts"

    def onStart(self):
        self.folder = os.path.expandvars("$HIP/spool")
        os.makedirs(self.folder)
        null = subprocess.DEVNULL
        self.runner = subprocess.Popen(["/bin/sh", "-c", RUN, self.folder], stdin=null, stdout=null, stderr=null)
        return True

    def onStop(self):
        open(os.path.join(self.folder, "over"), "w").close()
        self.runner.wait()
        return True

    def onStartCook(self, static, cook_set):
        self.startCallbackServer()
        return True

    def onStopCook(self, cancel):
        self.stopCallbackServer()
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = {}
        self.addCommonJobEnvVars(env, work_item)
        lines = ["export %s=%s" % (name, shlex.quote(str(value))) for name, value in env.items()]
        lines.append(self.expandCommandTokens(work_item.command, work_item))
        tell = self.expandCommandTokens('__PDG_PYTHON__ "__PDG_SCRIPTDIR__/pdgcmd.py" ', work_item)
        lines[-1:] = [tell + "workItemStartCook", "if %s" % lines[-1], "then %s--success" % tell, "else %s--fail" % tell, "fi"]
        path = os.path.join(self.folder, work_item.name)
        with open(path + ".tmp", "w") as stream:
            stream.write("\\n".join(lines) + "\\n")
        os.rename(path + ".tmp", path + ".sh")
        return pdg.scheduleResult.Succeeded

def registerTypes(type_registry):
    type_registry.registerScheduler(Scripts, label="Scripts")
"""


def preflight(shell: Shell, *names: str, status: int = 0) -> dict[str, dict[str, Any]]:
    """What it says of each scheduler of a network that uses them, by type."""
    shell.environment["PDG_TYPES_PATH"] = str(shell.folder / "types")
    shell.write("net.toml", "".join(NODE.format(name=name) for name in names))
    said = json.loads(shell.run("preflight", "net.toml", "--json", status=status).stdout)
    return {row["subject"].partition(" ")[0]: row for row in said["schedulers"]}


@pytest.mark.parametrize(("name", "text"), [("blocking", BLOCKING), ("ticking", TICKING), ("scripts", SCRIPTS)])
def test_a_scheduler_in_houdinis_style_is_looked_at_all_the_same(name: str, text: str, shell: Shell) -> None:
    shell.write(f"types/{name}.py", text)
    (shell.folder / "work").mkdir()
    (shell.folder / "work_there").symlink_to("work")
    row = preflight(shell, name)[name]
    assert row["verdict"] == "ready"
    found = {(finding["topic"], finding["state"]) for finding in row["findings"]}
    assert {("job", "ok"), ("python", "ok"), ("shared", "ok"), ("result server", "ok"), ("user", "ok")} <= found
    (job,) = (finding for finding in row["findings"] if finding["topic"] == "job")
    assert job["text"].endswith("/work_there" if name == "ticking" else "/work")


def test_all_the_examples_are_looked_at_together(shell: Shell) -> None:
    for folder in ("types", "farms"):
        shutil.copytree(EXAMPLE / folder, shell.folder / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (shell.folder / "work").mkdir()
    rows = preflight(shell, *KINDS)
    assert {name: row["verdict"] for name, row in rows.items()} == dict.fromkeys(KINDS, "ready")
    assert list((shell.folder / "work").glob("pdgtemp/*")) == []


#: Takes the job and never runs it, in a directory of the author's own.
SILENT = """
import pdg
from pdg.scheduler import PyScheduler

class Silent(PyScheduler):
    @classmethod
    def templateName(cls):
        return "silent"

    def onStartCook(self, static, cook_set):
        self.setTempDir(self["pdg_workingdir"].evaluateString() + "/own")
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        return pdg.scheduleResult.Succeeded

def registerTypes(type_registry):
    type_registry.registerScheduler(Silent, label="Silent")
"""


def test_what_an_earlier_preflight_has_left_says_nothing_of_today(shell: Shell) -> None:
    shell.write("types/silent.py", SILENT)
    left = shell.folder / "work" / "own" / "preflight"
    left.mkdir(parents=True)
    (left / "silent.json").write_text('{"host": "of yesterday"}')
    shell.environment["PDG_TYPES_PATH"] = str(shell.folder / "types")
    shell.write("net.toml", NODE.format(name="silent"))
    said = shell.run("preflight", "net.toml", "--timeout", "2", status=1).stdout
    assert "nothing was heard within 2 s" in said
    assert "yesterday" not in said
