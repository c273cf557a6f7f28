"""Ends a cook by itself: from onTick, once its farm says that nothing goes any more. It then stops the cook twice."""
import os
import subprocess

import pdg
from pdg.scheduler import PyScheduler


class Strike(PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        self.process = None
        self.stops = 0

    @classmethod
    def templateName(cls):
        return "strike"

    def onSchedule(self, work_item):
        if self.process:
            return pdg.scheduleResult.FullDeferred
        self.process = subprocess.Popen(["sleep", "600"])
        with open(self.tempDir(True) + "/pid", "w") as stream:
            stream.write(str(self.process.pid))
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        if self.process:
            self.cookError("the farm is on strike")
            self.onStopCook(True)
            return pdg.tickResult.SchedulerCancelCook
        return pdg.tickResult.SchedulerReady

    def onStopCook(self, cancel):
        self.stops += 1
        if self.process and cancel:
            self.process.kill()
            self.process.wait()
        with open(os.environ["HIP"] + "/stops", "w") as stream:
            stream.write("%d %s" % (self.stops, cancel))
        return True

    def onStop(self):
        self.onStopCook(False)


def registerTypes(type_registry):
    type_registry.registerScheduler(Strike)
