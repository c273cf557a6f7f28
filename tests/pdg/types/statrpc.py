# Takes all static items at once; its jobs report to the result server, not to it.
import subprocess

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
from pdg.staticcook import StaticCookMixin


class StatRpc(CallbackServerMixin, StaticCookMixin, PyScheduler):
    def __init__(self, scheduler, name):
        super(StatRpc, self).__init__(scheduler, name)
        CallbackServerMixin.__init__(self, True)

    def onStartCook(self, static, cook_set):
        assert static
        self.startCallbackServer()
        self["pdg_tickperiod"] = 0.05
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = self.resolveBaseEnvironment("statrpc", None, work_item)
        self.addCommonJobEnvVars(env, work_item)
        report = "__PDG_PYTHON__ __PDG_SCRIPTDIR__/pdgcmd.py --success"
        command = self.expandCommandTokens(work_item.command + " && " + report, work_item)
        subprocess.Popen(command, shell=True, env=env, stdout=subprocess.DEVNULL)
        return pdg.scheduleResult.Succeeded


def registerTypes(type_registry):
    type_registry.registerScheduler(StatRpc)
