"""Gives two things for a network submitted as a job; the base class's name serves for a pool of threads."""
import os
import subprocess
import concurrent.futures

import pdg
import pdg.scheduler
from pdg.job.callbackserver import CallbackServerMixin


class Tupler(CallbackServerMixin, pdg.scheduler.PyScheduler):
    def __init__(self, scheduler, name):
        pdg.scheduler.PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self._pool = None

    @classmethod
    def templateName(cls):
        return "tupler"

    def submitAsJob(self, graph_file, node_path):
        return ("http://farm.example/jobs/12", "12")

    def onStart(self):
        self._pool = concurrent.futures.ThreadPoolExecutor(2)
        return True

    def onStop(self):
        self._pool.shutdown()
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        command = self.expandCommandTokens(work_item.command, work_item)
        # self and the item are kept by the thread
        self._pool.submit(self._cook, work_item, command, env)
        return pdg.scheduleResult.Succeeded

    def _cook(self, work_item, command, env):
        self.workItemStartCook(work_item.id, -1)
        ok = subprocess.call(command, shell=True, env=env) == 0
        with work_item.lockAttributes():
            work_item.setIntAttrib("threads", 2)
        if ok:
            self.workItemSucceeded(work_item.id, -1, 0.1)
        else:
            self.workItemFailed(work_item.id, -1)


def registerTypes(type_registry):
    type_registry.registerScheduler(Tupler)
