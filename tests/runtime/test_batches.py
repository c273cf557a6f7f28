"""Batches in whole cooks, with real processes: one job for many frames, each with a state of its own."""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from topcook.machine.items import Change
from topcook.runtime.observers import hookimpl
from topcook.testkit.cookbench import CookBench, Cooked

#: One job at a time, and sub-items that ask often whether it is their turn.
NETWORK = """
    [network]
    name = "net"
    scheduler = "local"
    [schedulers.local]
    type = "{scheduler}"
    [schedulers.local.parms]
    {parms}
    {nodes}
"""
ONE_SLOT = "maxprocsmenu = 1\n    maxprocs = 1"

#: A farm of somebody's own, that knows nothing of batches: it runs the command, and reports when it has ended.
FOREIGN = """
    import os, subprocess
    import pdg
    from pdg.scheduler import PyScheduler
    from pdg.job.callbackserver import CallbackServerMixin

    class OtherFarm(CallbackServerMixin, PyScheduler):
        def __init__(self, scheduler, name):
            PyScheduler.__init__(self, scheduler, name)
            CallbackServerMixin.__init__(self, True)
            self.running = {}
        @classmethod
        def templateName(cls):
            return "otherfarm"
        def onStartCook(self, static, cook_set):
            self.startCallbackServer()
            return True
        def onStopCook(self, cancel):
            for job in self.running.values():
                job.kill()
            self.stopCallbackServer()
            return True
        def onSchedule(self, work_item):
            self.createJobDirsAndSerializeWorkItems(work_item)
            environment = dict(os.environ)
            environment.update({
                "PDG_RESULT_SERVER": self.workItemResultServerAddr(), "PDG_ITEM_NAME": work_item.name,
                "PDG_ITEM_ID": str(work_item.id), "PDG_DIR": self.workingDir(False), "PDG_TEMP": self.tempDir(False),
                "PDG_SCRIPTDIR": self.scriptDir(False),
            })
            command = self.expandCommandTokens(work_item.command, work_item)
            self.running[work_item.id] = subprocess.Popen(command, shell=True, env=environment)
            return pdg.scheduleResult.Succeeded
        def onTick(self):
            for item, job in list(self.running.items()):
                if job.poll() is not None:
                    del self.running[item]
                    report = self.onWorkItemFailed if job.returncode else self.onWorkItemSucceeded
                    report(item, -1) if job.returncode else report(item, -1, 1.0)
            return pdg.tickResult.SchedulerReady

    def registerTypes(type_registry):
        type_registry.registerScheduler(OtherFarm)
"""

#: Cooks inside onSchedule and tells of each sub-item by its index.
BLOCKING = """
    import pdg
    from pdg.scheduler import PyScheduler

    class Blocking(PyScheduler):
        @classmethod
        def templateName(cls):
            return "blocking"
        def onSchedule(self, work_item):
            for sub in work_item.batchItems:
                if work_item.checkSubItem(sub.batchIndex) != 1:
                    continue
                work_item.startSubItem(sub.batchIndex)
                self.onWorkItemFileResult(work_item.id, sub.batchIndex, "/out/%d" % sub.frame, "file", 0)
                work_item.cookSubItem(sub.batchIndex, duration=2.5)
            return pdg.scheduleResult.CookSucceeded

    def registerTypes(type_registry):
        type_registry.registerScheduler(Blocking)
"""

#: Is given everything at the start, and reports downstream first.
STATIC = """
    import pdg
    from pdg.scheduler import PyScheduler

    class AtOnce(PyScheduler):
        staticCook = True
        @classmethod
        def templateName(cls):
            return "atonce"
        def onScheduleStatic(self, dependencies, dependents, ready_items):
            for item in reversed(list(dependencies)):
                print("given", item.name, [each.name for each in dependencies[item]])
                self.onWorkItemSucceeded(item.id, -1, 1.0)
        def onSchedule(self, work_item):
            return pdg.scheduleResult.Failed

    def registerTypes(type_registry):
        type_registry.registerScheduler(AtOnce)
"""


def network(nodes: str, *, scheduler: str = "localscheduler", parms: str = ONE_SLOT) -> str:
    return textwrap.dedent(NETWORK).format(scheduler=scheduler, parms=parms, nodes=textwrap.dedent(nodes))


def by_frame(cooked: Cooked, node: str) -> dict[int, str]:
    """The state of each frame; batches themselves are left out."""
    return {int(item.frame or 0): item.state.name for item in cooked.items(node) if item.batch is None}


SIM = """
    [nodes.sim]
    type = "genericgenerator"
    [nodes.sim.parms]
    framerange = [1, 4, 1]
    framesperbatch = {size}
    sequential = {chained}
    command = "{command}"
"""


@pytest.mark.parametrize(("size", "jobs"), [(0, 1), (3, 2), (4, 1), (100, 1)])
def test_frames_are_gathered_into_jobs(bench: CookBench, tmp_path: Path, size: int, jobs: int) -> None:
    command = "echo @pdg_frame >> frames; echo $PPID >> parents"
    cooked = bench.cook(network(SIM.format(size=size, chained=0, command=command)))
    assert cooked.outcome == "cooked", cooked.messages
    assert by_frame(cooked, "sim") == dict.fromkeys(range(1, 5), "CookedSuccess")
    assert sorted((tmp_path / "frames").read_text().split()) == ["1", "2", "3", "4"]
    assert len(set((tmp_path / "parents").read_text().split())) == jobs, "one program runs them all"


@pytest.mark.parametrize("scheduler", ["localscheduler", "otherfarm"])
def test_a_frame_that_fails_costs_only_what_needs_it(bench: CookBench, tmp_path: Path, scheduler: str) -> None:
    bench.types("otherfarm", FOREIGN)
    nodes = (
        SIM.format(size=0, chained=1, command="touch __PDG_DIR__/out.@pdg_frame; test @pdg_frame != 3")
        + """
    [nodes.after]
    type = "genericgenerator"
    inputs = ["sim"]
    [nodes.after.parms]
    command = "true"
    """
    )
    parms = ONE_SLOT if scheduler == "localscheduler" else "pdg_tickperiod = 0.05"
    cooked = bench.cook(network(nodes, scheduler=scheduler, parms=parms))
    states = {1: "CookedSuccess", 2: "CookedSuccess", 3: "CookedFail", 4: "Waiting"}
    assert by_frame(cooked, "sim") == states
    assert by_frame(cooked, "after") == {**states, 3: "Waiting"}
    assert [item.state.name for item in cooked.items("sim") if item.batch is not None] == ["CookedFail"]
    assert (tmp_path / "out.3").exists()
    assert not (tmp_path / "out.4").exists()
    assert cooked.outcome == "failed"


def test_what_waits_for_a_frame_starts_before_the_batch_has_ended(bench: CookBench) -> None:
    """The batch's last frame ends only when what depends on its first one has been cooked: within one job."""
    nodes = (
        SIM.format(
            size=0,
            chained=0,
            command="n=0; until test @pdg_frame = 1 -o -e go; do sleep 0.02; n=$((n+1)); test $n -lt 1500; done",
        )
        + """
    [nodes.after]
    type = "genericgenerator"
    inputs = ["sim"]
    [nodes.after.parms]
    command = "touch go"
    """
    )
    cooked = bench.cook(network(nodes, parms="maxprocsmenu = 1\nmaxprocs = 2"))
    assert cooked.outcome == "cooked", cooked.messages
    assert cooked.out_of_order() == []


def test_a_sequence_waits_for_its_own_frame_and_lends_its_slot_to_who_makes_it(
    bench: CookBench, tmp_path: Path
) -> None:
    """Both nodes share one slot: the batch, begun with its first frame, would wait forever if it kept it."""
    nodes = """
    [nodes.source]
    type = "genericgenerator"
    [nodes.source.parms]
    framerange = [1, 3, 1]
    command = "echo source @pdg_frame >> order"
    [nodes.sim]
    type = "genericgenerator"
    inputs = ["source"]
    [nodes.sim.parms]
    framesperbatch = 0
    sequential = 1
    priority = -1
    command = "echo sim @pdg_frame >> order"
    """
    cooked = bench.cook(network(nodes))
    assert cooked.outcome == "cooked", cooked.messages
    assert cooked.out_of_order() == []
    order = (tmp_path / "order").read_text().splitlines()
    assert [line for line in order if line.startswith("sim")] == ["sim 1", "sim 2", "sim 3"]


@pytest.mark.parametrize(("activation", "seen"), [("first", "1"), ("any", "2"), ("all", "123")])
def test_a_batch_starts_by_its_activation(bench: CookBench, tmp_path: Path, activation: str, seen: str) -> None:
    """Frames end in the order 2, 1, 3 by one slot and their priorities; the batch looks at what is there."""
    nodes = f"""
    [nodes.source]
    type = "genericgenerator"
    [nodes.source.parms]
    framerange = [1, 3, 1]
    command = "echo done > frame.@pdg_frame"
    [nodes.sim]
    type = "genericgenerator"
    inputs = ["source"]
    [nodes.sim.parms]
    framesperbatch = 0
    batchactivation = "{activation}"
    command = "echo @pdg_batchstart @pdg_batchend @pdg_batchsize >> whole"
    """
    cooked = bench.cook(network(nodes))
    assert cooked.outcome == "cooked", cooked.messages
    assert (tmp_path / "whole").read_text().split() == ["1", "3", "3"], "a command of the batch runs once"
    (batch,) = [item for item in cooked.items("sim") if item.batch is not None]
    frames = sorted(cooked.items("source"), key=lambda item: item.frame or 0)
    ends = [item.ran().finished or 0.0 for item in frames]
    began = batch.ran().queued or 0.0
    needed = {"first": ends[0], "any": min(ends), "all": max(ends)}[activation]
    assert began >= needed, seen


def test_each_frame_has_its_own_outputs_attributes_and_log(bench: CookBench, tmp_path: Path) -> None:
    script = tmp_path / "frame.py"
    script.write_text(
        "import pdgcmd, pdgjson\n"
        "item = pdgjson.WorkItem.fromJobEnvironment()\n"
        "print('this is frame', item.frame)\n"
        "item.setFloatAttrib('cost', item.frame * 2)\n"
        "pdgcmd.addOutputFile('__PDG_DIR__/out.%d.txt' % item.frame)\n"
        "open('out.%d.txt' % item.frame, 'w').close()\n"
    )
    cooked = bench.cook(network(SIM.format(size=2, chained=0, command=f"__PDG_PYTHON__ {script}")))
    assert cooked.outcome == "cooked", cooked.messages
    for item in cooked.items("sim"):
        if item.batch is None:
            frame = item.frame or 0.0
            assert (item.attributes or {})["cost"].values == (frame * 2,)
            assert [file.path for file in item.outputs or ()] == [str(tmp_path / f"out.{frame:g}.txt")]
            log = Path(item.ran().log_uri.removeprefix("file://")).read_text()
            assert f"this is frame {frame}" in log
            assert item.ran().started is not None
            assert item.ran().duration


def test_a_declared_output_that_is_missing_fails_its_frame(bench: CookBench) -> None:
    nodes = SIM.format(size=0, chained=0, command="test @pdg_frame = 2 || touch out.@pdg_frame")
    nodes += '    outputs = [{path = "__PDG_DIR__/out.@pdg_frame"}]\n'
    cooked = bench.cook(network(nodes))
    assert by_frame(cooked, "sim") == {1: "CookedSuccess", 2: "CookedFail", 3: "CookedSuccess", 4: "CookedSuccess"}


def test_a_python_script_is_loaded_once_for_its_batch(bench: CookBench, tmp_path: Path) -> None:
    nodes = (
        SIM.format(size=1, chained=0, command="true")
        + """
    [nodes.script]
    type = "pythonscript"
    inputs = ["sim"]
    [nodes.script.parms]
    inprocess = 0
    framesperbatch = 0
    script = '''
    import os
    with open("pids", "a") as stream:
        print(os.getpid(), int(work_item.frame), work_item.batchIndex, file=stream)
    if work_item.frame == 2:
        raise RuntimeError("frame two")
    '''
    """
    )
    cooked = bench.cook(network(nodes))
    lines = [line.split() for line in (tmp_path / "pids").read_text().splitlines()]
    assert len({pid for pid, _, _ in lines}) == 1
    assert [rest for _, *rest in lines] == [["1", "0"], ["2", "1"], ["3", "2"], ["4", "3"]]
    assert by_frame(cooked, "script")[2] == "CookedFail"
    assert list(by_frame(cooked, "script").values()).count("CookedSuccess") == 3


def test_a_canceled_batch_keeps_the_frames_that_were_done(bench: CookBench) -> None:
    context = bench.load(network(SIM.format(size=0, chained=1, command="test @pdg_frame = 1 || sleep 600")))
    second_runs = threading.Event()

    class Watch:
        @hookimpl
        def items_changed(self, changes: Sequence[Change]) -> None:
            if any(item.frame == 2.0 and after.name == "Cooking" for item, _, after, _ in changes):
                second_runs.set()

    cook = bench.start(context, before=lambda cook: cook.observers.add(Watch()))
    assert second_runs.wait(30)
    cook.cancel("enough")
    cooked = bench.finish(context, cook)
    assert cooked.outcome == "canceled"
    assert by_frame(cooked, "sim") == {1: "CookedSuccess", 2: "CookedCancel", 3: "Uncooked", 4: "Uncooked"}


def test_a_command_that_names_its_input_is_put_together_for_each_frame(bench: CookBench, tmp_path: Path) -> None:
    write = "echo @pdg_frame > in.@pdg_frame"
    tell = "__PDG_PYTHON__ __PDG_SCRIPTDIR__/pdgcmd.py addOutputFile __PDG_DIR__/in.@pdg_frame"
    nodes = SIM.format(size=1, chained=0, command=f"{write}; {tell}")
    nodes += """
    [nodes.join]
    type = "genericgenerator"
    inputs = ["sim"]
    [nodes.join.parms]
    framesperbatch = 0
    command = "cat @pdg_input >> all"
    """
    cooked = bench.cook(network(nodes))
    assert cooked.outcome == "cooked", cooked.messages
    assert (tmp_path / "all").read_text().split() == ["1", "2", "3", "4"]


def test_a_python_processor_makes_batches_by_hand(bench: CookBench, tmp_path: Path) -> None:
    nodes = """
    [nodes.hand]
    type = "pythonprocessor"
    [nodes.hand.parms]
    generate = '''
    batch = item_holder.addWorkItem(batch=True, batchOffset=10, batchSize=2)
    item_holder.addWorkItem(parent=batch)
    batch.setCommand('__PDG_PYTHON__ "__PDG_SCRIPTDIR__/runbatch.py"')
    for item in batch.batchItems:
        item.setCommand("echo %d >> indices" % item.index)
    '''
    """
    cooked = bench.cook(network(nodes))
    assert cooked.outcome == "cooked", cooked.messages
    assert (tmp_path / "indices").read_text().split() == ["10", "11", "12"]


def test_wedges_stay_apart_and_a_mistake_is_told(bench: CookBench) -> None:
    nodes = """
    [nodes.wedge]
    type = "genericgenerator"
    [nodes.wedge.parms]
    itemcount = 2
    command = "true"
    [nodes.frames]
    type = "genericgenerator"
    inputs = ["wedge"]
    [nodes.frames.parms]
    framerange = [1, 3, 1]
    framesperbatch = 0
    command = "true"
    """
    cooked = bench.cook(network(nodes))
    assert [len(item.batch.items) for item in cooked.items("frames") if item.batch is not None] == [3, 3]
    refused = bench.cook(network(nodes.replace("framesperbatch = 0", "framesperbatch = -1")))
    assert refused.outcome == "refused"
    assert "0 for all frames in one batch" in str(refused.cook.generation_problems[0])


def test_a_scheduler_that_blocks_tells_of_sub_items_by_index(bench: CookBench) -> None:
    bench.types("blocking", BLOCKING)
    cooked = bench.cook(network(SIM.format(size=3, chained=0, command="x"), scheduler="blocking", parms=""))
    assert cooked.outcome == "cooked", cooked.messages
    subs = [item for item in cooked.items("sim") if item.batch is None]
    assert [item.ran().duration for item in subs] == [2.5] * 4
    assert [file.path for item in subs for file in item.outputs or ()] == ["/out/1", "/out/2", "/out/3", "/out/4"]
    assert all((item.ran().duration or 0.0) >= 0.0 for item in cooked.items("sim"))


def test_batches_are_given_away_statically(bench: CookBench) -> None:
    bench.types("atonce", STATIC)
    nodes = (
        SIM.format(size=2, chained=1, command="x")
        + """
    [nodes.after]
    type = "genericgenerator"
    inputs = ["sim"]
    [nodes.after.parms]
    command = "x"
    """
    )
    cooked = bench.cook(network(nodes, scheduler="atonce", parms=""))
    assert cooked.outcome == "cooked", cooked.messages
    given = cooked.log("local")
    assert "given sim_4 ['sim_1']" in given, "the second batch waits for the first"
    assert "given after_7 ['sim_1']" in given, "what waits for a frame waits for its batch"
    assert "given sim_2" not in given
