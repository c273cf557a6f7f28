"""What a cook leaves in its journal, read back."""

from __future__ import annotations

from pathlib import Path

from topcook.model.states import WorkItemState
from topcook.runtime.api import GraphContext
from topcook.runtime.cook import new_cook_id
from topcook.runtime.journal import Journal, Past
from topcook.testkit.cookbench import CookBench, Cooked

NETWORK = """
    [network]
    scheduler = "local"
    [schedulers.local]
    type = "localscheduler"
    [nodes.make]
    type = "genericgenerator"
    [nodes.make.parms]
    itemcount = 3
    pdg_command = "test @pdg_index -ne 1"
    [nodes.after]
    type = "genericgenerator"
    inputs = ["make"]
    [nodes.after.parms]
    pdg_command = "true"
"""


def journaled(bench: CookBench, context: GraphContext, path: Path) -> Cooked:
    cook_id = new_cook_id()
    journal = Journal(str(path), cook_id, "network.toml", find=context.core.item, facts={"who": "me"})
    cook = context.prepare(recorder=journal, cook_id=cook_id)
    cook.run()
    return Cooked(context, cook)


def test_what_became_of_each_item_is_in_the_journal(bench: CookBench, tmp_path: Path) -> None:
    context = bench.load(NETWORK)
    cooked = journaled(bench, context, tmp_path / "cooks" / "journal.sqlite")
    past = Past.open(str(tmp_path / "cooks" / "journal.sqlite"))
    assert past.outcome == cooked.outcome == "failed"
    assert past.cook_id == cooked.cook.cook_id
    assert past.sessions[0].facts == {"who": "me"}
    by_name = {item.name: item for item in past.items()}
    assert {name: item.state.name for name, item in by_name.items()} == {
        item.name: item.state.name for item in cooked.items()
    }
    for item in cooked.items("make"):
        found = by_name[item.name]
        run = item.ran()
        assert (found.started, found.finished, found.duration) == (run.started, run.finished, run.duration)
        assert (found.attempt, found.exit_status, found.scheduler) == (1, run.exit_status, "local")
        assert found.token == cooked.cook.link.token(item)
        assert found.messages == run.messages
    failed = [item for item in past.items() if item.state is WorkItemState.CookedFail]
    assert [(item.index, item.exit_status) for item in failed] == [(1, 1)]
    assert past.in_flight() == []
    waiting = next(item for item in past.items() if item.node == "after" and item.state is WorkItemState.Waiting)
    assert waiting.needs == [failed[0].id]
