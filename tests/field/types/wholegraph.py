"""Implements onScheduleStatic itself: hands all static items over at once, and says how they end out of order,
those downstream first."""
import os
import subprocess
import threading

import pdg
from pdg.scheduler import PyScheduler
from pdg.job.eventdispatch import EventDispatchMixin


class WholeGraph(EventDispatchMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        EventDispatchMixin.__init__(self)
        self.thread = None

    @classmethod
    def templateName(cls):
        return "wholegraph"

    def onStartCook(self, static, cook_set):
        path = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(path, path)
        return True

    def onScheduleStatic(self, dependencies, dependents, ready_items):
        order, seen = [], set()
        waiting = list(ready_items)
        while waiting:
            item = waiting.pop(0)
            if item in seen or any(each not in seen for each in dependencies.get(item, []) if each in dependents):
                continue
            seen.add(item)
            self.createJobDirsAndSerializeWorkItems(item)
            env = dict(os.environ)
            self.addCommonJobEnvVars(env, item)
            order.append((item.id, self.expandCommandTokens(item.command, item), env))
            waiting.extend(dependents.get(item, []))
        self.thread = threading.Thread(target=self.run, args=(order,))
        self.thread.start()

    def run(self, order):
        ends = [(number, subprocess.call(command, shell=True, env=env) if command else 0) for number, command, env in order]
        for number, status in reversed(ends):
            if status:
                self.workItemFailed(number)
            else:
                self.workItemSucceeded(number, cook_duration=1)

    def onSchedule(self, work_item):
        self.cookWarning("%s came to onSchedule" % work_item.name)
        return pdg.scheduleResult.CookFailed

    def onStopCook(self, cancel):
        if self.thread:
            self.thread.join()
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(WholeGraph)
