"""A cook that goes on only to end: its schedulers take up the jobs it left on farms, and are told to end them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from topcook.machine.phases import HELD, SETTLED, Phase
from topcook.runtime.control.known import left_away
from topcook.runtime.statedir import journal_of
from topcook.runtime.summary import counts

if TYPE_CHECKING:
    from topcook.model.states import WorkItemState
    from topcook.runtime.cook import Cook

__all__ = ["Ending", "LeftJobs"]

#: Seconds without a change after which what was not taken up never will be: its item is another one by now, or gone.
_QUIET = 3.0
#: Of an item whose scheduler has not answered yet; one that it does not find is ready to be cooked again.
_NOT_ASKED = frozenset({Phase.UNCOOKED, Phase.WAITING, Phase.CHECKING})


@dataclass(slots=True)
class LeftJobs:
    """Tokens of jobs that a cook has left: of those that have ended, and of those that a scheduler was asked for."""

    ended: frozenset[str]
    asked: set[str] = field(default_factory=set)


class Ending:
    """Looks after a cook that begins nothing: cancels it once its jobs are taken up, and told those that had ended."""

    def __init__(self, cook: Cook, cook_id: str, jobs: LeftJobs) -> None:
        """The cook has not started; ``jobs`` gets the tokens of those that their schedulers were asked for."""
        self._cook = cook
        # Of a token, <cook>-<item>-<attempt>, the item.
        self._left = {int(each.token.rsplit("-", 2)[1]): each.token for each in left_away(cook_id, journal_of(cook_id))}
        self._jobs = jobs
        self._counts: dict[WorkItemState, int] = {}
        self._since = time.monotonic()
        self._told = False
        # What was looked up is taken up all the same.
        cook.state.paused = True

    def look(self) -> None:
        """Cancel it when it is time; to be called until it has ended."""
        if not self._told and (self._all_taken() or self._is_quiet()):
            self._told = True
            self._cook.cancel("canceled by topcook cancel")

    def _all_taken(self) -> bool:
        is_open = False
        for item in self._cook.state.all_items():
            is_open = is_open or item.phase not in SETTLED
            if item.id in self._left and item.phase not in _NOT_ASKED:
                token = self._left[item.id]
                self._jobs.asked.add(token)
                # Its scheduler tells how a job ended that is over; only what still runs is to be ended.
                if token not in self._jobs.ended or item.phase not in HELD:
                    del self._left[item.id]
        # With nothing left to cancel the cook ends by itself.
        return is_open and not self._left

    def _is_quiet(self) -> bool:
        state, now = self._cook.state, time.monotonic()
        found = counts(self._cook)
        if found != self._counts or state.recalling or state.to_recall:
            self._counts, self._since = found, now
        return now - self._since > _QUIET
