"""A farm that answers when asked: onTick polls it."""

from __future__ import annotations

from topcook.scaffold.kind import Kind
from topcook.scaffold.kinds.parts import LOG_PATH, STATES, job_of, local_farm, poll_all
from topcook.scaffold.musts import MUSTS

__all__ = ["KIND"]

KIND = Kind(
    name="poll",
    sentence="Submits each work item, and asks the farm in onTick how its jobs are.",
    about="""
onTick is called twice a second (the parm pdg_tickperiod) from the first moment of a cook to its last, and never
together with another callback: there is no thread and no lock. Class Farm stands for your farm's API; begin there.
""",
    imports=("itertools", "signal", "subprocess"),
    parms=(
        {
            "name": "slots",
            "label": "Jobs at a Time",
            "type": "Integer",
            "value": 2,
            "help": "How many jobs the farm runs at a time.",
        },
    ),
    head=local_farm(),
    state="self._farm = None\nself._items = {}  # job -> id of its work item, for jobs that have not ended",
    bodies={
        "onStart": 'self._farm = Farm(self["@name@_slots"].evaluateInt())\nreturn True',
        "onStartCook": MUSTS["onStartCook"].replace("return True", "self._items = {}\nreturn True"),
        "onStopCook": """
if cancel:
    self._farm.cancel(list(self._items))
self._items = {}
self.stopCallbackServer()
return True
""",
        "onSchedule": job_of()
        + """
job = self._farm.submit(command, env, self.workingDir(True), self._log_path(work_item))
self._items[job] = work_item.id
return pdg.scheduleResult.Succeeded  # taken: how it ends is told by onTick
""".lstrip(),
        "onTick": poll_all("states = self._farm.states()  # one question for all jobs"),
        "onCancelWorkItems": """
unwanted = {work_item.id for work_item in work_items}
self._farm.cancel([job for job, item in self._items.items() if item in unwanted])
""",
    },
    helpers=STATES + LOG_PATH,
)
