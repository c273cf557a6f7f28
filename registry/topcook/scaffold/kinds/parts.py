"""Pieces that several kinds share."""

from __future__ import annotations

__all__ = ["LOCAL_FARM", "LOG_PATH", "STATES", "job_of"]

LOG_PATH = '''
def _log_path(self, work_item):
    """Where the output of the item's job goes."""
    return f"{self.logDir(True)}/{work_item.name.replace('/', '_')}.log"
'''


def job_of(variables: str = "env") -> str:
    """The lines at the top of onSchedule: directories, data file, command and environment of the item's job."""
    return f"""
self.createJobDirsAndSerializeWorkItems(work_item)
command = self.expandCommandTokens(work_item.command, work_item)
{variables} = dict(os.environ)
self.addCommonJobEnvVars({variables}, work_item)
"""


#: A farm to begin with: jobs as processes of this machine. ``@after@`` marks what only a farm with dependencies has.
LOCAL_FARM = '''
class Farm:
    """The farm. This one runs jobs on this machine: put your farm's calls in place of its three methods."""

    def __init__(self, slots):
        self._slots = slots
        self._waiting = {}  # job -> what it takes to start it
        self._running = {}  # job -> its process
        self._ended = {}  # job -> "done", "failed" or "canceled"
        self._numbers = itertools.count(1)

    def submit(self, command, env, directory, log@after_parm@):
        """Queue a command; returns the job's id.@after_doc@"""
        job = next(self._numbers)
        self._waiting[job] = (command, env, directory, log@after_arg@)
        return job

    def states(self):
        """The state of every job: queued, running, done, failed or canceled."""
        for job, process in list(self._running.items()):
            if process.poll() is not None:
                del self._running[job]
                self._ended[job] = "done" if process.returncode == 0 else "failed"
        for job, (command, env, directory, log@after_arg@) in list(self._waiting.items()):
            if len(self._running) >= self._slots:
                break
@after_check@            del self._waiting[job]
            with open(log, "wb") as output:
                self._running[job] = subprocess.Popen(
                    command,
                    shell=True,
                    env=env,
                    cwd=directory,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # so that a job can be ended with all that it started
                )
        queued, running = dict.fromkeys(self._waiting, "queued"), dict.fromkeys(self._running, "running")
        return {**queued, **running, **self._ended}

    def cancel(self, jobs):
        """End jobs, and wait until they are gone."""
        for job in jobs:
            process = self._running.pop(job, None)
            if process is not None:
                try:
                    if hasattr(os, "killpg"):
                        os.killpg(process.pid, signal.SIGKILL)
                    else:
                        process.kill()
                except OSError:
                    pass  # it has just ended by itself
                process.wait()
            if process is not None or self._waiting.pop(job, None):
                self._ended[job] = "canceled"
'''

#: What is told of a job's state, item by item.
STATES = '''
def _tell(self, item, state):
    """Tell PDG what became of a job. Saying a thing twice does no harm; saying nothing leaves the item waiting."""
    if state == "running":
        self.onWorkItemStartCook(item, -1)
    elif state == "done":
        self.onWorkItemSucceeded(item, -1, 0)
    elif state == "canceled":
        self.onWorkItemCanceled(item, -1)
    elif state == "failed":
        self.onWorkItemFailed(item, -1)
'''
