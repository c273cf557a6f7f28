"""What the dead engine of a cook left running, and ending it: by its keeper, or from here where that is gone, too."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from topcook.runtime.keeper import launch
from topcook.runtime.keeper.adoption import attach_left
from topcook.runtime.keeper.client import KeeperProcess
from topcook.runtime.keeper.program.cancel import LONGEST_PAUSE, PATIENCE
from topcook.runtime.keeper.program.processes import Row, descendants, mark_of, process_table, send
from topcook.runtime.keeper.record import read_record

__all__ = ["GRACE", "Leftover", "end_left", "end_orphans", "left_jobs", "left_tokens"]

#: Seconds that jobs have to end by themselves.
GRACE = 5.0


class Leftover(NamedTuple):
    """What was found and ended: the tokens of jobs that ran, and the pids of processes that did not go.

    ``untold`` says why their cook's journal could not be told, empty where it was.
    """

    tokens: list[str]
    survivors: list[int]
    untold: str = ""


def left_jobs(table: dict[int, Row] | None = None) -> dict[str, set[int]]:
    """The living processes of this user that carry a job's mark, by the job's token. Empty where there is no /proc."""
    found: dict[str, set[int]] = {}
    if not os.path.exists("/proc/self/environ"):
        return found
    for pid, row in (process_table() if table is None else table).items():
        mark = "" if row.zombie else mark_of(pid)
        if mark:
            found.setdefault(mark.rpartition("/")[2], set()).add(pid)
    return found


def left_tokens(directory: str, cook: str, marked: dict[str, set[int]]) -> list[str]:
    """The tokens of a dead cook's jobs of which something still runs; ``marked`` is what ``left_jobs`` found."""
    running = {job.token for job in read_record(directory).values() if job.is_running}
    return sorted(running | {token for token in marked if token.startswith(f"{cook}-")})


def end_left(directory: str, cook: str, grace: float = GRACE) -> Leftover:
    """End all that jobs of a dead cook left running; returns when it is gone. ``directory`` holds the keeper's files.

    Invariant: the cook has no engine; who calls this has seen to it, mostly by holding its lock.
    """
    tokens = left_tokens(directory, cook, left_jobs())
    if os.path.exists(os.path.join(directory, launch.CARD_NAME)):
        keeper = KeeperProcess(directory)
        try:
            if attach_left(keeper):
                # All it has: jobs, and what earlier ones left behind.
                keeper.cancel("", (), grace)
        finally:
            keeper.close()
    # A pid that is a stranger's by now is told by its start; a session has its number as long as it has a member.
    sessions = {job.pid for job in read_record(directory).values() if job.is_running}
    survivors = _end_rest(sessions, lambda token: token.startswith(f"{cook}-"), grace)
    # What came to its own end meanwhile was not ended by us: the record says how, and who goes on reads it there.
    recorded = read_record(directory)
    ended = [each for each in tokens if each not in recorded or recorded[each].exit_status is None]
    return Leftover(ended, survivors)


def end_orphans(running: Mapping[str, int], grace: float) -> None:
    """End jobs that no keeper has any more, tokens with pids, and all they started; returns when it is gone."""
    _end_rest(set(running.values()), running.__contains__, grace)


def _end_rest(sessions: set[int], chosen: Callable[[str], bool], grace: float) -> list[int]:
    """End these sessions, and what is marked by chosen tokens; the pids of what does not go."""
    asked: set[int] = set()
    begun = time.monotonic()
    seen_empty = False
    while True:
        members, sessions = _members(sessions, chosen)
        if not members:
            # A process that forked and died during the look hid its child from it.
            if seen_empty:
                return []
            seen_empty = True
            time.sleep(LONGEST_PAUSE / 5)
            continue
        seen_empty = False
        waited = time.monotonic() - begun
        if waited > grace + PATIENCE:
            return sorted(members)
        if waited > grace:
            send(members, signal.SIGKILL)
        else:
            send(members - asked, signal.SIGTERM)
            asked |= members
        time.sleep(LONGEST_PAUSE)


def _members(sessions: set[int], chosen: Callable[[str], bool]) -> tuple[set[int], set[int]]:
    """What lives of the chosen jobs, and those of their sessions that still have a member."""
    table = process_table()
    marked = {pid for token, pids in left_jobs(table).items() if chosen(token) for pid in pids}
    in_session = {pid for pid, row in table.items() if (row.session or pid) in sessions and not row.zombie}
    found = descendants(table, marked | in_session) - {os.getpid()}
    peopled = {table[pid].session or pid for pid in in_session}
    return {pid for pid in found if not table[pid].zombie}, sessions & peopled
