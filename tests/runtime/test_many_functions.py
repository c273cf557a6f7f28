"""Functions of in-process items by the hundred: handed over and reported on many at a time, and nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest

from topcook.runtime.observers import hookimpl
from topcook.testkit.cookbench import CookBench

COUNT = 300
#: Items of two layers; the functions of the first tell what they made, those of the second look for it.
TYPES = """
    import pdg
    from pdg.processor import PyProcessor

    class Pairs(PyProcessor):
        templateName = classmethod(lambda cls: "pairs")

        def onGenerate(self, item_holder, upstream_items, generation_type):
            for index in range(COUNT):
                first = item_holder.addWorkItem(index=index, inProcess=True)
                second = item_holder.addWorkItem(index=COUNT + index, inProcess=True)
                item_holder.addDependency(second, first)
            return pdg.result.Success

        def onCookTask(self, work_item):
            if work_item.index < COUNT:
                if work_item.index % 7 == 3:
                    raise ValueError("not this one")
                if work_item.index % 3 == 0:
                    work_item.addResultData(f"/made/{work_item.index}", "file/geo", 0)
                if work_item.index % 3 == 1:
                    scheduler = work_item.node.scheduler
                    scheduler.onWorkItemFileResult(work_item.id, -1, f"/told/{work_item.index}", "file/geo", 0)
            else:
                found = [file[0] for needed in work_item.dependencies for file in needed.resultData]
                first = work_item.index - COUNT
                expected = [[f"/made/{first}"], [f"/told/{first}"], []][first % 3]
                if found != expected:
                    raise AssertionError(f"{work_item.index}: {found}, not {expected}")
            return pdg.result.Success

    def registerTypes(type_registry):
        type_registry.registerNode(Pairs, pdg.nodeType.Processor)
""".replace("COUNT", str(COUNT))
NETWORK = """
    [network]
    scheduler = "here"
    [schedulers.here]
    type = "{kind}"
    [schedulers.here.parms]
    pdg_workingdir = "$HIP/work"
    [nodes.pairs]
    type = "pairs"
"""


@pytest.mark.parametrize("traced", [False, True])
def test_what_a_function_tells_is_there_for_those_that_wait_for_it(bench: CookBench, traced: bool) -> None:
    bench.types("pairs", TYPES)
    context = bench.load(NETWORK.format(kind="inprocessscheduler"))
    context.core.trace = traced
    told: list[tuple[int, str]] = []

    class Watch:
        @hookimpl
        def items_changed(self, changes: Any) -> None:
            told.extend((item.id, new.name) for item, _, new, _ in changes)

    context.observe(Watch())
    done = bench.cook(context)
    failed = [item for item in done.items() if item.state.name == "CookedFail"]
    assert {item.index % 7 for item in failed} == {3}, done.why(failed[0].name) if failed else done.messages
    assert done.out_of_order() == []
    ended = [item for item in done.items() if item.state.name == "CookedSuccess"]
    assert len(ended) + 2 * len(failed) == 2 * COUNT
    for item in ended:
        assert [state for each, state in told if each == item.id] == ["Scheduled", "Cooking", "CookedSuccess"]
        run = item.ran()
        assert run.started is not None
        assert run.finished is not None
        assert run.duration is not None
        assert run.started <= run.finished
