"""The three bases in a row: callback server, static cook, scheduler. Static items are driven by the mixin."""
import os
import subprocess
import threading

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
from pdg.staticcook import StaticCookMixin


class StaticNet(CallbackServerMixin, StaticCookMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        StaticCookMixin.__init__(self)
        self.processes = {}

    @classmethod
    def templateName(cls):
        return "staticnet"

    def onStartCook(self, static, cook_set):
        wd = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(wd, wd)
        self.startCallbackServer()
        self.static_onStartCook()
        return True

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        self.static_loadDependencies(dependencies, dependents, ready_items)

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        command = self.expandCommandTokens(work_item.command, work_item)
        self.processes[work_item.id] = (work_item.name, subprocess.Popen(command, shell=True, env=env))
        self.workItemStartCook(work_item.id, -1)
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        for number, (name, process) in list(self.processes.items()):
            status = process.poll()
            if status is None:
                continue
            del self.processes[number]
            if status == 0:
                self.workItemSucceeded(number, -1, 0.1)
            else:
                self.workItemFailed(number, -1)
        self.static_tick()
        return pdg.tickResult.SchedulerReady

    def onStopCook(self, cancel):
        for name, process in self.processes.values():
            process.kill()
            process.wait()
        self.processes = {}
        self.stopCallbackServer()
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(StaticNet, label="Static Net")
