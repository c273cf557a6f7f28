"""The life of a graph context: one cook at a time, and none that outlives it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from tests.runtime.noting import LOCAL, NETWORK, calls, scheduler
from tests.waiting import until
from topcook.errors import CookRefusedError
from topcook.runtime.api import GraphContext
from topcook.runtime.netfile import load_network
from topcook.testkit.cookbench import CookBench


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPCOOK_STATE_DIR", str(tmp_path / "state"))


def test_one_graph_context_has_one_cook_at_a_time(bench: CookBench) -> None:
    context = bench.load(LOCAL)
    assert context.cook(block=False)
    with pytest.raises(CookRefusedError, match="is cooking"):
        context.cook(block=False)
    for change in (
        lambda: context.renameNode("work", "other"),
        lambda: context.delete("work"),
        lambda: context.addNode("null", "more"),
        lambda: context.addWorkItem("work"),
    ):
        with pytest.raises(CookRefusedError, match="is cooking"):
            change()
    context.cancelCook()
    context.waitAllEvents()
    context.renameNode("work", "other")


def test_closing_a_context_ends_its_cook_first(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            note("holds it")
            return pdg.scheduleResult.Succeeded
        """,
    )
    context = bench.load(NETWORK)
    cook = bench.start(context)
    until(lambda: calls(bench))
    context.close()
    assert cook.outcome == "canceled"
    assert calls(bench)[-2:] == ["onStopCook True", "onStop"]
    with pytest.raises(CookRefusedError, match="is closed"):
        context.cook()


def test_a_callback_may_close_the_context_it_runs_in(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            work_item.context.close()
            return pdg.scheduleResult.CookSucceeded
        """,
    )
    context = bench.load(NETWORK)
    cook = bench.start(context)
    done = bench.finish(context, cook)
    assert done.outcome == "canceled"
    until(lambda: "onStop" in calls(bench))


def test_a_context_nobody_holds_cooks_to_its_end_and_is_closed_then(bench: CookBench) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            time.sleep(0.05)
            note(work_item.id)
            return pdg.scheduleResult.CookSucceeded
        """,
    )
    path = bench.folder / "net.toml"
    path.write_text(NETWORK)
    begin_and_forget(bench, path)
    cook_threads = [each for each in threading.enumerate() if each.name == "topcook-cook"]
    gc.collect()
    for thread in cook_threads:
        thread.join(20)
    gc.collect()
    until(lambda: "onStop" in calls(bench))
    assert calls(bench) == ["1", "2", "3", "4", "onStopCook False", "onStop"]


def begin_and_forget(bench: CookBench, path: Path) -> None:
    """Begin a cook and forget its context."""
    load_network(path, factory=bench.factory()).cook(block=False)


@pytest.mark.parametrize("block", [True, False])
def test_the_end_of_a_program_ends_its_cooks_and_calls_onstop(bench: CookBench, block: bool) -> None:
    scheduler(
        bench,
        """
        def onSchedule(self, work_item):
            note("item")
            return pdg.scheduleResult.CookSucceeded if os.environ["BLOCK"] == "True" else pdg.scheduleResult.Succeeded
        """,
    )
    program = bench.folder / "program.py"
    program.write_text(
        textwrap.dedent(
            f"""
            import os, time
            import pdg
            context = pdg.GraphContext("mine", hip={str(bench.folder)!r})
            context.addScheduler("mine", "farm")
            context.setDefaultScheduler("farm")
            context.addNode("genericgenerator", "work", command="echo")
            print(context.cook({block}))
            while not os.path.exists({str(bench.folder / "calls.txt")!r}):
                time.sleep(0.01)
            """
        )
    )
    environment = {**os.environ, "PDG_TYPES_PATH": str(bench.types_dir), "BLOCK": str(block)}
    ended = subprocess.run(
        [sys.executable, str(program)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "True\n"
    assert calls(bench) == ["item", f"onStopCook {not block}", "onStop"]


def test_two_contexts_cook_at_the_same_time(bench: CookBench) -> None:
    contexts = [
        bench.opened(GraphContext("twin", hip=str(bench.folder / name), factory=bench.factory())) for name in "ab"
    ]
    assert [context.name for context in contexts] == ["twin", "twin1"]
    for context in contexts:
        context.addNode("genericgenerator", "work", itemcount=20, command="echo x > f@pdg_index")
        (bench.folder / context.name.replace("twin1", "b").replace("twin", "a")).mkdir()
        context.cook(block=False)
    for context in contexts:
        context.waitAllEvents()
        assert not context.cooking
    for name in "ab":
        assert len(list((bench.folder / name).glob("f*"))) == 20
