"""Every callback of a scheduler that raises, or answers nonsense: told with its line, and the rest of the cook goes on."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from topcook.contract.callbacks import CALLBACKS, Callback, Returns
from topcook.contract.node_callbacks import NODE_CALLBACKS
from topcook.errors import CookRefusedError
from topcook.factory.scan import Factory
from topcook.runtime.netfile import load_network
from topcook.testkit.cookbench import CookBench, Cooked

HEAD = """
import threading
from pathlib import Path
import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler


class Odd(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)

    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded


def registerTypes(type_registry):
    for name, cls in list(globals().items()):
        if isinstance(cls, type) and issubclass(cls, Odd):
            type_registry.registerScheduler(cls, name=name.lower(), label=name)

"""
CLASS = """
class Odd_CALLBACK_KIND(Odd):
    def CALLBACK(self, *args, **kwargs):
        with open("FOLDER/called_CALLBACK_KIND", "a") as stream:
            stream.write("called" + chr(10))
        BODY

"""
NETWORK = """
[network]
name = "net"
scheduler = "odd"
[schedulers.odd]
type = "TYPE"
parms = { pdg_tickperiod = 0.05 }
[schedulers.other]
type = "inprocessscheduler"
[nodes.work]
type = "genericgenerator"
parms.itemcount = 2
parms.command = "true"
[nodes.elsewhere]
type = "pythonscript"
scheduler = "other"
parms.script = "pass"
"""
RAISES, NONSENSE = "raises", "nonsense"
BODIES = {RAISES: 'raise RuntimeError("not today")', NONSENSE: "return object()"}
#: Without these a scheduler cannot begin, and nothing of the cook would be right: it ends with their words.
CANNOT_BEGIN = {"onStartCook", "onSetupCook", "workingDir"}
#: What this cook is sure to call before it ends.
CALLED = {
    *CANNOT_BEGIN,
    "onSchedule",
    "onAcceptWorkItem",
    "onStart",
    "onStopCook",
    "onTick",
    "getLogURI",
    "getStatusURI",
}
#: What may be answered as one likes, or nothing at all.
UNREAD = {Returns.NOTHING}


def odd(folder: Path, callback: str, kind: str, body: str) -> str:
    text = CLASS.replace("CALLBACK", callback).replace("KIND", kind)
    return text.replace("BODY", body).replace("FOLDER", str(folder))


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Factory]:
    """A folder with a types file, which has a class for each callback and way not to work; and what was found in it."""
    folder = tmp_path_factory.mktemp("types")
    classes = [odd(folder, row.name, kind, body) for row in CALLBACKS for kind, body in BODIES.items()]
    (folder / "odd.py").write_text(HEAD + "".join(classes))
    return folder, Factory.scan({"PDG_TYPES_PATH": str(folder)})


def everything_said(done: Cooked) -> str:
    notes = "\n".join(message for item in done.items() for message in item.ran().messages)
    log = Path(done.context.core.host("odd").log_path) if "odd" in done.context.core.network.schedulers else None
    return f"{done.messages}\n{notes}\n{log.read_text() if log is not None and log.exists() else ''}"


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("row", CALLBACKS, ids=lambda row: row.name)
def test_a_callback_that_does_not_work_ends_as_its_row_says_and_others_cook_on(
    bench: CookBench, types: tuple[Path, Factory], row: Callback, kind: str
) -> None:
    callback, (folder, factory) = row.name, types
    network = bench.folder / "net.toml"
    network.write_text(NETWORK.replace("TYPE", f"odd_{callback}_{kind}".lower()))
    context = bench.opened(load_network(network, factory=factory))
    try:
        done = bench.cook(context)
        told = everything_said(done)
    except CookRefusedError as error:
        done, told = None, str(error)
    was_called = (folder / f"called_{callback}_{kind}").exists()
    assert was_called or callback not in CALLED
    if was_called and not (kind == NONSENSE and row.returns in UNREAD):
        assert ("RuntimeError: not today" if kind == RAISES else callback) in told
        assert re.search(r"odd\.py:\d+|Traceback", told)
    if done is None:
        assert callback == "onStart"
        return
    assert done.outcome in {"cooked", "failed"}
    if callback not in CANNOT_BEGIN:
        assert set(done.states("elsewhere").values()) == {"CookedSuccess"}


@pytest.mark.parametrize("row", [row for rows in NODE_CALLBACKS.values() for row in rows], ids=lambda row: row.name)
@pytest.mark.parametrize("body", ['raise RuntimeError("not today")', "return 'nonsense'"], ids=["raises", "nonsense"])
def test_a_callback_of_a_node_that_does_not_work_fails_its_node_or_item(
    bench: CookBench, row: object, body: str
) -> None:
    callback: str = row.name  # type: ignore[attr-defined]
    base = {"onPartition": "partitioner.PyPartitioner", "onMap": "mapper.PyMapper"}.get(
        callback, "processor.PyProcessor"
    )
    module, _, name = base.partition(".")
    generate = ""
    if name == "PyProcessor" and callback != "onGenerate":
        generate = (
            "    def onGenerate(self, item_holder, upstream_items, generation_type):\n"
            "        item_holder.addWorkItem(inProcess=True)\n"
            "        return pdg.result.Success\n"
        )
    bench.types(
        "oddnode",
        f"import pdg\nfrom pdg.{module} import {name}\n\nclass OddNode({name}):\n{generate}"
        f"    def {callback}(self, *args):\n        {body}\n\n"
        "def registerTypes(type_registry):\n"
        f"    type_registry.registerNode(OddNode, pdg.nodeType.{name.removeprefix('Py')}, name='oddnode')\n",
    )
    inputs = '["one", "two"]' if callback == "onMap" else '["one"]'
    network = (
        '[network]\nname = "net"\nscheduler = "here"\n[schedulers.here]\ntype = "inprocessscheduler"\n'
        '[nodes.one]\ntype = "pythonscript"\nparms.script = "pass"\n'
        '[nodes.two]\ntype = "pythonscript"\nparms.script = "pass"\n'
        f'[nodes.odd]\ntype = "oddnode"\ninputs = {inputs}\nparms.pdg_workitemgeneration = "dynamic"\n'
    )
    context = bench.load(network)
    done = bench.cook(context)
    assert done.outcome in {"cooked", "failed", "refused"}
    if done.outcome != "refused":
        assert set(done.states("one").values()) == {"CookedSuccess"}
    if done.outcome != "cooked":
        problems = "\n".join(str(problem) for problem in done.cook.generation_problems)
        assert any(word in everything_said(done) + problems for word in ("oddnode.py", callback, "not today"))


def test_an_item_ends_although_its_cancel_raises(bench: CookBench) -> None:
    text = odd(bench.folder, "onCancelWorkItems", "raises", BODIES[RAISES])
    held = (
        "\n\n    def onSchedule(self, work_item):\n        self.onWorkItemStartCook(work_item.id, -1)\n"
        "        return pdg.scheduleResult.Succeeded\n"
    )
    bench.types("odd", HEAD + text.rstrip() + held)
    network = NETWORK.replace("TYPE", "odd_oncancelworkitems_raises").replace(
        'parms.command = "true"', 'parms.command = "true"\nparms.pdg_timeout = 0.2\nparms.pdg_timeoutgrace = 0'
    )
    done = bench.cook(network)
    assert done.outcome == "failed"
    assert set(done.states("work").values()) == {"CookedFail"}
    assert set(done.states("elsewhere").values()) == {"CookedSuccess"}
    assert "onCancelWorkItems raised RuntimeError: not today" in done.messages


THREADS = """
        def tell(number):
            for _ in range(20):
                self.onWorkItemStartCook(work_item.id, -1)
                self.onWorkItemSetCustomState(work_item.id, -1, f"state {number}")
                self.onWorkItemSetCookPercent(work_item.id, -1, number / 12)
                self.onWorkItemSucceeded(work_item.id, -1, 0.1)

        threads = [threading.Thread(target=tell, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return pdg.scheduleResult.Succeeded
"""


def test_a_dozen_threads_may_call_back_at_once(bench: CookBench) -> None:
    before = threading.active_count()
    text = odd(bench.folder, "onSchedule", "threads", "BODY").replace("(self, *args, **kwargs)", "(self, work_item)")
    bench.types("odd", HEAD + text.replace("        BODY\n", THREADS))
    done = bench.cook(NETWORK.replace("TYPE", "odd_onschedule_threads").replace("itemcount = 2", "itemcount = 20"))
    assert done.outcome == "cooked"
    assert set(done.states("work").values()) == {"CookedSuccess"}
    assert len((bench.folder / "called_onSchedule_threads").read_text().splitlines()) == 20
    assert "internal" not in done.messages
    bench.close()
    assert threading.active_count() <= before + 2
