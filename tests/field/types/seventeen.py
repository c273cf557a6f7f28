# written for 17.5: item names for ids, work_item.data, pythonBin(platform), a TickTimer that polls
from __future__ import print_function
import os
import sys
import subprocess
import threading
import time

import pdg
from pdg import createProcessJob, scheduleResult
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
from pdg.utils import TickTimer


class Seventeen(CallbackServerMixin, PyScheduler):

    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self.tick_timer = None
        self.active_jobs = {}
        self.active_jobs_lock = threading.Lock()
        self.tick_timer_lock = threading.Lock()

    @classmethod
    def templateName(cls):
        return 'seventeenscheduler'

    @classmethod
    def templateBody(cls):
        return '{"name": "seventeenscheduler","parameters" : []}'

    def pythonBin(self, platform):
        if platform == pdg.platform.Windows:
            return 'python.exe'
        return sys.executable

    def hythonBin(self, platform):
        return 'hython'

    def applicationBin(self, app, work_item):
        if app == 'python':
            return self.pythonBin(pdg.platform.Linux)
        return self.hythonBin(pdg.platform.Linux)

    def onStart(self):
        return True

    def onStop(self):
        self.stopCallbackServer()
        self._stopTickTimer()
        return True

    def onStartCook(self, static, cook_set):
        self.custom_port_range = None
        workingdir = self["pdg_workingdir"].evaluateString()
        self.setWorkingDir(workingdir, workingdir)
        if not self.isCallbackServerRunning():
            self.startCallbackServer()
        self.active_jobs = {}
        with self.tick_timer_lock:
            self.tick_timer = TickTimer(0.05, self.tick)
            self.tick_timer.start()
        return True

    def onStopCook(self, cancel):
        self._stopTickTimer()
        if cancel:
            for proc in self.active_jobs.values():
                proc.kill()
                proc.wait()
        return True

    def _stopTickTimer(self):
        with self.tick_timer_lock:
            if self.tick_timer:
                self.tick_timer.cancel()
                self.tick_timer.join()
            self.tick_timer = None

    def tick(self):
        with self.active_jobs_lock:
            for name, proc in list(self.active_jobs.items()):
                self.onWorkItemStartCook(name, -1)
                status = proc.poll()
                if status is None:
                    continue
                if status == 0:
                    self.onWorkItemFileResult(name, -1, name + '.seventeen', 'file/txt', 0)
                    self.onWorkItemSetAttribute(name, -1, 'letters', [len(name)])
                    self.onWorkItemSucceeded(name, -1, 0.5)
                else:
                    self.onWorkItemFailed(name, -1)
                del self.active_jobs[name]

    def onSchedule(self, work_item):
        self.createJobDirsAndSerializeWorkItems(work_item)
        item_command = work_item.data.stringData('command', 0)
        item_command = self.expandCommandTokens(item_command, work_item)
        env = dict(os.environ)
        env['PDG_RESULT_SERVER'] = str(self.workItemResultServerAddr())
        env['PDG_ITEM_NAME'] = str(work_item.name)
        env['PDG_DIR'] = str(self.workingDir(False))
        env['PDG_TEMP'] = str(self.tempDir(False))
        env['PDG_SCRIPTDIR'] = str(self.scriptDir(False))
        with self.active_jobs_lock:
            self.active_jobs[work_item.name] = subprocess.Popen(item_command, shell=True, env=env)
        return scheduleResult.Succeeded


def registerTypes(type_registry):
    type_registry.registerScheduler(Seventeen, label="Seventeen")
