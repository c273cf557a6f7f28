"""The next attempt of an item waits for the job of the one before it, and not for ever."""

from __future__ import annotations

from collections.abc import Sequence

from topcook.author.farm import EngineAwayError, Leaving


class Engine:
    def __init__(self) -> None:
        self.there: set[str] = {"7_0", "7_1"}
        self.asked: list[list[str]] = []
        self.away = False
        self.now = 100.0
        self.leaving = Leaving(self.present, clock=lambda: self.now)

    def present(self, ids: Sequence[str]) -> set[str]:
        self.asked.append(list(ids))
        if self.away:
            raise EngineAwayError("it does not answer")
        return self.there & set(ids)


def test_an_item_is_held_while_the_engine_has_its_job_and_the_engine_asked_seldom() -> None:
    engine = Engine()
    engine.leaving.add(1, ["7_0"])
    engine.leaving.add(2, ["7_1"])
    assert (engine.leaving.holds(1), engine.leaving.holds(2), engine.leaving.holds(3)) == (True, True, False)
    assert engine.asked == [["7_0", "7_1"]]
    engine.there = {"7_1"}
    engine.now += 0.4
    assert engine.leaving.holds(1)
    engine.now += 0.2
    assert (engine.leaving.holds(1), engine.leaving.holds(2)) == (False, True)
    assert len(engine.asked) == 2


def test_what_never_had_a_job_is_not_held_and_nobody_asked() -> None:
    engine = Engine()
    engine.leaving.add(1, [])
    assert not engine.leaving.holds(1)
    assert engine.asked == []


def test_a_job_that_never_goes_holds_its_item_for_a_while_only() -> None:
    engine = Engine()
    engine.leaving.add(1, ["7_0"])
    engine.now += 59.0
    assert engine.leaving.holds(1)
    engine.now += 2.0
    assert not engine.leaving.holds(1)


def test_while_the_engine_is_away_nobody_is_held() -> None:
    engine = Engine()
    engine.away = True
    engine.leaving.add(1, ["7_0"])
    assert not engine.leaving.holds(1)
