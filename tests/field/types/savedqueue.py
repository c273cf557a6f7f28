#
# Save-To-Python: template name says python_scheduler, no templateBody, a blocking onSchedule
#
import os
import subprocess
import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin


class SavedQueue(CallbackServerMixin, PyScheduler):

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)

    @classmethod
    def templateName(cls):
        return "python_scheduler"

    def onTransferFile(self, file_path):
        return self.transferFile(file_path)

    def submitAsJob(self, graph_file, node_path):
        return ''

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        item_command = self.expandCommandTokens(work_item.command, work_item)

        job_env = os.environ.copy()
        job_env['PDG_RESULT_SERVER'] = str(self.workItemResultServerAddr())
        job_env['PDG_ITEM_NAME'] = str(work_item.name)
        job_env['PDG_ITEM_ID'] = str(work_item.id)
        job_env['PDG_DIR'] = str(self.workingDir(False))
        job_env['PDG_TEMP'] = str(self.tempDir(False))
        job_env['PDG_SCRIPTDIR'] = str(self.scriptDir(False))

        returncode = subprocess.call(item_command, shell=True, env=job_env)
        if returncode == 0:
            return pdg.scheduleResult.CookSucceeded
        return pdg.scheduleResult.CookFailed

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        return

    def onStart(self):
        return True

    def onStop(self):
        self.stopCallbackServer()
        return True

    def onStartCook(self, static, cook_set):
        pdg_workingdir = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(pdg_workingdir, pdg_workingdir)
        if not self.isCallbackServerRunning():
            self.startCallbackServer()
        return True

    def onStopCook(self, cancel):
        return True

    def onTick(self):
        return pdg.tickResult.SchedulerReady

    def getLogURI(self, work_item):
        return ''

    def getStatusURI(self, work_item):
        return ''

    def endSharedServer(self, sharedserver_name):
        return True

    def applicationBin(self, app, work_item):
        if app == 'python':
            return self._pythonBin()
        elif app == 'hython':
            return self._hythonBin()


def registerTypes(type_registry):
    print("Registering type: SavedQueue")
    type_registry.registerScheduler(SavedQueue, label="Saved Queue")
