"""Never cleans up: a thread that polls for ever and is no daemon, a server that is not stopped, another current directory,
environment variables of its own. Uses names that a base class might use as well."""
import http.server
import os
import subprocess
import tempfile
import threading
import time

import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin


class Forgetful(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)
        self._lock = threading.RLock()
        self._name = "x"
        self._scheduler = scheduler
        self.host = "farm.example"
        self.graph = None
        self.record = {}
        self.jobs = {}
        self.items = []
        self.link = self.node = self.queue = None
        self.started = False

    @classmethod
    def templateName(cls):
        return "forgetful"

    def onStart(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        threading.Thread(target=self.server.serve_forever).start()
        threading.Thread(target=self.poll).start()
        return True

    def poll(self):
        while True:
            with self._lock:
                for number, proc in list(self.jobs.items()):
                    if proc.poll() is not None:
                        del self.jobs[number]
                        if proc.returncode:
                            self.onWorkItemFailed(number, -1)
                        else:
                            self.onWorkItemSucceeded(number, -1, 0)
            time.sleep(0.02)

    def onSchedule(self, work_item):
        os.chdir(tempfile.gettempdir())
        os.environ["FORGETFUL"] = "1"
        self.startCallbackServer()
        self.createJobDirsAndSerializeWorkItems(work_item)
        env = dict(os.environ)
        self.addCommonJobEnvVars(env, work_item)
        self.items.append(work_item)
        with self._lock:
            self.jobs[work_item.id] = subprocess.Popen(
                self.expandCommandTokens(work_item.command, work_item), shell=True, env=env)
        return pdg.scheduleResult.Succeeded


def registerTypes(type_registry):
    type_registry.registerScheduler(Forgetful)
