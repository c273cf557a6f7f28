"""A render farm that is driven from a command line and keeps its jobs in a folder, as spoolers do.

    python spool_farm.py SPOOL submit --name frame_1 --folder DIR --log FILE COMMAND    ->  job 7
    python spool_farm.py SPOOL status [JOB...]                                          ->  7 running 1.50 frame_1
    python spool_farm.py SPOOL cancel JOB...      comes back when no process of theirs is left

A job is queued, running, done, failed or canceled; the number behind that is how many seconds it has run. There is no
server: each job is watched by a process of its own, which waits for one of the slots
(2, or as many as `submit --slots N` says). The job has the environment of whoever submitted it.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

LOOK_AGAIN = 0.05
ENDED = ("done", "failed", "canceled")


class Spool:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    @contextlib.contextmanager
    def locked(self, name):
        with open(os.path.join(self.folder, name), "a") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream

    def path(self, job):
        return os.path.join(self.folder, f"{job}.json")

    def jobs(self):
        return sorted(int(name[:-5]) for name in os.listdir(self.folder) if name.endswith(".json"))

    def read(self, job):
        try:
            with open(self.path(job), encoding="utf-8") as stream:
                return json.load(stream)
        except FileNotFoundError:
            sys.exit(f"spool_farm: there is no job {job}")

    def write(self, job, record):
        # Under another name first: who reads sees all of a record or the one before it.
        with open(self.path(job) + "~", "w", encoding="utf-8") as stream:
            json.dump(record, stream)
        os.replace(self.path(job) + "~", self.path(job))

    def change(self, job, **news):
        """Change a job that has not ended; answers with its record."""
        with self.locked("lock"):
            record = self.read(job)
            if record["state"] not in ENDED:
                record.update(news)
                self.write(job, record)
            return record


def submit(spool, name, folder, log, slots, command):
    with spool.locked("lock"):
        job = max(spool.jobs(), default=0) + 1
        record = {"name": name, "folder": folder, "log": log, "command": command}
        spool.write(job, {**record, "state": "queued", "slots": slots, "begun": 0.0, "seconds": 0.0, "watcher": 0})
        # Started under the lock, so that nobody finds a job without a watcher; it waits for the lock itself.
        watcher = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), spool.folder, "watch", str(job)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        spool.write(job, {**spool.read(job), "watcher": watcher.pid})
    print(f"job {job}")


def watch(spool, job):
    """Wait for a slot, run the job, note how it ended."""
    slot = wait_for_slot(spool, job, spool.change(job)["slots"])
    if slot is None:
        return
    with slot:
        record = spool.change(job, state="running", begun=time.time())
        if record["state"] != "running":
            return
        os.makedirs(os.path.dirname(record["log"]) or ".", exist_ok=True)
        with open(record["log"], "wb") as log:
            # In this session: canceling ends all of it, this process too.
            status = subprocess.call(record["command"], shell=True, cwd=record["folder"], stdout=log, stderr=log)
        spool.change(job, state="failed" if status else "done", seconds=time.time() - record["begun"])


def wait_for_slot(spool, job, slots):
    while spool.read(job)["state"] == "queued":
        for number in range(max(1, slots)):
            stream = open(os.path.join(spool.folder, f"slot{number}"), "a")  # noqa: SIM115 - it is held open: the lock
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                stream.close()
            else:
                return stream
        time.sleep(LOOK_AGAIN)
    return None


def status(spool, jobs):
    for job in jobs or spool.jobs():
        record = looked_after(spool, job)
        running = record["state"] == "running"
        seconds = time.time() - record["begun"] if running else record["seconds"]
        print(job, record["state"], f"{seconds:.2f}", record["name"])


def looked_after(spool, job):
    """A job's record; one that nobody watches any more has failed: its machine was switched off, or it was killed."""
    with spool.locked("lock"):
        record = spool.read(job)
        if record["state"] not in ENDED and not alive(record["watcher"]):
            record["state"] = "failed"
            spool.write(job, record)
        return record


def cancel(spool, jobs):
    for job in jobs:
        if spool.read(job)["state"] in ENDED:
            continue  # its process id may be another's by now
        record = spool.change(job, state="canceled")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(record["watcher"], signal.SIGKILL)
        while alive(record["watcher"]):
            time.sleep(LOOK_AGAIN)


def alive(pid):
    """Whether a process of this session is left; one that is dead and not yet fetched by its parent is none."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    found = subprocess.run(["ps", "-o", "stat=", "-s", str(pid)], capture_output=True, text=True, check=False)
    return any(not line.strip().startswith("Z") for line in found.stdout.splitlines())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spool")
    does = parser.add_subparsers(dest="does", required=True)
    one = does.add_parser("submit")
    one.add_argument("--name", required=True)
    one.add_argument("--folder", default=".")
    one.add_argument("--log", default=os.devnull)
    one.add_argument("--slots", type=int, default=2)
    one.add_argument("command")
    for name, count in (("status", "*"), ("cancel", "+")):
        does.add_parser(name).add_argument("jobs", type=int, nargs=count)
    does.add_parser("watch").add_argument("job", type=int)
    said = parser.parse_args()
    spool = Spool(os.path.abspath(said.spool))
    if said.does == "submit":
        submit(spool, said.name, os.path.abspath(said.folder), os.path.abspath(said.log), said.slots, said.command)
    elif said.does == "watch":
        watch(spool, said.job)
    else:
        {"status": status, "cancel": cancel}[said.does](spool, said.jobs)


if __name__ == "__main__":
    main()
