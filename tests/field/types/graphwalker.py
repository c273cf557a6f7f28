"""Takes the whole graph at its first tick, before anything was scheduled, as one job with dependent tasks. onSchedule
only says that the item is already there."""
import os
import subprocess
import threading

import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler


class GraphWalker(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self._submitted = set()
        self._walker = None

    @classmethod
    def templateName(cls):
        return "GraphWalker"

    def onStartCook(self, static, cook_set):
        wd = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(wd, wd)
        self.startCallbackServer()
        self._submitted = set()
        self._walker = None
        return True

    def onTick(self):
        if self._walker is None:
            deps, dependents, ready = self.dependencyGraph(False)
            tasks, lines = {}, []
            for item in dependents:
                self.createJobDirsAndSerializeWorkItems(item)
                env = dict(os.environ)
                self.addCommonJobEnvVars(env, item)
                tasks[item.id] = (self.expandCommandTokens(item.command, item), env)
                lines.append("{} {} {} {}".format(item.name, item.label, item.id, item.index))
                self._submitted.add(item.id)
            needs = dict((item.id, [other.id for other in others]) for item, others in deps.items())
            first = [item.id for item in ready]
            with open(self.workingDir(True) + "/graph.txt", "w") as stream:
                stream.write("\n".join(lines) + "\nready {}\n".format(len(ready)))
            self._walker = threading.Thread(target=self._walk, args=(first, needs, tasks))
            self._walker.daemon = True
            self._walker.start()
        return pdg.tickResult.SchedulerReady

    def _walk(self, ready, needs, tasks):
        done, bad = set(), set()
        todo = list(ready) + [number for number in tasks if number not in ready]
        while todo:
            number = todo.pop(0)
            wanted = needs.get(number, [])
            if any(each in bad for each in wanted):
                bad.add(number)
                continue
            if any(each not in done for each in wanted):
                todo.append(number)
                continue
            command, env = tasks[number]
            self.workItemStartCook(number, -1)
            if command and subprocess.call(command, shell=True, env=env):
                bad.add(number)
                self.workItemFailed(number, -1)
            else:
                done.add(number)
                self.workItemSucceeded(number, -1, 0.01)

    def onSchedule(self, work_item):
        if work_item.id in self._submitted:
            return pdg.scheduleResult.Succeeded
        return pdg.scheduleResult.Failed

    def onStopCook(self, cancel):
        if self._walker is not None:
            self._walker.join()
        self.stopCallbackServer()
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(GraphWalker)
