"""A farm that was given all static items at once goes on without the engine: who goes on finds what it has done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import Shell
from tests.waiting import until
from topcook.model.notification import Kind
from topcook.runtime.journal import Past, PastItem

#: Keeps the order by itself: each job waits for the ends of those that it needs.
FARM = '''
import os, subprocess
import pdg
from pdg.scheduler import PyScheduler

HIP = os.environ["HIP"]

class Farm(PyScheduler):
    """Its jobs are processes of their own."""

    staticCook = True

    def __init__(self, scheduler, name):
        super().__init__(scheduler, name)
        self.jobs = set()

    def onSchedule(self, work_item):
        return self.send(work_item, ())

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        for work_item, needed in dependencies.items():
            self.send(work_item, needed)
        open(HIP + "/all", "w").close()

    def send(self, work_item, needed):
        end = lambda item: "%s/end.%s" % (HIP, item.name)
        if os.path.exists(end(work_item)):
            os.unlink(end(work_item))
        waits = "".join("while [ ! -s %s ]; do sleep 0.02; done; " % end(each) for each in needed)
        waits += "".join('test "$(cat %s)" = 0 || exit; ' % end(each) for each in needed)
        command = self.expandCommandTokens(work_item.command, work_item)
        shell = "%s(%s; echo $? > %s.part; mv %s.part %s)" % (waits, command, *[end(work_item)] * 3)
        subprocess.run(["setsid", "sh", "-c", "(%s) >/dev/null 2>&1 &" % shell], check=True)
        self.jobs.add(work_item)
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        for work_item in list(self.jobs):
            path = "%s/end.%s" % (HIP, work_item.name)
            if os.path.exists(path):
                self.jobs.discard(work_item)
                (self.onWorkItemFailed if int(open(path).read()) else self.onWorkItemSucceeded)(work_item.id, -1)
        return pdg.tickResult.SchedulerReady

    def onAdoptWorkItems(self, jobs):
        self.jobs |= {work_item for work_item, token, job in jobs}
        return [work_item for work_item, token, job in jobs]

    def onCancelWorkItems(self, work_items, node):
        self.jobs -= set(work_items)

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, label="Farm")
'''
NODES = """
[schedulers.farm]
type = "farm"
[schedulers.farm.parms]
pdg_tickperiod = 0.05
[nodes.a]
type = "genericgenerator"
scheduler = "farm"
[nodes.a.parms]
itemcount = 2
command = "sh $HIP/job.sh a_@pdg_index"
[nodes.b]
type = "genericgenerator"
scheduler = "farm"
inputs = ["a"]
[nodes.b.parms]
command = "sh $HIP/job.sh b_@pdg_index"
[nodes.all]
type = "waitforall"
inputs = ["b"]
[nodes.c]
type = "genericgenerator"
scheduler = "farm"
inputs = ["all"]
[nodes.c.parms]
command = "sh $HIP/job.sh c"
"""
JOB = 'while [ ! -e "$HIP/gate" ]; do sleep 0.02; done; echo "$1" >> "$HIP/story"\n'

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")


def story(shell: Shell) -> list[str]:
    path = shell.folder / "story"
    return sorted(path.read_text().splitlines()) if path.exists() else []


def left(shell: Shell) -> None:
    """A cook whose engine is killed when the farm has all its items, and which the farm has gone on with to its end."""
    shell.write("types/farm.py", FARM)
    shell.environment |= {"PDG_TYPES_PATH": str(shell.folder / "types"), "HIP": str(shell.folder)}
    shell.write("job.sh", JOB)
    shell.network(NODES)
    engine = shell.start("cook", "net.toml")
    # What is given away is in the journal before.
    until((shell.folder / "all").exists)
    engine.kill()
    engine.wait()
    (shell.folder / "gate").touch()


ALL = ["a_0", "a_1", "b_0", "b_1", "c"]


def test_what_a_farm_has_done_by_itself_is_done(shell: Shell) -> None:
    left(shell)
    until(lambda: story(shell) == ALL)
    report = shell.cook("net.toml", "--resume")
    cooked = {item["name"]: (item["state"], item["attempts"]) for item in report["items"] if item["node"] != "all"}
    assert set(cooked.values()) == {("CookedSuccess", 1)}, cooked
    assert story(shell) == ALL


def test_what_depends_on_an_item_that_was_edited_since_cooks_again(shell: Shell) -> None:
    left(shell)
    until(lambda: story(shell) == ALL)
    shell.network(NODES.replace("job.sh a_@pdg_index", "job.sh x_@pdg_index"))
    report = shell.cook("net.toml", "--resume")
    cooked = {item["name"]: (item["state"], item["attempts"]) for item in report["items"] if item["node"] != "all"}
    assert set(cooked.values()) == {("CookedSuccess", 2)}, cooked
    assert story(shell) == sorted([*ALL, "x_0", "x_1", "b_0", "b_1", "c"])


FAILING = """
[nodes.b.parms]
pdg_retries = RETRIES
pdg_retrydelay = DELAY
command = "sh -c 'echo b >> $HIP/story; exit 3'"
"""


def failing(shell: Shell, retries: int, delay: int) -> None:
    """``b`` fails, without its farm ever saying that it began."""
    shell.write("types/farm.py", FARM)
    shell.environment |= {"PDG_TYPES_PATH": str(shell.folder / "types"), "HIP": str(shell.folder)}
    shell.write("job.sh", JOB)
    (shell.folder / "gate").touch()
    nodes, _, _ = NODES.replace("itemcount = 2", "itemcount = 1").partition("[nodes.b.parms]")
    shell.network(nodes + FAILING.replace("RETRIES", str(retries)).replace("DELAY", str(delay)))


def test_what_failed_without_having_begun_stays_failed(shell: Shell) -> None:
    failing(shell, 0, 0)
    shell.cook("net.toml", status=1)
    report = shell.cook("net.toml", "--resume", status=1)
    assert [item["state"] for item in report["items"]] == ["CookedCache", "CookedFail"]
    assert story(shell) == ["a_0", "b"]


def test_a_retry_that_was_used_up_without_having_begun_stays_used_up(shell: Shell) -> None:
    failing(shell, 1, 3600)
    engine = shell.start("cook", "net.toml")
    until(lambda: earlier(shell) == [1])
    engine.kill()
    engine.wait()
    failing(shell, 1, 0)
    report = shell.cook("net.toml", "--resume", status=1)
    assert [(item["state"], item["attempts"]) for item in report["items"]] == [("CookedCache", 1), ("CookedFail", 2)]
    assert story(shell) == ["a_0", "b", "b"]


def earlier(shell: Shell) -> list[int]:
    """The attempts of ``b`` that are to be followed by another one, as the journal knows them."""
    found = list((Path(shell.environment["HOME"]) / ".local/state/topcook/cooks").glob("*/journal.sqlite"))
    if not found:
        return []
    with Past.open(str(found[0])) as past:
        return [each.number for item in past.items() if item.node == "b" for each in item.earlier]


#: Its jobs tell the cook; it hears of their ends once it may.
TALKING = (
    FARM.replace("(PyScheduler)", "(CallbackServerMixin, PyScheduler)")
    .replace("import pdg\n", "import pdg\nfrom pdg.job.callbackserver import CallbackServerMixin\n", 1)
    .replace(
        "super().__init__(scheduler, name)",
        "PyScheduler.__init__(self, scheduler, name)\n        CallbackServerMixin.__init__(self, True)",
    )
    .replace(
        "        subprocess.run(",
        "        env = dict(os.environ)\n"
        "        self.createJobDirsAndSerializeWorkItems(work_item)\n"
        "        self.addCommonJobEnvVars(env, work_item)\n"
        "        subprocess.run(",
    )
    .replace("check=True)", "check=True, env=env)")
    .replace(
        "        for work_item in list(self.jobs):",
        '        for work_item in list(self.jobs) if os.path.exists(HIP + "/hear") else ():',
    )
    .replace(
        "    def onTick(self):",
        "    def onStartCook(self, static, cook_set):\n"
        "        self.startCallbackServer()\n"
        "        return True\n\n"
        "    def onTick(self):",
    )
)
SAYS = """
import os, sys, time
sys.path.insert(0, os.environ["PDG_SCRIPTDIR"])
import pdgcmd
home = os.environ["HIP"]
open(home + "/story", "a").write("b\\n")
while not os.path.exists(home + "/speak"):
    time.sleep(0.02)
pdgcmd.setStringAttrib("who", "b")
"""


def test_what_a_job_said_before_its_item_was_looked_up_is_taken_in_once(shell: Shell) -> None:
    failing(shell, 0, 0)
    shell.write("types/farm.py", TALKING)
    shell.write("b.py", SAYS)
    nodes, _, _ = NODES.replace("itemcount = 2", "itemcount = 1").partition("[nodes.b.parms]")
    shell.network(nodes + '[nodes.b.parms]\ncommand = "__PDG_PYTHON__ $HIP/b.py"\n')
    engine = shell.start("cook", "net.toml")
    until(lambda: story(shell) == ["a_0", "b"])
    engine.kill()
    engine.wait()
    before = announced(shell)
    resumed = shell.start("cook", "net.toml", "--resume", "--report", "report.json")
    until(lambda: announced(shell) != before)
    (shell.folder / "speak").touch()
    # Its report was answered.
    until((shell.folder / "end.b_2").exists)
    assert [said.kind for said in of_b(shell).reported if said is not None] == [Kind.ATTRIBUTE]
    (shell.folder / "hear").touch()
    assert resumed.wait(120) == 0
    assert shell.report()["items"][1]["attributes"]["who"]["value"] == ["b"]
    assert of_b(shell).reported == [], "who goes on once more does not take it in again"


def announced(shell: Shell) -> list[int]:
    """When jobs were told where their cook listens."""
    return [path.stat().st_mtime_ns for path in shell.folder.glob("**/scripts/.pdg_result_server")]


def of_b(shell: Shell) -> PastItem:
    """What the journal knows of ``b``."""
    (journal,) = (Path(shell.environment["HOME"]) / ".local/state/topcook/cooks").glob("*/journal.sqlite")
    with Past.open(str(journal)) as past:
        return next(item for item in past.items() if item.node == "b")
