"""getLogURI makes directories below $HIP of the real environment, and raises for items that it does not like."""
import os
import subprocess

import pdg
from pdg.scheduler import PyScheduler


class LogUri(PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        self.known = set()

    @classmethod
    def templateName(cls):
        return "loguri"

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        self.known.add(work_item.id)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        status = subprocess.call(self.expandCommandTokens(work_item.command, work_item), shell=True, env=env)
        return pdg.scheduleResult.CookFailed if status else pdg.scheduleResult.CookSucceeded

    def getLogURI(self, work_item):
        if work_item.id not in self.known:
            raise KeyError("asked before onSchedule")
        folder = os.environ["HIP"] + "/farmlogs/" + work_item.node.name
        if not os.path.exists(folder):
            os.makedirs(folder)
        if work_item.index == 1:
            raise RuntimeError("no log for the second")
        return "file:///" + folder + "/" + work_item.name + ".log"

    def getStatusURI(self, work_item):
        return "http://farm.example:8080/{}?t={}".format(work_item.id, os.path.getmtime(self.tempDir(True)))


def registerTypes(type_registry):
    type_registry.registerScheduler(LogUri)
