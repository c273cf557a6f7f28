"""Stands in for the Python client of a farm: jobs are processes of this machine, watched by threads."""

from __future__ import annotations

import os
import signal
import subprocess
import threading

STATES = ("WAITING", "ACTIVE", "FINISHED", "BROKEN", "KILLED")


class Job:
    def __init__(self, number, title, command, env, folder, log, done):
        self.number, self.title, self.state, self.exit, self.listener = number, title, "WAITING", None, done
        self._text = command
        self._thread = threading.Thread(target=self._run, args=(command, env, folder, log), daemon=True)
        self._process = None
        self._lock = threading.Lock()

    def _run(self, command, env, folder, log):
        output = open(log, "wb") if log else subprocess.DEVNULL
        with self._lock:
            if self.state == "KILLED":
                return
            self._process = subprocess.Popen(
                command, shell=True, env=env, cwd=folder, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
            self.state = "ACTIVE"
        self._tell()
        self.exit = self._process.wait()
        if log:
            output.close()
        with self._lock:
            if self.state != "KILLED":
                self.state = "BROKEN" if self.exit else "FINISHED"
        self._tell()

    def _tell(self):
        if self.listener:
            self.listener(self)


class Session:
    """A connection to the farm."""

    def __init__(self, host="reef", listener=None):
        self.host, self.listener, self._jobs = host, listener, {}

    def spool(self, title, command, env=None, folder=None, log=None, start=True):
        number = 1000 + len(self._jobs)
        job = self._jobs[number] = Job(number, title, command, env, folder, log, self.listener)
        if start:
            job._thread.start()
        return number

    def release(self, number):
        self._jobs[number]._thread.start()

    def state(self, number):
        return self._jobs[number].state

    def jobs(self):
        return {number: job.state for number, job in self._jobs.items()}

    def kill(self, number):
        job = self._jobs[number]
        with job._lock:
            running, job.state = job.state == "ACTIVE", "KILLED"
        if running:
            try:
                os.killpg(job._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            job._thread.join(20)

    def wait(self, number):
        self._jobs[number]._thread.join()
        return self._jobs[number].exit
