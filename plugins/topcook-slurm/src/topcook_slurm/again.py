"""Tells of jobs that Slurm runs again under the same attempt: their node died, they were preempted, or by hand.

Slurm counts it for as long as it remembers the job; a job that runs again leaves a file, for a cook that has not asked
in time.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from topcook_slurm.states import SlurmJob

__all__ = ["RunsAgain", "again_line"]

#: Seconds between two times that it is told: a cluster that preempts does so all the time.
_TOLD_EVERY = 60.0
_NAMED = 5


def again_line(folder: str, variable: str) -> str:
    """What the script of a job does first: where it runs again it says so; ``variable`` has Slurm's id of the job."""
    path = f'{shlex.quote(folder)}/"${variable}.$SLURM_RESTART_COUNT"'
    # In a shell of its own: a directory that is gone ends no job.
    return f'[ "${{SLURM_RESTART_COUNT:-0}}" -gt 0 ] && (: > {path}) 2>/dev/null\n'


class RunsAgain:
    """Tells each run but the first of each job once, some together; jobs leave their files in ``folder``."""

    def __init__(
        self,
        folder: Path,
        tell: Callable[[str], None],
        why: Callable[[Iterable[str]], Mapping[str, str]] = lambda _jobs: {},
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing has run again; ``why`` answers with Slurm's reasons, as far as it has any."""
        self._folder = folder
        self._tell = tell
        self._why = why
        self._clock = clock
        self._seen: dict[str, int] = {}
        self._untold: dict[str, str] = {}
        self._told_at: float | None = None

    def look(self, known: Mapping[str, SlurmJob], names: Mapping[str, str], *, last: bool = False) -> list[str]:
        """The jobs that run again since the last look: of those in ``names``, which has each job's item.

        They are told at once, or when a minute has passed since the last were; all that is left with the ``last`` look.
        """
        counts = {each: known[each].restarts for each in names if each in known}
        for each, count in self._left():
            counts[each] = max(count, counts.get(each, 0))
        new = [each for each, count in counts.items() if each in names and count > self._seen.get(each, 0)]
        self._seen |= {each: counts[each] for each in new}
        self._untold |= {each: names[each] for each in new}
        now = self._clock()
        if self._untold and (last or self._told_at is None or now - self._told_at >= _TOLD_EVERY):
            self._told_at = now
            # The end of a cook waits for nobody.
            some = dict(list(self._untold.items())[:_NAMED])
            self._tell(_words(some, len(self._untold), {} if last else self._why(some)))
            self._untold = {}
        return new

    def _left(self) -> list[tuple[str, int]]:
        try:
            pairs = [name.rpartition(".") for name in os.listdir(self._folder)]
        except OSError:
            # No job was submitted yet.
            return []
        return [(job, int(count)) for job, _, count in pairs if count.isdigit()]


def _words(some: Mapping[str, str], count: int, whys: Mapping[str, str]) -> str:
    named = [f"{name} (job {job}: {whys[job]})" if job in whys else f"{name} (job {job})" for job, name in some.items()]
    which = ", ".join(named) if count == len(named) else f"{count:,} items, {', '.join(named)} and others,"
    why = "" if whys.keys() >= some.keys() else ", after a node died, for preemption, or by scontrol requeue"
    return f"Slurm runs {which} again{why}\n    what earlier runs told of outputs does not count"
