"""The next attempt of an item waits for the job of the one before it, and not for ever."""

from __future__ import annotations

from collections.abc import Sequence

from topcook.author.farm import EngineAwayError, EngineError, Flight, Stragglers
from topcook.testkit import FakeHost


class Engine:
    def __init__(self) -> None:
        self.there: set[str] = {"7_0", "7_1"}
        self.asked: list[list[str]] = []
        self.away = False
        self.error: EngineError | None = None
        self.takes = 0.0
        self.now = 100.0
        self.stragglers = Stragglers(self.present, clock=lambda: self.now)
        self._graph = FakeHost().graph

    def told_to_end(self, *ids: str) -> int:
        """An item whose jobs these are; its id."""
        item = self._graph.add_item(command="x")
        self.stragglers.add(Flight(item, f"{item.id}-{each}", 1, each) for each in ids)
        return item.id

    def present(self, ids: Sequence[str]) -> set[str]:
        self.asked.append(list(ids))
        self.now += self.takes
        if self.away:
            raise EngineAwayError("it does not answer")
        if self.error is not None:
            raise self.error
        return self.there & set(ids)


def test_an_item_is_held_while_the_engine_has_its_job_and_the_engine_asked_seldom() -> None:
    engine = Engine()
    first, second, other = engine.told_to_end("7_0"), engine.told_to_end("7_1"), engine.told_to_end()
    holds = engine.stragglers.holds
    assert (holds(first), holds(second), holds(other)) == (True, True, False)
    assert engine.asked == [["7_0", "7_1"]]
    engine.there = {"7_1"}
    engine.now += 0.4
    assert holds(first)
    engine.now += 0.2
    assert (holds(first), holds(second)) == (False, True)
    assert len(engine.asked) == 2


def test_an_item_of_which_several_jobs_may_be_there_is_held_for_each() -> None:
    engine = Engine()
    item = engine.told_to_end("7_0", "7_1")
    engine.there = {"7_1"}
    assert engine.stragglers.holds(item)
    engine.there = set()
    engine.now += 1.0
    assert not engine.stragglers.holds(item)


def test_what_never_had_a_job_is_not_held_and_nobody_asked() -> None:
    engine = Engine()
    assert not engine.stragglers.holds(engine.told_to_end())
    assert engine.asked == []


def test_a_job_that_never_goes_holds_its_item_for_a_while_only() -> None:
    engine = Engine()
    item = engine.told_to_end("7_0")
    engine.now += 59.0
    assert engine.stragglers.holds(item)
    engine.now += 2.0
    assert not engine.stragglers.holds(item)


def test_while_the_engine_is_away_its_jobs_may_run_and_hold_their_items_for_a_while() -> None:
    engine = Engine()
    engine.away = True
    item = engine.told_to_end("7_0")
    assert engine.stragglers.holds(item)
    engine.away, engine.there = False, set()
    engine.now += 1.0
    assert not engine.stragglers.holds(item)
    again = engine.told_to_end("7_1")
    engine.away = True
    engine.now += 61.0
    assert not engine.stragglers.holds(again)


def test_an_engine_that_answers_late_is_asked_the_more_seldom() -> None:
    """Nothing else is done while it is waited for."""
    engine = Engine()
    engine.away, engine.takes = True, 30.0
    item = engine.told_to_end("7_0")
    assert engine.stragglers.holds(item)
    engine.now += 5.0
    assert engine.stragglers.holds(item)
    assert len(engine.asked) == 1
    # And for no longer than all else.
    engine.now += 30.0
    assert not engine.stragglers.holds(item)
    assert len(engine.asked) == 1


def test_jobs_that_an_engine_cannot_be_asked_for_hold_nothing() -> None:
    engine = Engine()
    engine.error = EngineError("there is no such command")
    assert not engine.stragglers.holds(engine.told_to_end("7_0"))
