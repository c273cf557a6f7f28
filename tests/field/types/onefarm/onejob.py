"""One farm job for the whole cook: tasks are appended to it as they come. The job lives until onStop deletes it; the
job's number goes into each item's attributes."""
import os
import threading

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler

import reefclient


class OneJob(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        super(OneJob, self).__init__(scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self.job = None
        self.tasks = {}

    @classmethod
    def templateName(cls):
        return "onejob"

    @classmethod
    def templateBody(cls):
        return '{"name": "onejob", "parameters": [{"name": "onejob_pool", "label": "Pool", "type": "String", "value": "night"}]}'

    def onStart(self):
        self.job = reefclient.Session("onefarm")
        return True

    def onStop(self):
        # parms are still there
        with open(self["pdg_workingdir"].evaluateString() + "/deleted", "w") as stream:
            stream.write("job in pool %s deleted with %d tasks" % (self["onejob_pool"].evaluateString(), len(self.job.jobs())))
        self.job = None
        return True

    def onStartCook(self, static, cook_set):
        wd = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(wd, wd)
        self.startCallbackServer()
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        work_item.setIntAttrib("onejob_id", 77)
        work_item.addLog(pdg.workItemLogType.Message, "appended")
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        env["FARM_TASK_ID"] = "77"
        env["PDG_JOBID_VAR"] = "FARM_TASK_ID"
        command = self.expandCommandTokens(work_item.command, work_item)
        task = self.job.spool(work_item.name, command, env, self.workingDir(True), start=False)
        self.tasks[task] = work_item.id
        self.job.release(task)
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        try:
            for task, state in sorted(self.job.jobs().items()):
                if task not in self.tasks:
                    continue
                number = self.tasks[task]
                if state == "ACTIVE":
                    self.onWorkItemStartCook(number, -1)
                elif state == "FINISHED":
                    self.onWorkItemSucceeded(number, -1, 0.0)
                elif state == "BROKEN":
                    self.onWorkItemFailed(number, -1)
                elif state == "KILLED":
                    self.onWorkItemCanceled(number, -1)
        except Exception as problem:
            self.cookError(str(problem))
            return pdg.tickResult.SchedulerCancelCook
        return pdg.tickResult.SchedulerReady

    def onCancelWorkItems(self, work_items, node):
        for task, number in self.tasks.items():
            if any(number == item.id for item in work_items):
                self.job.kill(task)

    def onStopCook(self, cancel):
        if cancel:
            for task in self.tasks:
                self.job.kill(task)
        self.stopCallbackServer()
        return True

    def onTransferFile(self, file_path):
        return self.transferFile(file_path)

    def submitAsJob(self, graph_file, node_path):
        return self.job.host, "77"
