"""``docs/work-item-states.md`` says what the table says, and its worked case is what the machine does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from topcook.machine import TRANSITIONS, Phase, Trigger
from topcook.machine.phases import STATE_OF
from topcook.testkit.machine import MachineDriver

PAGE = (Path(__file__).parents[2] / "docs" / "work-item-states.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^### ([A-Z_]+)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (`.*`) \| (\w+) \| (\w*) ?\|$", re.MULTILINE)
SECTIONS = dict(SECTION.findall(PAGE))


def test_the_page_has_a_section_for_every_phase() -> None:
    assert list(SECTIONS) == [phase.name for phase in Phase]


@pytest.mark.parametrize("phase", Phase, ids=lambda phase: phase.name.lower())
def test_the_page_has_the_rows_of_the_phase(phase: Phase) -> None:
    told = {
        trigger: (to, mark)
        for triggers, to, mark in ROW.findall(SECTIONS[phase.name])
        for trigger in re.findall(r"`([^`]+)`", triggers)
    }
    rows = {
        trigger.value: ("stays" if to is None else to.name, mark) for trigger, (to, mark) in TRANSITIONS[phase].items()
    }
    assert told == rows


@pytest.mark.parametrize("phase", Phase, ids=lambda phase: phase.name.lower())
def test_the_page_shows_the_state_that_pdg_sees(phase: Phase) -> None:
    assert f"| {phase.name} | {STATE_OF[phase].name} |" in PAGE


def test_every_mark_is_explained() -> None:
    marks = {mark for row in TRANSITIONS.values() for _, mark in row.values()} - {""}
    assert not [mark for mark in marks if f"**{mark}**" not in PAGE]


def test_the_worked_case_is_what_the_machine_tells(cook: MachineDriver) -> None:
    sim = cook.item("sim")
    render = cook.item("render", sim)
    publish = cook.item("publish", render)
    render.attempt = 1
    cook.begin()
    assert cook.offered() == [sim]
    cook.said(sim, Trigger.DEFERRED)
    cook.tick()
    assert cook.offered() == [sim]
    cook.said(sim, Trigger.START)
    cook.said(sim, Trigger.ACCEPTED)
    cook.said(sim, Trigger.START)
    cook.said(sim, Trigger.SUCCEED, attempt=1)
    assert cook.offered() == [render]
    cook.said(sim, Trigger.START)
    cook.said(render, Trigger.SUCCEED, attempt=1)
    cook.said(render, Trigger.FAIL, attempt=2)
    cook.said(render, Trigger.DEFERRED)
    assert cook.end() == "failed"
    for name, item in {"sim": sim, "render": render, "publish": publish}.items():
        told = re.search(rf"^```text\n{name}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
        assert told is not None
        assert [line.strip() for line in told[1].splitlines()] == cook.state.story.of(item.id)
