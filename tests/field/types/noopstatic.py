"""onScheduleStatic only looks at what it is given: len, repr, print, a log helper. That is no hand-over."""
import os
import subprocess
import pdg
from pdg.scheduler import PyScheduler


class NoopStatic(PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)

    @classmethod
    def templateName(cls):
        return "noopstatic"

    def _log(self, *args):
        print("NOOP", *args)

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        print("static items: {} {}".format(len(dependencies), len(dependents)))
        self._log("ready", repr(ready_items))
        self._verboseLog("ready %s", str(ready_items))
        unused = dependencies
        _ = dependents
        return

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        if subprocess.call(self.expandCommandTokens(work_item.command, work_item), shell=True, env=env):
            return pdg.scheduleResult.CookFailed
        return pdg.scheduleResult.CookSucceeded


def registerTypes(type_registry):
    type_registry.registerScheduler(NoopStatic)
