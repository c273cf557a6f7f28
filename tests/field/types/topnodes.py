"""Asks for Houdini's node behind a node without a thought that there may be none, and trusts the first node of a cook."""
import os
import subprocess

import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin


class TopNodes(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self.job_name = ""

    @classmethod
    def templateName(cls):
        return "TopNodes"

    def onStartCook(self, static, cook_set):
        self.job_name = cook_set[0].scheduler.name + "@" + cook_set[0].context.name
        for node in cook_set:
            assert node.scheduler.name
        self.startCallbackServer()
        return True

    def onSchedule(self, work_item):
        node = work_item.node
        title = "{} {} {}".format(self.job_name, node.topNode().name(), node.topNode().type().name())
        parm = node.topNode().parm("cores")
        cores = parm.eval() if parm is not None else 1
        strip = work_item.name[: -len("_" + str(work_item.id))] if work_item.name.endswith("_" + str(work_item.id)) else work_item.name
        assert strip == node.name, (work_item.name, strip, node.name)
        assert work_item.id > 0 and -work_item.id < 0
        job_env = dict(os.environ, TITLE=title, CORES=str(cores))
        self.createJobDirsAndSerializeWorkItems(work_item)
        self.addCommonJobEnvVars(job_env, work_item)
        status = subprocess.call(self.expandCommandTokens(work_item.command, work_item), shell=True, env=job_env)
        with open(self.tempDir(True) + "/titles.txt", "a") as stream:
            stream.write(title + "\n")
        work_item.setStringAttrib("title", title)
        return pdg.scheduleResult.CookSucceeded if status == 0 else pdg.scheduleResult.CookFailed


def registerTypes(type_registry):
    type_registry.registerScheduler(TopNodes)
