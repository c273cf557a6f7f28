"""No templateBody: its parms sat in an HDA, the network gives them as bare values. Reads one that is not there."""
import os
import subprocess

import pdg
from pdg.scheduler import PyScheduler


class Nobody(PyScheduler):

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        self.greeting = None

    @classmethod
    def templateName(cls):
        return "nobodyscheduler"

    def _parm(self, name, default):
        try:
            port = self[name]
        except Exception:
            return default
        if port is None:
            return default
        return port.evaluateString()

    def onStartCook(self, static, cook_set):
        self.setWorkingDir(self["pdg_workingdir"].evaluateString(), self["pdg_workingdir"].evaluateString())
        self.greeting = self["nobody_greeting"].evaluateString()
        self.count = self["nobody_count"].evaluateInt()
        self.scale = self["nobody_scale"].evaluateFloat()
        assert (self.greeting, self.count, self.scale) == ("ahoy", 3, 0.5), (self.greeting, self.count, self.scale)
        assert self._parm("nobody_missing", "none") == "none"
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = dict(os.environ, GREETING=self.greeting)
        command = self.expandCommandTokens(work_item.command, work_item)
        self.onWorkItemStartCook(work_item.id, -1)
        status = subprocess.run(command, shell=True, env=env, cwd=self.workingDir(True)).returncode
        if status:
            self.onWorkItemFailed(work_item.id, -1)
        else:
            self.onWorkItemSucceeded(work_item.id, -1, 0.1)
        return pdg.scheduleResult.Succeeded


def registerTypes(type_registry):
    type_registry.registerScheduler(Nobody, label="Nobody's Farm")
