"""Jobs that Slurm has although their items have ended: it runs some again, of others it has not heard the end.

A controller that was killed goes on with what it had saved: of jobs that ended just before it believes that they run,
holds their processors for minutes, and queues them again. A node that dies right after a job's report has it run anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from topcook_slurm.states import SlurmJob, lives

__all__ = ["Leftovers"]


class Leftovers:
    """Finds them among what Slurm says it has."""

    def __init__(self) -> None:
        """Slurm was not asked yet."""
        self._ran: set[str] = set()

    def look(self, known: Mapping[str, SlurmJob], ended: Iterable[str]) -> list[str]:
        """Those to be canceled of these ids, whose items have ended.

        A job that has just reported its end may run for a moment: it counts when it does the next time, too.
        """
        found = {each: known[each] for each in ended if each in known and lives(known[each])}
        running = {each for each, job in found.items() if "PENDING" not in job.states}
        late = (found.keys() - running) | (running & self._ran)
        self._ran = running
        return sorted(late)
