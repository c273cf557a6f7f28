"""Its programs are tokens of its farm: applicationBin gives back a token, which one pass of expansion leaves alone."""
import os
import subprocess
import sys

import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin


class Tokens(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self.custom_port_range = (42000, 42400)

    @classmethod
    def templateName(cls):
        return "tokens"

    def applicationBin(self, name, work_item):
        if work_item is None and name == "hython":
            return "__PDG_HYTHON__"
        return "__PDG_PYTHON__" if name == "python" else name

    def onStartCook(self, static, cook_set):
        wd = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(wd, wd)
        self.startCallbackServer()
        address = self.workItemResultServerAddr()
        assert address.count(":") == 1 and 42000 <= int(address.split(":")[1]) < 42400, address
        self.setWorkItemResultServerAddr("127.0.0.1:" + address.split(":")[1])
        assert self.expandCommandTokens("__PDG_HFS__", None) == os.environ.get("HFS", "")
        assert self.expandCommandTokens("__PDG_HYTHON__ __PDG_MADE_UP__", None) == "__PDG_HYTHON__ __PDG_MADE_UP__"
        assert self.expandCommandTokens("a\0b", None) == "a\0b"
        assert self.delocalizePath(wd + "/x").endswith("/x")
        assert self.localizePath("__PDG_DIR__/x") == self.workingDir(True) + "/x"
        return True

    def expandCommandTokens(self, item_command, work_item):
        return super().expandCommandTokens(item_command, work_item)

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        self._copyJobSupportFiles()
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        env["PDG_RESULT_SERVER"] = self.workItemResultServerAddr()
        command = self.expandCommandTokens(work_item.command, work_item).replace("__PDG_PYTHON__", sys.executable)
        if subprocess.call(command, shell=True, env=env) == 0:
            self.onWorkItemSucceeded(work_item.id, index=-1, cook_duration=0.1)
        else:
            self.onWorkItemFailed(work_item.id, index=-1)
        return None

    def onStopCook(self, cancel):
        self.setWorkItemResultServerAddr('')
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(Tokens)
