"""Works in the current directory, set in onStart before any parm was read; temp and scripts have places of their own."""
import os
import subprocess

import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin


class DotDir(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)

    @classmethod
    def templateName(cls):
        return "dotdir"

    def onStart(self):
        self.setWorkingDir(".", ".")
        self.setTempDir(os.path.abspath("./dot_temp"), os.path.abspath("./dot_temp"))
        self.setScriptDir(os.path.abspath("./dot_temp/bin"), os.path.abspath("./dot_temp/bin"))
        return True

    def onStartCook(self, static, cook_set):
        self.startCallbackServer()
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        assert self.tempDir(True).endswith("dot_temp"), self.tempDir(True)
        assert self.scriptDir(False).endswith("dot_temp/bin"), self.scriptDir(False)
        assert os.path.isfile(self.scriptDir(True) + "/pdgcmd.py")
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        status = subprocess.call(self.expandCommandTokens(work_item.command, work_item), shell=True, env=env)
        return pdg.scheduleResult.CookFailed if status else pdg.scheduleResult.CookSucceeded


def registerTypes(type_registry):
    type_registry.registerScheduler(DotDir)
