# -*- coding: utf-8 -*-
import os
import subprocess
import sys
import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin

print("chatterbox: being read … ünïcode ✓")
os.system("echo chatterbox: from the shell")
sys.stdout.write("no end of line")
sys.stdout.flush()


class Chatterbox(CallbackServerMixin, PyScheduler):
    """Prints whenever it can, on both streams, also through the file descriptor; no logs of its own."""

    def __init__(self, scheduler, name):
        print("__init__", name)
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)

    @classmethod
    def templateName(cls):
        return "chatterbox"

    def onStart(self):
        print("onStart …")
        sys.stderr.write("to stderr: ✗\n")
        return True

    def onStop(self):
        print("onStop")
        return True

    def onStartCook(self, static, cook_set):
        print("onStartCook", static, cook_set, [node.name for node in cook_set])
        os.system("echo onStartCook from the shell")
        return True

    def onSchedule(self, work_item):
        print(work_item, work_item.name, self, self.context, work_item.node)
        sys.stdout.write(u"→ %s\n" % work_item.name)
        sys.stdout.flush()
        self.createJobDirsAndSerializeWorkItems(work_item)
        job_env = dict(os.environ)
        self.addCommonJobEnvVars(job_env, work_item)
        command = self.expandCommandTokens(work_item.command, work_item)
        result = subprocess.run(command, shell=True, env=job_env, stdout=subprocess.PIPE, universal_newlines=True)
        print(result.stdout)
        return pdg.scheduleResult.CookSucceeded if result.returncode == 0 else pdg.scheduleResult.CookFailed

    def onStopCook(self, cancel):
        print("onStopCook", cancel)
        return True

    def onTick(self):
        print(".", end="")
        return pdg.tickResult.SchedulerReady


def registerTypes(type_registry):
    print("registerTypes", type_registry)
    type_registry.registerScheduler(Chatterbox, label="Chatterbox ✓")
