"""Says everything twice, some of it after the end, for items that nobody knows, and the other way round too."""
import os
import subprocess
import threading

import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin


class Latecomer(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self.over = []
        self.lock = threading.Lock()
        self.threads = []

    @classmethod
    def templateName(cls):
        return "latecomer"

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        command = self.expandCommandTokens(work_item.command, work_item)
        status = subprocess.call(command, shell=True, env=env)
        # the result is known before onSchedule says that it was scheduled
        self._tell(work_item.id, status)
        with self.lock:
            self.over.append((work_item.id, status))
        thread = threading.Thread(target=self._tell, args=(work_item.id, status))
        thread.start()
        self.threads.append(thread)
        return pdg.scheduleResult.Succeeded

    def _tell(self, number, status):
        self.onWorkItemStartCook(number, -1)
        if status:
            self.onWorkItemFailed(number, -1)
            self.onWorkItemSucceeded(number, -1, 0)
        else:
            self.onWorkItemSucceeded(number, -1, 1.0)
            self.onWorkItemFailed(number, -1)
            self.onWorkItemCanceled(number, -1)
        self.onWorkItemStartCook(number, -1)

    def onTick(self):
        with self.lock:
            for number, status in self.over:
                self._tell(number, status)
        self.onWorkItemSucceeded(99999, -1, 0)
        self.onWorkItemFailed("nobody_77777", -1)
        self.workItemStartCook(88888, index=-1)
        self.workItemFileResult(88888, -1, "x", "file", 0)
        return pdg.tickResult.SchedulerReady

    def onStopCook(self, cancel):
        for thread in self.threads:
            thread.join()
        for number, status in self.over:
            self.onWorkItemFailed(number, -1)
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(Latecomer)
