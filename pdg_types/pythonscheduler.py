"""Python Scheduler: its callbacks are text fields in the network file."""

from __future__ import annotations

import json
from typing import Any

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
from topcook.author import TextFields

#: Run the command here and wait for it.
ON_SCHEDULE = """\
import os
import subprocess

self.createJobDirsAndSerializeWorkItems(work_item)
job_env = os.environ.copy()
self.addCommonJobEnvVars(job_env, work_item)
command = self.expandCommandTokens(work_item.command, work_item)
log_path = os.path.join(self.logDir(True), work_item.name + ".log")

self.onWorkItemStartCook(work_item.id, -1)
with open(log_path, "ab") as log:
    status = subprocess.call(
        command,
        shell=True,
        cwd=self.workingDir(True),
        env=job_env,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
if status == 0:
    return pdg.scheduleResult.CookSucceeded
if self.context.canceling:
    return pdg.scheduleResult.CookCanceled
return pdg.scheduleResult.CookFailed
"""

#: The log that the body above writes.
GET_LOG_URI = """\
import pathlib

log = pathlib.Path(self.logDir(True), work_item.name + ".log")
return log.as_uri() if log.exists() else ""
"""

#: The id of each text field, its label, and the body it has when the network leaves it empty. Those without one answer
#: as the base class does.
FIELDS: tuple[tuple[str, str, str], ...] = (
    ("onschedule", "onSchedule Callback", ON_SCHEDULE),
    ("onschedulestatic", "onScheduleStatic Callback", ""),
    ("ontick", "onTick Callback", ""),
    ("submitasjob", "submitAsJob Callback", ""),
    ("workingdir", "workingDir Callback", ""),
    ("localizepath", "localizePath Callback", ""),
    ("onstart", "onStart Callback", ""),
    ("onstop", "onStop Callback", ""),
    ("onstartcook", "onStartCook Callback", ""),
    ("onstopcook", "onStopCook Callback", ""),
    ("endsharedserver", "endSharedServer Callback", ""),
    ("workitemresultserveraddr", "workItemResultServerAddr Callback", ""),
    ("transferfile", "transferFile Callback", ""),
    ("getloguri", "getLogURI Callback", GET_LOG_URI),
    ("getstatusuri", "getStatusURI Callback", ""),
)


class PythonScheduler(CallbackServerMixin, PyScheduler):
    """Each text field is the body of its callback, with ``self``, ``pdg`` and the callback's arguments in scope.

    The fields of one node share their global names, and keep them as long as the scheduler lives; what belongs to the
    scheduler is kept on ``self``. An empty field takes the default. Errors point at the line of the network file.
    ``topcook save`` writes a scheduler file of it.
    """

    #: Node by node, the onschedulestatic field decides; the method below only calls it.
    staticCook = False

    def __init__(self, scheduler: Any, name: str) -> None:
        """Parms are readable from ``onStart`` on: nothing is compiled yet."""
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)
        self._topcook_fields = TextFields(self, PythonScheduler, pdg=pdg)

    @classmethod
    def templateName(cls) -> str:
        """The type's name in networks."""
        return "pythonscheduler"

    @classmethod
    def templateBody(cls) -> str:
        """A text field for each callback."""
        parameters = [
            {"name": name, "label": label, "type": "String", "value": body, "tag": ["callback"]}
            for name, label, body in FIELDS
        ]
        return json.dumps({"name": "pythonscheduler", "parameters": parameters})

    def onSchedule(self, work_item: Any) -> Any:
        """The ``onschedule`` field."""
        return self._topcook_fields.run("onschedule", work_item)

    def onScheduleStatic(self, dependencies: Any, dependents: Any, ready_items: Any) -> Any:
        """The ``onschedulestatic`` field."""
        return self._topcook_fields.run("onschedulestatic", dependencies, dependents, ready_items)

    def onTick(self) -> Any:
        """The ``ontick`` field."""
        return self._topcook_fields.run("ontick")

    def submitAsJob(self, graph_file: str, node_path: str) -> Any:
        """The ``submitasjob`` field."""
        return self._topcook_fields.run("submitasjob", graph_file, node_path)

    def workingDir(self, local: bool = True) -> Any:
        """The ``workingdir`` field."""
        return self._topcook_fields.run("workingdir", local)

    def localizePath(self, path: Any) -> Any:
        """The ``localizepath`` field."""
        return self._topcook_fields.run("localizepath", path)

    def onStart(self) -> Any:
        """The ``onstart`` field."""
        return self._topcook_fields.run("onstart")

    def onStop(self) -> Any:
        """The ``onstop`` field."""
        return self._topcook_fields.run("onstop")

    def onStartCook(self, static: bool, cook_set: Any) -> Any:
        """The ``onstartcook`` field."""
        return self._topcook_fields.run("onstartcook", static, cook_set)

    def onStopCook(self, cancel: bool = False) -> Any:
        """The ``onstopcook`` field."""
        return self._topcook_fields.run("onstopcook", cancel)

    def endSharedServer(self, sharedserver_name: str, kill: bool = False) -> Any:
        """The ``endsharedserver`` field, which knows no ``kill``."""
        del kill
        return self._topcook_fields.run("endsharedserver", sharedserver_name)

    def workItemResultServerAddr(self) -> Any:
        """The ``workitemresultserveraddr`` field."""
        return self._topcook_fields.run("workitemresultserveraddr")

    def transferFile(self, file_path: str) -> Any:
        """The ``transferfile`` field; the default copying where the field itself calls this, as it may since 18."""
        if self._topcook_fields.calls_itself("transferfile"):
            return super().transferFile(file_path)
        return self._topcook_fields.run("transferfile", file_path)

    def onTransferFile(self, file_path: str) -> Any:
        """The ``transferfile`` field by its later name: what is asked for a file dependency."""
        if self._topcook_fields.calls_itself("transferfile"):
            return self._topcook_fields.run("transferfile", file_path)
        return self.transferFile(file_path)

    def getLogURI(self, work_item: Any) -> Any:
        """The ``getloguri`` field."""
        return self._topcook_fields.run("getloguri", work_item)

    def getStatusURI(self, work_item: Any) -> Any:
        """The ``getstatusuri`` field."""
        return self._topcook_fields.run("getstatusuri", work_item)


def registerTypes(type_registry: Any) -> None:
    """Put the type into the menu."""
    type_registry.registerScheduler(PythonScheduler, label="Python Scheduler")
