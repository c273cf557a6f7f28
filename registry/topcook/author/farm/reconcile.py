"""Callback first, slow poll second: jobs whose end nobody has told are found, and end in the right state.

A job is in flight from ``watch`` until its item has ended. Its wrapper tells the cook how it ended. Where that is not
heard (a node died, the cook was away), the file that the wrapper wrote is found, or the engine is asked. Whatever is
said of an item that has ended, or of an older attempt, changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from topcook.author.farm.ends import Ends, JobEnding, tell_cook
from topcook.author.farm.engine import EngineError
from topcook.author.farm.flight import FarmPhase, FarmState, Flight
from topcook.author.farm.job import FarmJob, prepare_farm
from topcook.author.farm.lost import LostJobs
from topcook.author.host import host_of, record_of, waits_for
from topcook.author.report import report
from topcook.model.notification import Kind, Notification
from topcook.model.states import WorkItemState

__all__ = ["Reconciler"]

#: While the engine is away it is asked more and more seldom, up to so many seconds, and its silence told this often.
LONGEST_PAUSE, TOLD_EVERY = 120.0, 300.0
#: So often the cook is told anew what it waits for.
WORDS_EVERY = 5.0
_LOOK = 0.2
_UNKNOWN = FarmState(FarmPhase.GONE)


class Reconciler:
    """The jobs of one cook that are in flight; use it on the scheduler's own thread.

    ``poll(engine_ids)`` answers what the engine says of each, leaving out what it does not know; it raises
    ``EngineError`` while the engine cannot be asked. ``find(tokens)`` answers with the engine's ids by token, for jobs
    whose id was not recorded before the cook was killed (most engines let a job's name or comment carry the token).

    ``also()`` says in words what else the cook waits for: jobs that the engine does not take, say.

    The engine is asked every ``every`` seconds, and only while something is in flight. An end that it tells, and the
    wrapper has not, counts after ``grace`` seconds, and so does that a job is ``GONE`` for a reason; that it is unknown
    after ``lost_after``. It has failed then, or is sent again as ``lost`` says.
    """

    def __init__(
        self,
        scheduler: Any,
        poll: Callable[[Sequence[str]], Mapping[str, FarmState]],
        *,
        engine: str = "the farm",
        every: float = 10.0,
        grace: float = 5.0,
        lost_after: float = 30.0,
        find: Callable[[Sequence[str]], Mapping[str, str]] | None = None,
        also: Callable[[], str] = str,
        lost: LostJobs | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is in flight; to be made in ``onStartCook``."""
        self._scheduler = scheduler
        self._poll = poll
        self._find = find
        self._also = also
        self._lost = lost
        self.engine = engine
        self._every, self._grace, self._lost_after = every, grace, lost_after
        self._clock = clock
        self._ends = Ends(scheduler)
        self._flights: dict[str, Flight] = {}
        self._next = 0.0
        self._away_since: float | None = None
        self._pause = every
        self._told_at = 0.0
        self._words, self._words_due = "", 0.0

    # -- what is in flight ----------------------------------------------------------------------------------------

    @property
    def in_flight(self) -> list[Flight]:
        """The jobs that nobody has heard the end of, in the order of their submission."""
        return [flight for flight in self._flights.values() if not flight.over]

    def watch(self, job: FarmJob, engine_id: str) -> None:
        """The engine has taken the job under this id, which is kept with the item."""
        self.watch_all([(job, engine_id)])

    def watch_all(self, taken: Iterable[tuple[FarmJob, str]]) -> None:
        """The engine has taken these jobs, each under its id."""
        said = []
        for job, engine_id in taken:
            self._add(Flight(job.work_item, job.token, job.attempt, engine_id))
            job.watched = True
            words = (f"{self.engine} {engine_id}",)
            said.append(Notification(Kind.CUSTOM_STATE, job.item, payload=words, job_id=engine_id, attempt=job.attempt))
        host_of(self._scheduler).notify_all(said)

    def ids_of(self, work_items: Iterable[Any]) -> list[str]:
        """The engine's ids of these items' jobs in flight, to cancel them."""
        return [flight.engine_id for flight in self.flights_of(work_items)]

    def flights_of(self, work_items: Iterable[Any]) -> list[Flight]:
        """The jobs of these items that may be there still, for ``Stragglers``."""
        wanted = {record_of(item).id for item in work_items}
        return [flight for flight in self._flights.values() if record_of(flight.work_item).id in wanted]

    def all_ids(self) -> list[str]:
        """The engine's ids of all jobs that may be there still."""
        return [flight.engine_id for flight in self._flights.values()]

    def waits_for(self) -> str:
        """What a cook that does not go on waits for, in words; empty when that is nothing.

        ``tick`` has the cook know it.
        """
        return "; ".join(filter(None, (self._jobs_in_words(), self._also())))

    def _jobs_in_words(self) -> str:
        flights = self.in_flight
        if not flights:
            return ""
        if self._away_since is not None:
            return f"{self.engine}, which has not answered for {self._clock() - self._away_since:.0f} s"
        number, reasons = len(flights), {each.state.reason for each in flights if each.state and each.state.reason}
        run = sum(record_of(each.work_item).state is WorkItemState.Cooking for each in flights)
        jobs = f"{number:,} job{'s' if number > 1 else ''}"
        where = f"{jobs} that run on {self.engine}" if run == number else f"{jobs} on {self.engine}"
        some = f", of which {run:,} run" if 0 < run < number else ""
        return where + some + (f" ({'; '.join(sorted(reasons)[:3])})" if reasons else "")

    def _add(self, flight: Flight) -> None:
        if not self._flights:
            self._next = self._clock() + self._every
        self._flights[flight.token] = flight

    # -- looking --------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Look, when it is time; to be called in ``onTick``."""
        if self._flights and self._clock() >= self._next:
            self.look()
        if self._clock() >= self._words_due:
            self._words_due = self._clock() + WORDS_EVERY
            words = self.waits_for()
            if words != self._words:
                self._words = words
                waits_for(self._scheduler, words)

    def look(self) -> None:
        """Read the ends on disk, then ask the engine, now."""
        self._flights = {token: flight for token, flight in self._flights.items() if not flight.over}
        self._next = self._clock() + self._pause
        self._look_at_ends()
        if not self._flights:
            return
        states = self._ask([flight.engine_id for flight in self._flights.values()])
        self._words_due = 0.0
        if states is not None:
            # Once for all of them: what has ended while the engine was asked is not lost.
            self._ends.there()
            for flight in list(self._flights.values()):
                self._weigh(flight, states.get(flight.engine_id, _UNKNOWN))
            if self._lost is not None:
                self._lost.send_again(self._scheduler, self.engine)

    def _look_at_ends(self) -> None:
        for token in self._ends.there() & self._flights.keys():
            ending = self._ends.read(token)
            if ending is not None and ending.final and not self._tell_ending(self._flights[token], ending):
                return

    def _ask(self, ids: Sequence[str]) -> Mapping[str, FarmState] | None:
        now = self._clock()
        try:
            states = self._poll(ids)
        except EngineError as error:
            if self._away_since is None:
                self._away_since, self._told_at = now, now - TOLD_EVERY
            self._pause = min(max(self._pause, 1.0) * 2, max(LONGEST_PAUSE, self._every))
            self._next = now + self._pause
            if now - self._told_at >= TOLD_EVERY:
                self._told_at = now
                self._scheduler.cookWarning(
                    f"{error}\n    {len(ids)} jobs are in flight; {self.engine} is asked again, what they report counts"
                )
            return None
        if self._away_since is not None:
            self._scheduler.cookWarning(f"{self.engine} answers again, after {now - self._away_since:.0f} s")
            self._away_since = None
        self._pause = self._every
        self._next = now + self._every
        return states

    def _weigh(self, flight: Flight, state: FarmState) -> None:
        before = flight.state
        if state == _UNKNOWN and before is not None and before.phase is FarmPhase.GONE:
            # Why it is gone an engine says once.
            state = before
        flight.state = state
        if state.reason and (before is None or before.reason != state.reason):
            self._show(flight, f"{self.engine} {flight.engine_id}: {state.phase.value}, {state.reason}")
        record, now = record_of(flight.work_item), self._clock()
        if state.phase in {FarmPhase.QUEUED, FarmPhase.RUNNING}:
            flight.ended_since = None
            if state.phase is FarmPhase.RUNNING and record.state is WorkItemState.Scheduled:
                report(self._scheduler, flight.work_item, flight.attempt).started()
            return
        if flight.sent_again and state.phase is FarmPhase.GONE:
            return
        if flight.ended_since is None:
            flight.ended_since = now
        patience = self._lost_after if state == _UNKNOWN else self._grace
        if now - flight.ended_since < patience:
            self._next = min(self._next, flight.ended_since + patience)
        elif state.phase is not FarmPhase.GONE or not self._is_sent_again(flight):
            self._tell_state(flight, state)

    def _is_sent_again(self, flight: Flight) -> bool:
        if self._lost is None:
            return False
        ending = self._ends.read(flight.token)
        # One that has come just now is told at the next look.
        return (ending is not None and ending.final) or self._lost.take(flight)

    def _show(self, flight: Flight, text: str) -> None:
        said = Notification(Kind.CUSTOM_STATE, record_of(flight.work_item).id, payload=(text,), attempt=flight.attempt)
        host_of(self._scheduler).notify(said)

    def _tell_state(self, flight: Flight, state: FarmState) -> None:
        """The engine's word counts; what the wrapper wrote of its own end says what the engine does not."""
        ending = self._ends.read(flight.token)
        told = report(self._scheduler, flight.work_item, flight.attempt)
        reason = state.reason or (ending.reason if ending is not None else "")
        status = state.exit_status
        if status is None and ending is not None:
            status = ending.exit_status
        if state.phase is FarmPhase.SUCCEEDED:
            told.succeeded(exit_status=status or 0)
        elif state.phase is FarmPhase.CANCELED:
            told.canceled(reason or f"somebody ended its job {flight.engine_id} on {self.engine}", exit_status=status)
        elif state.phase is FarmPhase.FAILED:
            told.failed(reason or f"its job {flight.engine_id} failed on {self.engine}", exit_status=status)
        else:
            lost = f"{self.engine} does not know its job {flight.engine_id} any more"
            tries = self._lost.tries(flight) if self._lost is not None else ""
            told.failed(reason or f"{lost}{tries}", exit_status=status)
        self._forget(flight)

    def _tell_ending(self, flight: Flight, ending: JobEnding) -> bool:
        """Tell the cook what the wrapper would have told it, by the same way; whether anybody listens."""
        item = record_of(flight.work_item).id
        status = ending.exit_status if ending.exit_status is not None else 1
        last = ["ended", flight.attempt, item, ending.state, status, ending.seconds, ending.reason, flight.engine_id]
        try:
            before = self._ends.reports(flight.token)
            refused = tell_cook(self._scheduler, before) if before else []
            unheard = tell_cook(self._scheduler, [last])
        except OSError as error:
            self._scheduler.cookWarning(f"cannot tell how {flight.token} ended: {error}")
            return False
        for words in [*refused, *unheard]:
            self._scheduler.cookWarning(f"a report of {flight.token} was refused: {words}")
        if unheard:
            # Its item waits for an end still: the engine's word.
            self._ends.remove(flight.token)
        else:
            self._forget(flight)
        return True

    def _forget(self, flight: Flight) -> None:
        self._flights.pop(flight.token, None)
        self._ends.remove(flight.token)

    def gone(self, seconds: float = 30.0) -> list[str]:
        """Wait until the engine has ended all jobs, after they were canceled; the ids of those that are left."""
        until = self._clock() + seconds
        left = self.all_ids()
        while left:
            try:
                states = self._poll(left)
            except EngineError as error:
                self._scheduler.cookWarning(f"{error}\n    {len(left)} jobs were told to end")
                return left
            left = [
                each for each in left if each in states and states[each].phase in {FarmPhase.QUEUED, FarmPhase.RUNNING}
            ]
            if self._clock() > until:
                break
            if left:
                time.sleep(_LOOK)
        return left

    # -- leaving, and going on ------------------------------------------------------------------------------------

    def leave(self, work_items: Iterable[Any]) -> list[Any]:
        """The answer of ``onLeaveWorkItems``: those whose jobs the engine has, by an id that is recorded."""
        if self._flights and self._clock() >= self._next:
            # What has just been taken up may have ended long ago.
            self.look()
        mine = {record_of(flight.work_item).id for flight in self.in_flight if flight.engine_id}
        return [item for item in work_items if record_of(item).id in mine]

    def adopt(self, jobs: Iterable[tuple[Any, str, str]]) -> list[Any]:
        """The answer of ``onAdoptWorkItems``: the items whose jobs run, wait, or have left an end; watched from now on.

        While the engine is away all are kept whose id is known: what became of them is found when it is back. What is
        not taken up is cooked again.
        """
        prepare_farm(self._scheduler)
        given = {token: Flight(item, token, FarmJob.left(item, token).attempt, job) for item, token, job in jobs}
        self._find_ids(given.values())
        ended = self._ends.there()
        left = {token: flight for token, flight in given.items() if flight.engine_id}
        states = self._ask([flight.engine_id for flight in left.values()]) if left else {}
        taken = []
        for token, flight in given.items():
            ending = self._ends.read(token) if token in ended else None
            known = flight.engine_id and (states is None or flight.engine_id in states)
            if known or (ending is not None and ending.final):
                self._add(flight)
                taken.append(flight.work_item)
        # Soon: the ends among them are known already.
        self._next = self._clock()
        return taken

    def _find_ids(self, flights: Iterable[Flight]) -> None:
        missing = [flight for flight in flights if not flight.engine_id]
        if not missing or self._find is None:
            return
        try:
            found = self._find([flight.token for flight in missing])
        except EngineError as error:
            self._scheduler.cookWarning(f"{error}\n    {len(missing)} jobs without a recorded id are cooked again")
            return
        for flight in missing:
            flight.engine_id = found.get(flight.token, "")
