"""Scheduler files with the habits of the field cook a network through PDG's own API."""

from __future__ import annotations

from pathlib import Path

import pytest

import pdg
from topcook.factory import Factory

TYPES = Path(__file__).parent / "types"


@pytest.mark.parametrize("scheduler", ["python_scheduler", "statrpc", "localscheduler"])
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the files under test leave their processes to the system
def test_a_file_written_for_houdini_cooks_a_network(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PDG_TYPES_PATH", str(TYPES))
    context = pdg.GraphContext("field", hip=str(tmp_path), factory=Factory.scan())
    try:
        context.addScheduler(scheduler, "farm")
        context.setDefaultScheduler("farm")
        context.addNode("genericgenerator", "first")
        context.setParameter("first", "itemcount", 2)
        context.setParameter("first", "command", "echo @pdg_index > __PDG_DIR__/@pdg_name")
        context.addNode("genericgenerator", "second")
        context.setParameter("second", "command", 'cat "$PDG_DIR"/first_$((@pdg_id - 2)) > __PDG_DIR__/@pdg_name')
        context.connect("first", "second")
        context.cook(True)
        states = {item.name: item.state for name in ("first", "second") for item in context.graph.node(name).workItems}
    finally:
        context.close()
    assert set(states.values()) == {pdg.workItemState.CookedSuccess}, capfd.readouterr()
    assert [(tmp_path / f"second_{number}").read_text() for number in (3, 4)] == ["0\n", "1\n"]
