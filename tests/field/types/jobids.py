"""Its jobs report by RPC, with the id of the farm's job; reports of any other job are dropped."""
import os
import subprocess
import threading

import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin


class JobIds(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self._job_of = {}
        self._threads = []

    @classmethod
    def templateName(cls):
        return "jobids"

    def _stale(self, item_id, jobid):
        return bool(jobid) and str(self._job_of.get(item_id)) != str(jobid)

    def workItemStartCook(self, item_id, index=-1, jobid=''):
        if self._stale(item_id, jobid):
            return
        self.onWorkItemStartCook(item_id, index)

    def workItemSucceeded(self, item_id, index, cook_duration, jobid=''):
        if not self._stale(item_id, jobid):
            self.onWorkItemSucceeded(item_id, index, cook_duration)

    def workItemFailed(self, item_id, index=-1, jobid=''):
        if not self._stale(item_id, jobid):
            super(JobIds, self).workItemFailed(item_id, index, jobid)

    def workItemFileResult(self, item_id, subindex, result, tag, checksum, jobid=''):
        if not self._stale(item_id, jobid):
            super(JobIds, self).workItemFileResult(item_id, subindex, result, tag, checksum, jobid)

    def onStart(self):
        self.startCallbackServer()
        return True

    def onStartCook(self, static, cook_set):
        wd = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(wd, wd)
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        number = 70000 + work_item.id
        self._job_of[work_item.id] = number
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        env["FARM_TASK"] = str(number)
        env["PDG_JOBID_VAR"] = "FARM_TASK"
        env["PDG_JOBID"] = str(number)
        command = self.expandCommandTokens(work_item.command, work_item)
        thread = threading.Thread(target=self._watch, args=(work_item.id, number, command, env))
        thread.start()
        self._threads.append(thread)
        return pdg.scheduleResult.Succeeded

    def _watch(self, item_id, number, command, env):
        status = subprocess.call(command, shell=True, env=env)
        self.workItemFailed(item_id, -1, jobid="an older job")
        if status:
            self.workItemFailed(item_id, -1, jobid=str(number))
        else:
            self.workItemSucceeded(item_id, -1, 0.2, jobid=str(number))

    def onStopCook(self, cancel):
        for thread in self._threads:
            thread.join()
        return True

    def onStop(self):
        if self.isCallbackServerRunning():
            self.stopCallbackServer()
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(JobIds)
