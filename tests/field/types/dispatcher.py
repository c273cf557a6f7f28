"""Events without a server: EventDispatchMixin, fed by the farm's own callbacks, on the farm's threads."""
import os
import time

import pdg
from pdg.job.eventdispatch import EventDispatchMixin
from pdg.scheduler import PyScheduler
import reefclient


class Dispatcher(EventDispatchMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        EventDispatchMixin.__init__(self)
        self.farm = None
        self.item_of = {}

    @classmethod
    def templateName(cls):
        return "dispatcher"

    def onStart(self):
        self.farm = reefclient.Session(listener=self.farmEvent)
        return True

    def farmEvent(self, job):
        item = self.item_of.get(job.title)
        if job.state == "ACTIVE":
            self.workItemStartCook(item, index=-1)
        elif job.state == "FINISHED":
            self.workItemFileResult(item, -1, job.title + ".made", "file/txt", 0)
            self.workItemSetAttribute(item, "farm_host", ["reef"])
            self.workItemSucceeded(item, cook_duration=0.25)
            self.workItemSucceeded(item, cook_duration=0.25)
        elif job.state == "BROKEN":
            self.workItemFailed(item)
        elif job.state == "KILLED":
            self.workItemCancelled(item, -1)

    def onStartCook(self, static, cook_set):
        path = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(path, path)
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        self.item_of[work_item.name] = work_item.id
        env = dict(os.environ, PDG_DIR=self.workingDir(True))
        # the farm may call back before spool() has come back
        self.farm.spool(work_item.name, self.expandCommandTokens(work_item.command, work_item), env, self.workingDir(True))
        return pdg.scheduleResult.Succeeded

    def onStopCook(self, cancel):
        if cancel:
            for number, state in self.farm.jobs().items():
                if state in ("WAITING", "ACTIVE"):
                    self.farm.kill(number)
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(Dispatcher, label="Dispatcher")
