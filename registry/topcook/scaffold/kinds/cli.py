"""A farm whose submit command waits for its job: srun, bsub -K, qsub -sync y."""

from __future__ import annotations

from topcook.scaffold.kind import Kind
from topcook.scaffold.kinds.parts import LOG_PATH, job_of
from topcook.scaffold.musts import MUSTS

__all__ = ["KIND"]

KIND = Kind(
    name="cli",
    sentence="Runs each work item through a command of the farm that waits for its job, as srun does.",
    about="""
The parm @name@_submit is that command; the work item's own is put behind it as one word. `sh -c` runs it on this
machine; on a farm it is `srun sh -c`, `bsub -K sh -c`, `qsub -sync y -b y sh -c`.
""",
    imports=("shlex", "signal", "subprocess"),
    parms=(
        {
            "name": "submit",
            "label": "Submit Command",
            "type": "String",
            "value": "sh -c",
            "tag": ["pdg::scheduler"],
            "help": "The command that runs a job and waits for it.",
        },
        {
            "name": "slots",
            "label": "Jobs at a Time",
            "type": "Integer",
            "value": 2,
            "help": "How many jobs are submitted at a time.",
        },
    ),
    state="self._jobs = {}  # id of the work item -> the process of its submit command",
    bodies={
        "onStartCook": MUSTS["onStartCook"].replace("return True", "self._jobs = {}\nreturn True"),
        "onStopCook": """
if cancel:
    self._end(list(self._jobs))
self.stopCallbackServer()
return True
""",
        "onSchedule": """
if len(self._jobs) >= self["@name@_slots"].evaluateInt():
    return pdg.scheduleResult.FullDeferred  # no room: offer it again when a job has ended
"""
        + job_of().lstrip()
        + """
# A node may have overridden the parm for its own work items.
submit = self.evaluateStringOverride(work_item.node, "@name@", "submit", work_item, "sh -c")
with open(self._log_path(work_item), "wb") as log:
    self._jobs[work_item.id] = subprocess.Popen(
        [*shlex.split(submit), command],
        env=env,
        cwd=self.workingDir(True),
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # so that it can be ended with all that it started
    )
self.onWorkItemStartCook(work_item.id, -1)
return pdg.scheduleResult.Succeeded  # taken: how it ends is told by onTick
""".lstrip(),
        "onTick": """
for item, process in list(self._jobs.items()):
    status = process.poll()
    if status is None:
        continue
    del self._jobs[item]
    if status == 0:
        self.onWorkItemSucceeded(item, -1, 0)
    else:
        self.onWorkItemFailed(item, -1)
return pdg.tickResult.SchedulerReady
""",
        "onCancelWorkItems": "self._end([work_item.id for work_item in work_items])",
    },
    helpers='''
def _end(self, items):
    """End the jobs of these items, with all that they started, and wait until they are gone."""
    for item in items:
        process = self._jobs.pop(item, None)
        if process is None:
            continue
        self._signal(process, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            self._signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
            process.wait()
        self.onWorkItemCanceled(item, -1)

def _signal(self, process, number):
    """Send a signal to a job and to all that it started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    except OSError:
        pass  # it has just ended by itself
'''
    + LOG_PATH,
)
