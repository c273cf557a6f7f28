"""Taking up the jobs that an earlier session of a cook has left: those that run, and those that ended unheard."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from topcook.contract.host import JobEnd, LocalJob
from topcook.runtime.alive import process_start
from topcook.runtime.keeper import launch
from topcook.runtime.keeper.program.record import boot_id
from topcook.runtime.keeper.record import RecordedJob, read_record

if TYPE_CHECKING:
    from topcook.runtime.keeper.client import KeeperProcess

__all__ = ["adopt", "attach_left", "keeper_lives"]

#: Seconds for a keeper to notice that its engine is gone: it lets nobody else in before.
_PATIENCE = 10.0


def attach_left(keeper: KeeperProcess) -> bool:
    """Connect to the keeper that an earlier engine left in the directory; whether there is one."""
    until = time.monotonic() + _PATIENCE
    while True:
        if keeper.attach() is not None:
            return True
        if not keeper_lives(keeper.directory) or time.monotonic() > until:
            return False
        time.sleep(0.02)


def keeper_lives(directory: str) -> bool:
    """Whether the keeper whose card lies in the directory still runs."""
    try:
        with open(os.path.join(directory, launch.CARD_NAME), encoding="utf-8") as file:
            card = json.load(file)
            pid, boot, began = int(card["pid"]), card["boot"], card["began"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    # After a restart of the machine the number is a stranger's soon.
    return bool(boot == boot_id() and began is not None and process_start(pid) == began)


def adopt(keeper: KeeperProcess, jobs: Sequence[LocalJob]) -> list[str]:
    """Take up jobs by their tokens: those that run, and those that have ended since; their ends are told as usual."""
    taken = [job.token for job in jobs if keeper.adopt(job)]
    rest = [job for job in jobs if job.token not in taken]
    recorded = read_record(keeper.directory) if rest else {}
    for job in rest:
        known = recorded.get(job.token)
        # One that never ran, or whose end nobody saw, is no job any more.
        if known is not None and known.ended is not None and known.exit_status is not None:
            taken.append(job.token)
            if known.started is not None:
                job.on_start(known.pid, _here(known, known.started))
            job.on_end(JobEnd(known.exit_status, _here(known, known.ended)))
    return taken


def _here(job: RecordedJob, at: float) -> float:
    """A reading of this machine's monotonic clock; of one before its last start nothing can be said but: before now."""
    return at if job.boot == boot_id() else time.monotonic()
