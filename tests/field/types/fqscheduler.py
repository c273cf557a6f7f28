"""Drives a farm's command line with subprocess and reads the text it prints."""
import os
import re
import subprocess
import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin


def _fq(*args):
    return subprocess.check_output(("fq",) + args, universal_newlines=True, stderr=subprocess.STDOUT)


class FqScheduler(CallbackServerMixin, PyScheduler):
    submitted = re.compile(r"Your job (\d+) ")

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self.jobs = {}

    @classmethod
    def templateName(cls):
        return "fqscheduler"

    @classmethod
    def templateBody(cls):
        return '{"name": "fqscheduler", "parameters": [{"name": "fq_queue", "label": "Queue", "type": "String", "size": 1, "value": "all.q", "tag": ["pdg::scheduler"]}]}'

    def onStart(self):
        return True

    def onStop(self):
        return True

    def onStartCook(self, static, cook_set):
        os.environ["FQ_HOME"] = os.path.join(self["pdg_workingdir"].evaluateString(), "fq")
        self.setWorkingDir(self["pdg_workingdir"].evaluateString(), self["pdg_workingdir"].evaluateString())
        self.startCallbackServer()
        return True

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        script = "{}/{}.sh".format(self.scriptDir(True), work_item.name)
        env = {}
        self.addCommonJobEnvVars(env, work_item)
        with open(script, "w") as stream:
            stream.write("#!/bin/sh\n")
            for key, value in sorted(env.items()):
                stream.write("export {}='{}'\n".format(key, value))
            stream.write(self.expandCommandTokens(work_item.command, work_item) + "\n")
        os.chmod(script, 0o755)
        try:
            out = _fq("submit", "-n", work_item.name, "-d", self.workingDir(False), script)
        except (subprocess.CalledProcessError, OSError) as problem:
            self.cookError("fq: %s" % problem)
            return pdg.scheduleResult.Failed
        self.jobs[self.submitted.match(out).group(1)] = work_item.id
        return pdg.scheduleResult.Succeeded

    def onTick(self):
        if not self.jobs:
            return pdg.tickResult.SchedulerReady
        for line in _fq("stat").splitlines()[2:]:
            job, name, state = line.split()
            item = self.jobs.get(job)
            if item is None:
                continue
            if state == "r":
                self.onWorkItemStartCook(item, -1)
            elif state == "c":
                self.onWorkItemSucceeded(item, -1, 1.0)
            elif state == "E":
                self.onWorkItemFailed(item, -1)
            elif state == "k":
                self.onWorkItemCanceled(item, -1)
            if state in "cEk":
                del self.jobs[job]
        return pdg.tickResult.SchedulerReady

    def onStopCook(self, cancel):
        if cancel:
            for job in self.jobs:
                _fq("kill", job)
        self.jobs = {}
        return True

    def getStatusURI(self, work_item):
        return "http://fq.example/jobs?name=" + work_item.name


def registerTypes(type_registry):
    type_registry.registerScheduler(FqScheduler, label="FQ Scheduler")
