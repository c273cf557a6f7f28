"""Busy at first, full after that: defers in both ways before it takes an item; asks for the next by requestTask."""
import os
import subprocess
import threading

import pdg
from pdg.scheduler import PyScheduler


class Busybody(PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        self.ticks = 0
        self.offers = {}
        self.active = None

    @classmethod
    def templateName(cls):
        return "busybody"

    def onStartCook(self, static, cook_set):
        self["pdg_tickperiod"] = 0.02
        self.ticks = 0
        return True

    def onTick(self):
        self.ticks += 1
        if self.ticks < 4:
            return pdg.tickResult.SchedulerBusy
        if self.active and self.active[1].poll() is not None:
            number, process = self.active
            self.active = None
            if process.returncode:
                self.onWorkItemFailed(number, -1)
            else:
                self.onWorkItemSucceeded(number, -1, 0)
            self.requestTask()
        return pdg.tickResult.SchedulerReady

    def onSchedule(self, work_item):
        if self.ticks < 4:
            raise pdg.CookError("scheduled while busy")
        count = self.offers[work_item.id] = self.offers.get(work_item.id, 0) + 1
        if count == 1:
            return pdg.scheduleResult.Deferred
        if self.active:
            return pdg.scheduleResult.FullDeferred
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        self.active = work_item.id, subprocess.Popen(self.expandCommandTokens(work_item.command, work_item), shell=True, env=env)
        return pdg.scheduleResult.Succeeded

    def onStopCook(self, cancel):
        if self.active:
            self.active[1].kill()
            self.active[1].wait()
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(Busybody)
