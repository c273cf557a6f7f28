"""Bases initialised in the other order. Tells the farm's whole state again on every poll: a start for each job that ever
started, a success for each that is done, however long ago. Durations come out negative; index by keyword."""
import os
import time
import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
import reefclient


class Repeater(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        CallbackServerMixin.__init__(self, False)
        PyScheduler.__init__(self, scheduler, name)
        self.session = None
        self.ids = {}
        self.begun = {}

    @classmethod
    def templateName(cls):
        return "repeater"

    @classmethod
    def templateBody(cls):
        return '{"name": "repeater", "parameters": []}'

    def onStart(self):
        self.session = reefclient.Session()
        return True

    def onStartCook(self, static, cook_set):
        wd = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(wd, wd)
        if not self.isCallbackServerRunning():
            self.startCallbackServer()
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        cmd = self.expandCommandTokens(work_item.command, work_item)
        log = "{}/{}.log".format(self.logDir(True), work_item.name)
        number = self.session.spool(work_item.name, cmd, env, self.workingDir(True), log)
        self.ids[number] = work_item.id
        self.begun[number] = time.time()
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        for number, state in self.session.jobs().items():
            item_id = self.ids.get(number)
            if item_id is None:
                continue
            if state != "WAITING":
                self.workItemStartCook(item_id, index=-1)
            if state == "FINISHED":
                self.workItemSucceeded(item_id, index=-1, cook_duration=self.begun[number] - time.time())
            elif state == "BROKEN":
                self.workItemFailed(item_id, index=-1)
        return pdg.tickResult.SchedulerReady

    def onStopCook(self, cancel):
        for number, state in self.session.jobs().items():
            if cancel and state in ("WAITING", "ACTIVE"):
                self.session.kill(number)
        self.stopCallbackServer()
        self.stopCallbackServer()
        return True

    def getLogURI(self, work_item):
        return "file:///{}/{}.log".format(self.logDir(True), work_item.name)


def registerTypes(type_registry):
    type_registry.registerScheduler(Repeater, label="Repeater", parm_category="Repeater")
