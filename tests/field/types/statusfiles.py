"""Each job leaves a file, called by its item's id, in the temp directory; nobody ever clears them."""
import os
import subprocess

import pdg
from pdg.scheduler import PyScheduler


class StatusFiles(PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        self.waiting = []

    @classmethod
    def templateName(cls):
        return "statusfiles"

    def onStartCook(self, static, cook_set):
        wd = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(wd, wd)
        self.waiting = []
        return True

    def onSchedule(self, work_item):
        # before anything else: the temp directory is there
        folder = os.path.join(self.tempDir(True), "status")
        if not os.path.isdir(folder):
            os.mkdir(folder)
        self.createJobDirsAndSerializeWorkItems(work_item)
        path = os.path.join(folder, str(work_item.id))
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        command = self.expandCommandTokens(work_item.command, work_item)
        subprocess.Popen("({}) ; echo $? > {}.part ; mv {}.part {}".format(command, path, path, path), shell=True, env=env)
        self.waiting.append((work_item.id, path))
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        for each in list(self.waiting):
            number, path = each
            if os.path.exists(path):
                self.waiting.remove(each)
                with open(path) as stream:
                    status = int(stream.read())
                if status:
                    self.onWorkItemFailed(number, -1)
                else:
                    self.onWorkItemSucceeded(number, -1, 0)
        return pdg.tickResult.SchedulerReady


def registerTypes(type_registry):
    type_registry.registerScheduler(StatusFiles)
