"""An engine on other machines, on ``topcook.author.farm``."""

from __future__ import annotations

from topcook.scaffold.kind import Kind

__all__ = ["KIND"]

KIND = Kind(
    name="farm",
    sentence="Sends work items to an engine on other machines, many at a time.",
    about="""
On topcook.author.farm: jobs in a wrapper that leaves no process behind, ends that are found although nobody told them,
jobs that a cook which was killed takes up again. So it is for Topcook; for Houdini too, begin with another kind. What
talks to the engine are _submit, _poll, _find and _cancel: begin there. The engine here is the test kit's small one.
""",
    here=False,
    imports=(
        "from topcook.author import cook_command, report",
        "from topcook.author.farm import Collector, EngineAwayError, FarmPhase, FarmState, Reconciler",
        "from topcook.author.farm import farm_job, write_jobs",
        "from topcook.testkit.processfarm import ProcessFarm",
    ),
    parms=(
        {
            "name": "folder",
            "label": "Queue Folder",
            "type": "String",
            "value": "$HIP/farm",
            "help": "Where the engine keeps its queue.",
        },
        {
            "name": "every",
            "label": "Ask Every",
            "type": "Float",
            "value": 10.0,
            "help": "Seconds until the engine is asked what became of jobs that nobody has heard of.",
        },
        {
            "name": "limit",
            "label": "Time Limit",
            "type": "Float",
            "value": 0.0,
            "tag": ["pdg::scheduler"],
            "help": "Seconds after which the engine ends a job; 0 is never.",
        },
    ),
    bodies={
        "onStart": """
self._farm = ProcessFarm(self["@name@_folder"].evaluateString())
self._farm.start()  # your engine runs already
return True
""",
        "onStop": """
self._farm.stop()
return True
""",
        "onStartCook": """
here = self["pdg_workingdir"].evaluateString()
# The second is what the farm's machines call the same directory. Where it has to be shared:
# topcook.author.farm.warn_of_local_disk(self).
self.setWorkingDir(here, here)
every = self["@name@_every"].evaluateFloat()
self._reconciler = Reconciler(self, self._poll, engine="@label@", every=every, find=self._find)
self._collector = Collector(self, self._send)
if not self.isCallbackServerRunning():
    self.startCallbackServer()
return True
""",
        "onStopCook": """
if cancel:
    self._collector.drop(lambda job: True)
    self._cancel(self._reconciler.all_ids())
    left = self._reconciler.gone()
    if left:
        self.cookWarning(f"these jobs could not be ended: {', '.join(left)}")
self.stopCallbackServer()
return True
""",
        "onSchedule": """
# "leave": the engine signals jobs for more than one reason, and is asked which it was.
self._collector.add(farm_job(self, work_item, prefix="@name@", signaled="leave"))
return pdg.scheduleResult.Succeeded  # taken: how it ends is told by its wrapper, or found by the reconciler
""",
        "onTick": """
self._collector.flush_if_due()
self._reconciler.tick()
return pdg.tickResult.SchedulerReady
""",
        "onCancelWorkItems": """
gone = {item.id for item in work_items}
self._collector.drop(lambda job: job.item in gone)
self._cancel(self._reconciler.ids_of(work_items))
""",
        "onAdoptWorkItems": "return self._reconciler.adopt(jobs)",
        "submitAsJob": """
(job,) = self._farm.submit([cook_command(self, graph_file, node_path)], [graph_file])
return "", job
""",
    },
    helpers='''
def _send(self, jobs):
    """Send off what was ready together: those that are to be submitted alike in one go."""
    alike = {}
    for job in jobs:
        item = job.work_item
        try:
            limit = self.evaluateFloatOverride(item.node, "@name@", "limit", item, 0.0)
        except Exception as error:
            # One item's wrong value must not cost the others anything.
            report(self, item, job.attempt).failed(str(error))
            continue
        alike.setdefault(limit, []).append(job)
    for limit, some in alike.items():
        self._submit(some, limit)

def _submit(self, jobs, limit):
    """Have the engine run the words for each job, and note what it calls them. One array beats many jobs."""
    file = write_jobs(self, jobs)
    try:
        # The tokens as names: by them a job is found whose id was not noted.
        words = [file.argv(index) for index in range(len(jobs))]
        ids = self._farm.submit(words, [job.token for job in jobs], limit=limit)
    except OSError as error:
        for job in jobs:
            report(self, job.work_item, job.attempt).failed(f"the engine did not take it: {error}")
        return
    for job, engine_id in zip(jobs, ids):
        self._reconciler.watch(job, engine_id)

def _poll(self, ids):
    """What the engine says of each of these; what it does not know is left out."""
    try:
        found = self._farm.jobs(ids)
    except OSError as error:
        raise EngineAwayError(f"@label@: {error}") from error
    return {each: FarmState(FarmPhase(job["phase"]), job["reason"], job["exit"]) for each, job in found.items()}

def _find(self, tokens):
    """The engine's ids of jobs by these names."""
    try:
        return {job["name"]: each for each, job in self._farm.jobs().items() if job["name"] in tokens}
    except OSError as error:
        raise EngineAwayError(f"@label@: {error}") from error

def _cancel(self, ids):
    """Have the engine end these."""
    try:
        self._farm.cancel(ids)
    except OSError as error:
        self.cookWarning(f"the engine cannot be told to end {len(ids)} jobs: {error}")

def _log_path(self, work_item):
    """Where the wrapper writes what the job prints."""
    return f"{self.logDir(True)}/{work_item.name.replace('/', '_')}.log"
''',
)
