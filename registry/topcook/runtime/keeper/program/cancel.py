"""Ending jobs with everything they started: TERM, a grace, KILL, and only then "gone"."""

from __future__ import annotations

import os
import signal
import time

from . import wire
from .jobs import Job, Jobs
from .processes import Row, descendants, group_of, mark_of, process_table, send, send_group

#: How long after KILL a process may take to go (uninterruptible disk waits) before it is called a survivor.
PATIENCE = 15.0
#: Between two looks at the process table: soon at first, since most jobs go at once, then at leisure.
FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.05
#: Between two looks that find nothing.
SETTLING = 0.01


class Cancel:
    """One request to end jobs: those with ``tokens``, or all of ``pool``, or (neither) all there are."""

    def __init__(self, request: bytes, grace: float, pool: bytes, tokens: frozenset[str]) -> None:
        """Nothing is ended before ``begin``."""
        self.request = request
        self.survivors: list[int] = []
        self._grace = grace
        self._pool = pool
        self._tokens = tokens
        self._killing = False
        self._seen_empty = False
        self._deadline = 0.0
        self._pause = FIRST_PAUSE
        #: When to look again.
        self.look_at = 0.0
        #: Sessions to empty: the pids of the jobs this request found.
        self._leaders: set[int] = set()
        #: Those of them that had a member at every look: their numbers cannot have gone to strangers.
        self._unbroken: set[int] = set()

    def chooses(self, job: Job) -> bool:
        """Whether this request is about that job."""
        if self._tokens:
            return job.token in self._tokens
        return not self._pool or job.pool == self._pool

    def begin(self, jobs: Jobs) -> None:
        """Drop what is queued and ask what runs to stop."""
        jobs.drop_queued(self.chooses, f"{wire.CANCELED} before it started")
        now = time.monotonic()
        self._deadline = now + max(self._grace, 0.0)
        for pid, job in jobs.running.items():
            if self.chooses(job):
                job.reason = wire.CANCELED
                self._leaders.add(pid)
        self._unbroken = set(self._leaders)
        if self._grace > 0:
            # Each once: what tidies up on the first TERM may be ended by a second one in the middle of that.
            apart = {pid for pid in self._members(jobs) if group_of(pid) not in self._leaders}
            for pid in self._leaders:
                send_group(pid, signal.SIGTERM)
            send(apart, signal.SIGTERM)

    def step(self, jobs: Jobs) -> bool:
        """Look again if it is time; True when all is gone, or what is left will not go."""
        now = time.monotonic()
        if now < self.look_at:
            return False
        members = self._members(jobs)
        if not members:
            # The table is read row by row: a process that forked and died meanwhile hid its child from this look.
            # The next one sees the child, which was there before it began.
            # Not at once: in the middle of an exec a process has no environment to be known by.
            self._seen_empty, seen_before = True, self._seen_empty
            self.look_at = now + SETTLING
            return seen_before
        self._seen_empty = False
        self.look_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        if not self._killing and now >= self._deadline:
            self._killing = True
            self._deadline = now + PATIENCE
        elif self._killing and now >= self._deadline:
            self.survivors = sorted(members)
            return True
        if self._killing:
            # Again at every look: a process may have forked between the last look and its end.
            send(members, signal.SIGKILL)
        return False

    def _members(self, jobs: Jobs) -> set[int]:
        table = process_table()
        found = descendants(table, self._leaders & jobs.running.keys())
        # What is below this process is ours. Elsewhere (no subreaper) the number of a session tells, which stays taken
        # as long as the session has a member, so that this finds no stranger either.
        ours = descendants(table, {os.getpid()})
        sessions = {
            pid
            for pid, row in table.items()
            if row.session in self._leaders and (pid in ours or row.session in self._unbroken)
        }
        peopled = {table[pid].session for pid in sessions}
        self._unbroken = {pid for pid in self._unbroken if pid in jobs.running or pid in peopled}
        strays = {pid for pid, row in table.items() if self._is_stray(pid, row, jobs)}
        found |= descendants(table, sessions | strays)
        # A zombie is gone but for its name; only our own jobs are waited for until they are reaped.
        return {pid for pid in found if not table[pid].zombie or pid in jobs.running}

    def _is_stray(self, pid: int, row: Row, jobs: Jobs) -> bool:
        """Whether a job of ours left this process behind: our child by adoption, marked with a chosen job."""
        if row.parent != os.getpid() or pid in jobs.running or row.zombie:
            return False
        keeper_id, _, rest = mark_of(pid).partition("/")
        pool, _, token = rest.rpartition("/")
        if keeper_id != jobs.keeper_id:
            return False
        if self._tokens:
            return token in self._tokens
        if self._pool and pool != os.fsdecode(self._pool):
            return False
        # Of a job that started after this request came: not what was meant.
        return not any(job.token == token and other not in self._leaders for other, job in jobs.running.items())
