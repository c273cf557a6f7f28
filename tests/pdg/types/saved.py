# As the button "Save To Python" writes it, then made to poll by somebody in a hurry.
import os
import subprocess

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
from pdg.utils import TickTimer


class Saved(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)
        self.jobs = {}

    @classmethod
    def templateName(cls):
        return "python_scheduler"

    def onTransferFile(self, file_path):
        return self.transferFile(file_path)

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        item_command = self.expandCommandTokens(work_item.command, work_item)
        print(work_item.node.topNode().type().name(), self.dependencyGraph(False)[2])
        job_env = os.environ.copy()
        job_env["PDG_RESULT_SERVER"] = str(self.workItemResultServerAddr())
        job_env["PDG_ITEM_NAME"] = str(work_item.name)
        job_env["PDG_ITEM_ID"] = str(work_item.id)
        job_env["PDG_DIR"] = str(self.workingDir(True))
        job_env["PDG_TEMP"] = str(self.tempDir(True))
        job_env["PDG_SCRIPTDIR"] = str(self.scriptDir(True))
        self.jobs[work_item.id] = subprocess.Popen(item_command, shell=True, env=job_env)
        work_item.setIntAttrib("farm_id", self.jobs[work_item.id].pid)
        return pdg.scheduleResult.Succeeded

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        print(len(dependencies), repr(ready_items))
        return

    def poll(self):
        for key, job in list(self.jobs.items()):
            status = job.poll()
            self.onWorkItemStartCook(key, -1)
            if status == 0:
                self.workItemSucceeded(key, -1, -3)
            elif status:
                self.workItemFailed(key, index=-1)

    def onStop(self):
        self.stopCallbackServer()
        return True

    def onStartCook(self, static, cook_set):
        print(cook_set[0].scheduler.name)
        directory = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(directory, directory)
        if not self.isCallbackServerRunning():
            self.startCallbackServer()
        self.timer = TickTimer(0.02, self.poll)
        self.timer.start()

    def onStopCook(self, cancel):
        self.timer.cancel()
        self.timer.join()
        return True

    def getLogURI(self, work_item):
        return "file://" + os.environ["HIP"]

    def applicationBin(self, name, work_item):
        return self._pythonBin() if name == "python" else self._hythonBin()


def registerTypes(type_registry):
    type_registry.registerScheduler(Saved, label="Saved")
