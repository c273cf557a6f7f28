"""Pieces that several kinds share."""

from __future__ import annotations

__all__ = ["LOG_PATH", "STATES", "job_of", "local_farm", "poll_all"]

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
_LOCAL_FARM = '''
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

#: What a farm has that knows dependencies, by the mark that stands there; another has nothing there.
_WITH_DEPENDENCIES = {
    "@after_parm@": ", after=()",
    "@after_doc@": " It waits for the jobs ``after``.",
    "@after_arg@": ", after",
    "@after_check@": """\
            ends = [self._ended.get(other) for other in after]
            if any(end not in (None, "done") for end in ends):
                del self._waiting[job]
                self._ended[job] = "canceled"
            if job not in self._waiting or None in ends:
                continue
""",
}


def local_farm(*, with_dependencies: bool = False) -> str:
    """The class of the farm to begin with."""
    text = _LOCAL_FARM
    for mark, put in _WITH_DEPENDENCIES.items():
        text = text.replace(mark, put if with_dependencies else "")
    return text


def poll_all(ask: str) -> str:
    """The body of onTick: ``ask`` gives ``states``, by job, and each item is told what became of its job."""
    return f"""
{ask.strip()}
for job, item in list(self._items.items()):
    # A job that the farm has forgotten will never be heard of again.
    state = states.get(job, "failed")
    self._tell(item, state)
    if state not in ("queued", "running"):
        del self._items[job]
return pdg.tickResult.SchedulerReady
"""
