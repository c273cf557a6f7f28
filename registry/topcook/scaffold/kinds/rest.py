"""A farm with an HTTP API."""

from __future__ import annotations

from topcook.scaffold.kind import Kind
from topcook.scaffold.kinds.parts import LOG_PATH, STATES, job_of, poll_all
from topcook.scaffold.musts import MUSTS

__all__ = ["KIND"]

KIND = Kind(
    name="rest",
    sentence="Submits each work item to a farm that speaks HTTP and JSON, and asks it in onTick how its jobs are.",
    about="""
The parm @name@_url is the farm's address. While it is empty a practice farm is started on this machine, so that there
is something to talk to. _ask is the one place that talks HTTP; begin there, and with what it is asked.
""",
    imports=("urllib.error", "urllib.request"),
    parms=(
        {
            "name": "url",
            "label": "Farm Address",
            "type": "String",
            "value": "",
            "help": "http://host:port of the farm; empty for a practice farm on this machine.",
        },
        {
            "name": "patience",
            "label": "Seconds to Reach the Farm",
            "type": "Float",
            "value": 10.0,
            "help": "How long one question may take.",
        },
    ),
    state="""
self._practice = None
self._url = ""
self._items = {}  # job -> id of its work item, for jobs that have not ended
self._unreached = 0
""",
    bodies={
        "onStart": """
self._url = self["@name@_url"].evaluateString()
if not self._url:
    # No farm yet. Delete these three lines, and those in onStop, when you have an address.
    from topcook.testkit.httpfarm import HttpFarm

    self._practice = HttpFarm()
    self._url = self._practice.start()
return True
""",
        "onStop": """
if self._practice is not None:
    self._practice.stop()
return True
""",
        "onStartCook": MUSTS["onStartCook"].replace(
            "return True",
            'self._items, self._unreached = {}, 0\nself._ask("GET", "/jobs")  # is it there?\nreturn True',
        ),
        "onStopCook": """
if cancel and self._items:
    self._ask("DELETE", "/jobs", {"jobs": list(self._items)})
self._items = {}
self.stopCallbackServer()
return True
""",
        "onSchedule": job_of()
        + """
job = {
    "name": work_item.name,
    "command": command,
    "env": env,
    "directory": self.workingDir(False),
    "log": self._log_path(work_item),
}
self._items[self._ask("POST", "/jobs", job)["job"]] = work_item.id
return pdg.scheduleResult.Succeeded  # taken: how it ends is told by onTick
""".lstrip(),
        "onTick": poll_all("""
if not self._items:
    return pdg.tickResult.SchedulerReady
try:
    states = self._ask("GET", "/jobs")["jobs"]  # one question for all jobs
except pdg.CookError as error:
    self._unreached += 1
    if self._unreached < 20:
        return pdg.tickResult.SchedulerBusy  # nothing is handed over until the farm is back
    self.cookError(str(error))
    return pdg.tickResult.SchedulerCancelCook
self._unreached = 0
"""),
        "onCancelWorkItems": """
unwanted = {work_item.id for work_item in work_items}
self._ask("DELETE", "/jobs", {"jobs": [job for job, item in self._items.items() if item in unwanted]})
""",
    },
    helpers='''
def _ask(self, method, path, content=None):
    """Ask the farm, and return what it answers. Raises CookError when it cannot be reached or refuses."""
    data = json.dumps(content).encode() if content is not None else None
    request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=self["@name@_patience"].evaluateFloat()) as answer:
            return json.load(answer)
    except (OSError, ValueError) as error:
        raise pdg.CookError(f"{self.name}: {method} {path}: the farm does not answer: {error}") from error
'''
    + STATES
    + LOG_PATH,
)
