"""A farm's jobs outlive the engine: who goes on takes them up, or has them ended before their items cook again."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.acceptance.conftest import Shell
from tests.waiting import until

#: Starts processes of its own, which nothing of ours knows of; their numbers are what it calls its jobs.
FARM = '''
import os, signal, subprocess, time
import pdg
from pdg.scheduler import PyScheduler

class Farm(PyScheduler):
    """Its jobs are processes of their own."""

    def __init__(self, scheduler, name):
        super().__init__(scheduler, name)
        self.jobs = {}

    def onSchedule(self, work_item):
        command = self.expandCommandTokens(work_item.command, work_item)
        number = work_item.id
        env = dict(os.environ, ITEM=work_item.name)
        # Nobody's child, as on another machine.
        shell = "(%s; echo $? > $HIP/status.%d) >/dev/null 2>&1 & echo $!" % (command, number)
        told = subprocess.run(["setsid", "sh", "-c", shell], env=env, stdout=subprocess.PIPE, text=True, check=True)
        work_item.setIntAttrib("farm_job", int(told.stdout))
        self.jobs[number] = int(told.stdout)
        self.onWorkItemStartCook(number, -1)
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        for number in list(self.jobs):
            path = os.path.join(os.environ["HIP"], "status.%d" % number)
            if os.path.exists(path) and open(path).read():
                del self.jobs[number]
                (self.onWorkItemFailed(number, -1) if int(open(path).read()) else self.onWorkItemSucceeded(number, -1, 1.0))
        return pdg.tickResult.SchedulerReady
ADOPT
    def onCancelWorkItems(self, work_items, node):
        for work_item in work_items:
            job = self.jobs.pop(work_item.id)
            os.killpg(os.getpgid(job), signal.SIGKILL)
            while os.path.exists("/proc/%d" % job) and open("/proc/%d/stat" % job).read().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.01)

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, label="Farm")
'''
ADOPT = """
    def onAdoptWorkItems(self, jobs):
        taken = []
        for work_item, token, job in jobs:
            self.jobs[work_item.id] = work_item.intAttribValue("farm_job")
            taken.append(work_item)
        return taken
"""
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
command = "sh $HIP/job.sh"
"""
JOB = (
    'echo "$ITEM begins" >> $HIP/story; while [ ! -e $HIP/gate ]; do sleep 0.02; done; echo "$ITEM ends" >> $HIP/story'
)

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")


def story(shell: Shell) -> list[str]:
    path = shell.folder / "story"
    return path.read_text().splitlines() if path.exists() else []


def killed(shell: Shell, adopt: str = ADOPT) -> None:
    """A cook whose engine is killed while both its jobs run."""
    shell.write("types/farm.py", FARM.replace("ADOPT", adopt))
    shell.environment |= {"PDG_TYPES_PATH": str(shell.folder / "types"), "HIP": str(shell.folder)}
    shell.write("job.sh", JOB)
    shell.network(NODES)
    engine = shell.start("cook", "net.toml")
    until(lambda: sorted(story(shell)) == ["a_1 begins", "a_2 begins"])
    until(lambda: in_flight(shell) == 2)
    engine.kill()
    engine.wait()


def in_flight(shell: Shell) -> int:
    """How many items the journal of the cook has at work, with what their jobs are called."""
    from topcook.runtime.journal import Past

    [journal] = (Path(shell.environment["HOME"]) / ".local/state/topcook/cooks").glob("*/journal.sqlite")
    with Past.open(str(journal)) as past:
        return sum("farm_job" in item.attributes for item in past.in_flight())


def test_a_farm_is_asked_for_its_jobs_with_what_it_wrote_on_their_items(shell: Shell) -> None:
    killed(shell)
    (shell.folder / "gate").touch()
    report = shell.cook("net.toml", "--resume")
    assert [(item["state"], item["attempts"]) for item in report["items"]] == [("CookedSuccess", 1)] * 2
    assert sorted(story(shell)) == ["a_1 begins", "a_1 ends", "a_2 begins", "a_2 ends"]
    assert all("farm_job" in item["attributes"] for item in report["items"])


@pytest.mark.parametrize("how", [["--resume"], []])
def test_jobs_of_items_that_cook_again_are_ended_first(shell: Shell, how: list[str]) -> None:
    killed(shell)
    shell.network(NODES.replace('job.sh"', 'job.sh edited"'))
    resumed = shell.start("cook", "net.toml", *how, "--report", "report.json")
    until(lambda: len(story(shell)) == 4)
    (shell.folder / "gate").touch()
    assert resumed.wait() == 0, resumed.stderr
    assert sorted(story(shell)[2:]) == ["a_1 begins", "a_1 ends", "a_2 begins", "a_2 ends"]


def test_jobs_of_a_farm_that_does_not_take_them_up_are_told(shell: Shell) -> None:
    killed(shell, adopt="")
    (shell.folder / "gate").touch()
    until(lambda: len(story(shell)) == 4)
    report = shell.cook("net.toml", "--resume")
    assert [(item["state"], item["attempts"]) for item in report["items"]] == [("CookedSuccess", 2)] * 2
    [told] = [each for each in report["messages"] if "were not taken up" in each]
    assert "may still run: a_1, a_2" in told
    assert "onAdoptWorkItems" in told


def test_jobs_that_a_farm_was_asked_for_and_does_not_find_are_told(shell: Shell) -> None:
    killed(shell, adopt="    def onAdoptWorkItems(self, jobs):\n        return []\n")
    (shell.folder / "gate").touch()
    until(lambda: len(story(shell)) == 4)
    report = shell.cook("net.toml", "--resume")
    [told] = [each for each in report["messages"] if "an earlier session left" in each]
    assert "farm has not found jobs that an earlier session left: a_1, a_2\n" in told


#: Takes its time to take jobs up, and ends what it has when the cook is canceled.
HESITATING = """
    def onAdoptWorkItems(self, jobs):
        home = os.environ["HIP"]
        open(home + "/asked", "w").close()
        while not os.path.exists(home + "/answer"):
            time.sleep(0.02)
        for work_item, token, job in jobs:
            self.jobs[work_item.id] = work_item.intAttribValue("farm_job")
        return [work_item for work_item, token, job in jobs]

    def onStopCook(self, cancel):
        for job in self.jobs.values() if cancel else ():
            os.killpg(os.getpgid(job), signal.SIGKILL)
        return True
"""


def test_a_cook_that_is_canceled_while_jobs_are_taken_up_leaves_none_of_them(shell: Shell) -> None:
    killed(shell, adopt=HESITATING)
    resumed = shell.start("cook", "net.toml", "--resume")
    until((shell.folder / "asked").exists)
    resumed.send_signal(signal.SIGINT)
    (shell.folder / "answer").touch()
    assert resumed.wait() == 130
    (shell.folder / "gate").touch()
    report = shell.cook("net.toml", "--resume")
    assert report["state"] == "cooked"
    told = story(shell)
    # Their first attempts were ended at the gate, before the second began.
    assert sorted(told) == ["a_1 begins", "a_1 begins", "a_1 ends", "a_2 begins", "a_2 begins", "a_2 ends"]


#: Looks at what jobs report, and takes its time over a file.
LISTENING = """
    def onStartCook(self, static, cook_set):
        self.startCallbackServer()
        return True

    def workItemFileResult(self, item, subindex, result, tag, checksum, jobid=""):
        import time
        open(os.environ["HIP"] + "/asked", "a").write(str(item))
        while not os.path.exists(os.environ["HIP"] + "/gate"):
            time.sleep(0.02)
        super().workItemFileResult(item, subindex, result, tag + "/seen", checksum, jobid)
"""
REPORT = """
import os, sys
sys.path.insert(0, os.environ["PDG_SCRIPTDIR"])
import pdgcmd
home = os.environ["HIP"]
open(home + "/made.txt", "w").write("x")
pdgcmd.addOutputFile(home + "/made.txt", result_data_tag="file/text")
open(home + "/story", "a").write("answered\\n")
"""


def test_a_report_that_was_answered_is_not_lost_on_its_way_through_the_authors_methods(shell: Shell) -> None:
    farm = FARM.replace("class Farm(PyScheduler)", "class Farm(CallbackServerMixin, PyScheduler)")
    farm = farm.replace("import pdg\n", "import pdg\nfrom pdg.job.callbackserver import CallbackServerMixin\n")
    farm = farm.replace(
        "super().__init__(scheduler, name)",
        "PyScheduler.__init__(self, scheduler, name)\n        CallbackServerMixin.__init__(self, True)",
    )
    farm = farm.replace(
        "ITEM=work_item.name)",
        "ITEM=work_item.name)\n"
        "        self.createJobDirsAndSerializeWorkItems(work_item)\n"
        "        self.addCommonJobEnvVars(env, work_item)",
    )
    shell.write("types/farm.py", farm.replace("ADOPT", ADOPT + LISTENING))
    shell.environment |= {"PDG_TYPES_PATH": str(shell.folder / "types"), "HIP": str(shell.folder)}
    shell.write("job.py", REPORT)
    shell.network(
        NODES.replace("itemcount = 2", "itemcount = 1").replace("sh $HIP/job.sh", "__PDG_PYTHON__ $HIP/job.py")
    )
    engine = shell.start("cook", "net.toml")
    until(lambda: story(shell) == ["answered"] and (shell.folder / "asked").exists())
    engine.kill()
    engine.wait()
    (shell.folder / "gate").touch()
    report = shell.cook("net.toml", "--resume")
    [item] = report["items"]
    assert (item["state"], item["attempts"]) == ("CookedSuccess", 1)
    assert [(each["path"], each["tag"]) for each in item["outputs"]] == [
        (str(shell.folder / "made.txt"), "file/text/seen")
    ]
    assert story(shell) == ["answered"]
