"""How a cook ended: what held what, and what logs say at their end."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.machine.phases import STATE_OF, Phase
from topcook.model.node import Node
from topcook.model.workitem import WorkItem
from topcook.runtime.summary import (
    BLOCKERS,
    blockers,
    counts,
    end_state,
    exit_text,
    failures,
    log_path,
    printable,
    tail,
)


def cook_of(phases: list[Phase], edges: list[tuple[int, int]]) -> Any:
    """A cook of one node with items in these phases; an edge (a, b) lets b wait for a."""
    node = Node("n", "t")
    node.items = [WorkItem(number, node, number) for number in range(1, len(phases) + 1)]
    for item, phase in zip(node.items, phases, strict=True):
        item.phase, item.state = phase, STATE_OF[phase]
    for early, late in edges:
        node.items[late].dependencies.append(node.items[early])
        node.items[early].dependents = [*(node.items[early].dependents or ()), node.items[late]]
    state = SimpleNamespace(all_items=lambda: iter(node.items))
    return SimpleNamespace(state=state, outcome="failed", wanted=[node], nodes=[node])


def test_an_item_is_blocked_by_the_failed_ones_behind_the_blocked_ones() -> None:
    phases = [Phase.FAILED, Phase.SUCCESS, Phase.CANCELED, Phase.BLOCKED, Phase.BLOCKED]
    cook = cook_of(phases, [(0, 3), (1, 3), (3, 4), (2, 4)])
    assert blockers(cook.state.all_items()) == {4: (1,), 5: (1, 3)}
    found, number = failures(cook, 10)
    assert number == 1
    assert [(failure.item.id, failure.blocks) for failure in found] == [(1, 2)]


def test_a_chain_of_any_length_is_followed_and_shares_its_answer() -> None:
    length = 50_000
    cook = cook_of([Phase.FAILED, *[Phase.BLOCKED] * length], [(n, n + 1) for n in range(length)])
    found = blockers(cook.state.all_items())
    assert len(found) == length
    assert found[2] is found[length + 1]
    assert failures(cook, 1)[0][0].blocks == length


def test_a_fan_in_of_failures_names_a_hundred_of_them() -> None:
    cook = cook_of([*[Phase.FAILED] * 500, Phase.BLOCKED], [(n, 500) for n in range(500)])
    assert len(blockers(cook.state.all_items())[501]) == BLOCKERS


@given(st.data())
def test_blockers_are_the_unsuccessful_ancestors_that_are_reached_through_blocked_ones(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 12))
    edges = [(a, b) for b in range(size) for a in range(b) if data.draw(st.booleans())]
    given_phases = [data.draw(st.sampled_from([Phase.SUCCESS, Phase.FAILED, Phase.CANCELED])) for _ in range(size)]
    phases: list[Phase] = []
    for number in range(size):
        waits = [phases[a] for a, b in edges if b == number]
        held = any(phase is not Phase.SUCCESS for phase in waits)
        phases.append(Phase.BLOCKED if held else given_phases[number])

    def naive(number: int) -> set[int]:
        found: set[int] = set()
        for early in (a for a, b in edges if b == number):
            if phases[early] in {Phase.FAILED, Phase.CANCELED}:
                found.add(early + 1)
            elif phases[early] is Phase.BLOCKED:
                found |= naive(early)
        return found

    expected = {n + 1: naive(n) for n in range(size) if phases[n] is Phase.BLOCKED}
    assert {item: set(held) for item, held in blockers(cook_of(phases, edges).state.all_items()).items()} == expected


def test_states_are_counted_and_the_end_has_one_of_four_names() -> None:
    cook = cook_of([Phase.SUCCESS, Phase.SUCCESS, Phase.BLOCKED], [])
    assert {state.name: number for state, number in counts(cook).items()} == {"Waiting": 1, "CookedSuccess": 2}
    for outcome, interrupted, told in [
        ("cooked", False, "cooked"),
        ("cooked", True, "cooked"),
        ("canceled", False, "canceled"),
        ("canceled", True, "interrupted"),
        ("failed", False, "failed"),
        ("", False, "failed"),
    ]:
        cook.outcome = outcome
        assert end_state(cook, interrupted=interrupted) == told


@pytest.mark.parametrize(
    ("status", "said"), [(None, ""), (0, "exit status 0"), (3, "exit status 3"), (-9, "ended by signal 9 (SIGKILL)")]
)
def test_an_exit_status_is_told_in_words(status: int | None, said: str) -> None:
    assert exit_text(status) == said


def test_the_end_of_a_huge_log_is_read_without_the_rest(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with log.open("wb") as stream:
        stream.seek(10 * 1024**3)
        stream.write(b"\nthe first\r\nthe \x1b[31mlast\x1b[0m\tone\a\n\n  \n")
    assert tail(str(log), 2) == ["the first", "the last one�"]
    assert tail(str(tmp_path / "none.log"), 2) == []


@given(st.binary(max_size=300), st.integers(0, 5))
def test_any_log_can_be_shown(tmp_path_factory: pytest.TempPathFactory, content: bytes, lines: int) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"
    path.write_bytes(content)
    found = tail(str(path), lines)
    assert len(found) <= lines
    assert all(line.isprintable() or line == "" for line in found)


@given(st.text())
def test_what_is_shown_never_moves_the_cursor(text: str) -> None:
    assert all(each.isprintable() for each in printable(text))


def test_a_log_uri_is_read_as_the_path_it_names(tmp_path: Path) -> None:
    log = tmp_path / "with space.log"
    log.write_text("x")
    node = Node("n", "t")
    item = WorkItem(1, node)
    for uri in (log.as_uri(), str(log), f"file:///{log}"):
        item.ran().log_uri = uri
        assert log_path(SimpleNamespace(), item) == str(log)  # type: ignore[arg-type]
    item.ran().log_uri = "https://farm/jobs/1"
    assert log_path(SimpleNamespace(), item) == ""  # type: ignore[arg-type]
