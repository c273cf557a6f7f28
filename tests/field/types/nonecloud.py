"""A cloud's scheduler whose callbacks mostly forget to return anything."""
import os
import pdg
from pdg import CookError, scheduleResult, tickResult, serviceState, attribFlag, ServiceError, TypeRegistry
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
import reefclient


class NoneCloud(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self._cloud = None
        self._jobs = {}

    @classmethod
    def templateName(cls):
        return "nonecloud"

    @classmethod
    def templateBody(cls):
        return ""

    def onStart(self):
        self._cloud = reefclient.Session("cloud.example")

    def onStop(self):
        self._cloud = None

    def onSetupCook(self):
        if not self.isCallbackServerRunning():
            self.startCallbackServer()

    def onStartCook(self, static, cook_set):
        path = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(path, path)

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        environment = dict(os.environ)
        self.addCommonJobEnvVars(environment, work_item)
        command = self.expandCommandTokens(work_item.command, work_item)
        job = self._cloud.spool(work_item.name, command, environment, self.workingDir(True))
        self._jobs[job] = work_item.id

    def onTick(self):
        for job, number in list(self._jobs.items()):
            state = self._cloud.state(job)
            if state == "ACTIVE":
                self.onWorkItemStartCook(number, -1)
            elif state == "FINISHED":
                self.onWorkItemSucceeded(number, -1, 0)
                self._jobs.pop(job)
            elif state in ("BROKEN", "KILLED"):
                self.onWorkItemFailed(number, -1)
                self._jobs.pop(job)

    def onStopCook(self, cancel):
        for job in self._jobs:
            self._cloud.kill(job)

    def getLogURI(self, work_item):
        pass

    def getStatusURI(self, work_item):
        pass


def registerTypes(type_registry):
    type_registry.registerScheduler(NoneCloud, label="None Cloud")
