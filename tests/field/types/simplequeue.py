"""The simple queue's mixin and the event mixin, in that order; __init__ by super(); it was shipped with its own pdgcmd."""
import os
import subprocess
import sys
import threading

import pdg
from pdg.job.eventdispatch import EventDispatchMixin
from pdg.scheduler import PyScheduler
from pdg.utils.simple_mq import SimpleMQSchedulerMixin
from pdg.utils.mq import MQInfo, MQState, MQUsage


class SimpleQueue(SimpleMQSchedulerMixin, EventDispatchMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        SimpleMQSchedulerMixin.__init__(self)
        EventDispatchMixin.__init__(self)
        self._threads = []

    @classmethod
    def templateName(cls):
        return "SimpleQueue"

    @classmethod
    def templateBody(cls):
        return '{"name": "simplequeue", "parameters": [{"name": "queue", "type": "string", "value": ["a", "b"], "size": 2}]}'

    def onStart(self):
        self._first = self["queue"].evaluateString(None, 0) + self["queue"].evaluateString(None, 1)
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = self.resolveBaseEnvironment("simple", None, work_item)
        self.addCommonJobEnvVars(env, work_item)
        env["PATH"] = os.environ["PATH"]
        command = self.expandCommandTokens(work_item.command, work_item)
        thread = threading.Thread(target=self._run, args=(work_item.id, command, env), daemon=True)
        self._threads.append(thread)
        thread.start()
        return pdg.scheduleResult.Succeeded

    def _run(self, number, command, env):
        assert self._first == "ab"
        self.workItemStartCook(number)
        status = subprocess.call(command, shell=True, env=env)
        (self.workItemFailed if status else self.workItemSucceeded)(number)

    def onStopCook(self, cancel):
        for thread in self._threads:
            thread.join(20)
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(SimpleQueue)
