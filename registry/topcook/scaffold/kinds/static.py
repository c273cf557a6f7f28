"""A farm that knows dependencies: it is given everything at once."""

from __future__ import annotations

from topcook.scaffold.kind import Kind
from topcook.scaffold.kinds import poll
from topcook.scaffold.kinds.parts import LOG_PATH, STATES, local_farm

__all__ = ["KIND"]

KIND = Kind(
    name="static",
    sentence="Hands all work items that are known before the cook to the farm at once, with their dependencies.",
    about="""
onScheduleStatic submits the whole graph, so that the farm can go on when this machine is away; what becomes known
later, and every retry, comes to onSchedule. Class Farm stands for your farm's API; begin there.
""",
    imports=("itertools", "signal", "subprocess"),
    parms=poll.KIND.parms,
    head=local_farm(with_dependencies=True),
    state=poll.KIND.state,
    bodies={
        **poll.KIND.bodies,
        "onSchedule": """
self._submit(work_item, ())
return pdg.scheduleResult.Succeeded  # taken: how it ends is told by onTick
""",
        "onScheduleStatic": """
# Both dicts have every work item as a key. First those that wait for nothing, then what they were needed for.
jobs, ready = {}, list(ready_items)
while ready:
    work_item = ready.pop()
    if work_item in jobs:
        continue
    jobs[work_item] = self._submit(work_item, [jobs[each] for each in dependencies[work_item]])
    for later in dependents[work_item]:
        if all(each in jobs for each in dependencies[later]):
            ready.append(later)
""",
    },
    helpers='''
def _submit(self, work_item, after):
    """Make a job of an item; returns its id."""
    self.createJobDirsAndSerializeWorkItems(work_item)
    command = self.expandCommandTokens(work_item.command, work_item)
    env = dict(os.environ)
    self.addCommonJobEnvVars(env, work_item)
    job = self._farm.submit(command, env, self.workingDir(True), self._log_path(work_item), after)
    self._items[job] = work_item.id
    return job
'''
    + STATES
    + LOG_PATH,
)
