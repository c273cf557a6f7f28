"""Any network, any kills, edits and missing files: each resume cooks what it has to, and nothing else.

Whole cooks with journal, memory and machine, in this process; a farm that outlives them; a kill is a journal that stops
in the middle. The model knows what the farm has done, and in which order; nothing else is needed to tell what is right.
"""

from __future__ import annotations

import sys
import tempfile
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from topcook.author import attempt_token
from topcook.errors import CookRefusedError, RecorderError
from topcook.model.states import SUCCESSFUL, WorkItemState
from topcook.runtime.cook import Cook
from topcook.runtime.journal import Past
from topcook.runtime.recorder import Recorder
from topcook.runtime.resume import Settings
from topcook.runtime.statedir import journal_of
from topcook.testkit.recookbench import RecookBench

WORLD = "topcook_tests_farm"
TYPES = """
import sys

import pdg
from pdg.scheduler import PyScheduler


def farm():
    return sys.modules["WORLD"].farm


class Farm(PyScheduler):
    def onSchedule(self, work_item):
        return getattr(pdg.scheduleResult, farm().submit(self, work_item))

    def onTick(self):
        farm().tick(self)
        return pdg.tickResult.SchedulerReady

    def onAdoptWorkItems(self, jobs):
        return farm().adopt(jobs)

    def onCancelWorkItems(self, work_items, node):
        farm().cancel(self, work_items)

    def onStopCook(self, cancel):
        farm().stop(cancel)
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, name="farm")
""".replace("WORLD", WORLD)


@dataclass
class Job:
    """A job of the farm; ``item`` is the id of its work item while somebody asks for it."""

    name: str
    command: str
    item: int | None
    state: str = "runs"


@dataclass
class Farm:
    """Runs jobs, whoever cooks; ``effects`` are the ends that were good, by name: when, and by which command."""

    folder: Path
    lot: Random = field(default_factory=Random)
    jobs: dict[str, Job] = field(default_factory=dict)
    effects: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    clock: int = 0
    cut_off: bool = False
    failures: float = 0.0
    submitted: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    # ------------------------------------------------------------------ what its scheduler calls

    def submit(self, scheduler: Any, item: Any) -> str:
        if self.cut_off:
            return "FullDeferred"
        name, token = f"{item.node.name}_{item.index}", attempt_token(scheduler, item)
        if self.lot.random() < 0.2:
            return self.lot.choice(["Deferred", "FullDeferred"])
        if token in self.jobs:
            self.wrong.append(f"{token} of {name} was given twice")
        if any(job.name == name and job.state == "runs" for job in self.jobs.values()):
            self.wrong.append(f"{name} runs already, and {token} was given")
        job = self.jobs[token] = Job(name, scheduler.expandCommandTokens(item.command, item), item.id)
        self.submitted.append(name)
        if self.lot.random() < 0.4:
            return "Succeeded"
        self.end(job)
        job.item = None
        return "CookSucceeded" if job.state == "good" else "CookFailed"

    def tick(self, scheduler: Any) -> None:
        asked = [job for job in self.jobs.values() if job.item is not None]
        for job in [] if self.cut_off else asked:
            if job.state == "runs" and self.lot.random() < 0.5:
                self.end(job)
            if job.state == "runs":
                continue
            tell = scheduler.onWorkItemSucceeded if job.state == "good" else scheduler.onWorkItemFailed
            tell(job.item, -1, *([0.0] if job.state == "good" else []))
            job.item = None

    def adopt(self, jobs: Iterable[tuple[Any, str, str]]) -> list[Any]:
        taken = []
        for item, token, _ in jobs:
            job = self.jobs.get(token)
            if job is not None and job.state != "canceled":
                job.item = item.id
                taken.append(item)
        return taken

    def cancel(self, scheduler: Any, items: Iterable[Any]) -> None:
        wanted = {item.id for item in items}
        for job in self.jobs.values():
            if job.item in wanted and job.state == "runs" and not self.cut_off:
                job.state = "canceled"
                scheduler.onWorkItemCanceled(job.item, -1)
                job.item = None

    def stop(self, cancel: bool) -> None:
        for job in self.jobs.values():
            if not self.cut_off and cancel and job.state == "runs":
                job.state = "canceled"
            job.item = None

    # ------------------------------------------------------------------ what it does

    def end(self, job: Job) -> None:
        self.clock += 1
        if self.lot.random() < self.failures:
            job.state = "failed"
            return
        job.state = "good"
        self.effects.setdefault(job.name, []).append((self.clock, job.command))
        (self.folder / "out").mkdir(exist_ok=True)
        (self.folder / "out" / job.name).write_text(f"{self.clock} {job.command}")

    def work_on(self) -> None:
        """Nobody asks; jobs end all the same."""
        for job in self.jobs.values():
            if job.state == "runs" and self.lot.random() < 0.5:
                self.end(job)

    def last(self, name: str) -> tuple[int, str]:
        """When, and by which command, an item's last good end was."""
        return self.effects[name][-1] if name in self.effects else (0, "")


class Stopping:
    """A recorder whose cook is killed at a commit, or canceled there."""

    def __init__(self, recorder: Recorder, cook: Cook, farm: Farm, kill_at: int, cancel_at: int) -> None:
        self._recorder, self._cook, self._farm = recorder, cook, farm
        self._kill_at, self._cancel_at = kill_at, cancel_at
        self._count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._recorder, name)

    def commit(self, *what: Any) -> None:
        self._count += 1
        if self._count == self._cancel_at:
            self._cook.cancel()
        if self._kill_at and self._count >= self._kill_at:
            self._farm.cut_off = True
            raise RecorderError("killed")
        self._recorder.commit(*what)

    def close(self, outcome: str = "") -> bool:
        return self._recorder.close("" if self._farm.cut_off else outcome)


@dataclass
class Node:
    """A node of the network: ``revision`` is part of its command."""

    name: str
    inputs: list[str]
    count: int
    outputs: bool
    gathers: bool
    revision: int = 1


class AnyPast(RuleBasedStateMachine):
    """One network, cooked again and again."""

    @initialize(seed=st.integers(0, 2**32 - 1))
    def make_network(self, seed: int) -> None:
        lot = Random(seed)
        nodes: list[Node] = []
        for index in range(lot.randint(1, 5)):
            names = [node.name for node in nodes]
            inputs = lot.sample(names, min(len(names), lot.choice([0, 1, 1, 2])))
            # Of two inputs, items of one number would come twice.
            gathers = len(inputs) > 1 or (bool(inputs) and lot.random() < 0.4)
            nodes.append(Node(f"n{index}", inputs, lot.randint(1, 3), lot.random() < 0.6, gathers))
        self.begin(nodes, lot)

    def begin(self, nodes: list[Node], lot: Random) -> None:
        self.nodes, self.lot = nodes, lot
        self.place = tempfile.TemporaryDirectory(prefix="topcook-any-past-")
        folder = Path(self.place.name)
        (folder / "types").mkdir()
        (folder / "types" / "farm.py").write_text(TYPES)
        self.bench = RecookBench(folder)
        self.farm = Farm(folder, self.lot)
        module = types.ModuleType(WORLD)
        module.farm = self.farm  # type: ignore[attr-defined]
        sys.modules[WORLD] = module
        #: What each item depends on, by name, as the last cook told.
        self.needs: dict[str, list[str]] = {}
        self.ids: dict[str, int] = {}
        self.cook_id = ""
        self.states: dict[str, WorkItemState] = {}

    def network(self) -> str:
        parts = ['[network]\nname = "net"\nscheduler = "farm"\n[schedulers.farm]\ntype = "farm"\n']
        parts.append('parms = { pdg_workingdir = "$HIP/work", pdg_tickperiod = 0.005, pdg_maxtasks = 2 }\n')
        for node in self.nodes:
            inputs = [f"{node.name}_all"] if node.gathers else node.inputs
            if node.gathers:
                parts.append(f'[nodes.{node.name}_all]\ntype = "waitforall"\ninputs = {node.inputs!r}\n')
            parts.append(f'[nodes.{node.name}]\ntype = "genericgenerator"\ninputs = {inputs!r}\n')
            count = "" if node.inputs else f"itemcount = {node.count}\n"
            outputs = f'outputs = [ {{ path = "$HIP/out/{node.name}_@pdg_index" }} ]\n' if node.outputs else ""
            parts.append(
                f'[nodes.{node.name}.parms]\ncommand = "make {node.name} {node.revision} @pdg_index"\n{count}{outputs}'
            )
        return "".join(parts)

    # ------------------------------------------------------------------ what happens between cooks

    @precondition(lambda self: self.cook_id)
    @rule()
    def edit(self) -> None:
        self.lot.choice(self.nodes).revision = self.lot.randint(1, 3)

    @precondition(lambda self: self.cook_id)
    @rule()
    def lose_an_output(self) -> None:
        files = sorted((self.farm.folder / "out").glob("*"))
        if files:
            self.lot.choice(files).unlink()

    @precondition(lambda self: self.cook_id)
    @rule()
    def jobs_go_on(self) -> None:
        self.farm.work_on()

    @precondition(lambda self: self.cook_id)
    @rule()
    def the_farm_forgets(self) -> None:
        for job in self.farm.jobs.values():
            if job.state == "failed":
                job.state = "canceled"

    # ------------------------------------------------------------------ cooks

    @rule(kill_at=st.integers(1, 25))
    def cook_and_kill(self, kill_at: int) -> None:
        self.cook(resume=bool(self.cook_id), kill_at=kill_at)

    @rule(cancel_at=st.integers(1, 25))
    def cook_and_cancel(self, cancel_at: int) -> None:
        self.cook(resume=bool(self.cook_id), cancel_at=cancel_at)

    @rule(fails=st.booleans(), retry=st.booleans())
    def cook_to_the_end(self, fails: bool, retry: bool) -> None:
        self.cook(resume=bool(self.cook_id), failures=0.3 * fails, retry=retry)

    @precondition(lambda self: self.cook_id and not any(job.state == "runs" for job in self.farm.jobs.values()))
    @rule(fails=st.booleans())
    def cook_anew(self, fails: bool) -> None:
        self.cook(resume=False, failures=0.3 * fails)

    def cook(
        self, *, resume: bool, kill_at: int = 0, cancel_at: int = 0, failures: float = 0.2, retry: bool = False
    ) -> None:
        farm = self.farm
        farm.cut_off, farm.failures, farm.submitted = False, failures, []
        gone = {node.name for node in self.nodes if node.outputs}
        missing = {
            name
            for name in farm.effects
            if name.rpartition("_")[0] in gone and not (farm.folder / "out" / name).exists()
        }
        stale = {name for name in self.states if self.is_stale(name)}
        cooks: list[Cook] = []

        def before(cook: Cook) -> None:
            cooks.append(cook)
            cook.recorder = Stopping(cook.recorder, cook, farm, kill_at, cancel_at)

        try:
            self.bench.cook(self.network(), Settings(resume=resume, retry_failed=retry), before)
        except CookRefusedError:
            assert resume
            assert not self.states
            self.cook_id = ""
            return
        except RecorderError:
            assert farm.cut_off
        [cook] = cooks
        assert not farm.wrong, farm.wrong
        self.check_what_ran(cook, resume, retry, missing, stale)
        self.cook_id = cook.cook_id
        self.read_journal(resume)
        if cook.outcome == "cooked" and not farm.cut_off:
            self.check_all_is_done(cook)

    def is_stale(self, name: str) -> bool:
        """Whether an item's last effect is not what it would do now, or was made of what has changed since."""
        made, command = self.farm.last(name)
        return command != self.command(name) or any(self.farm.last(each)[0] > made for each in self.needs.get(name, ()))

    def command(self, name: str) -> str:
        node = next(node for node in self.nodes if node.name == name.rpartition("_")[0])
        return f"make {node.name} {node.revision} {name.rpartition('_')[2]}"

    def check_what_ran(self, cook: Cook, resume: bool, retry: bool, missing: set[str], stale: set[str]) -> None:
        """Nothing was cooked again that had no reason."""
        self.needs |= {_name(item): list(_real(item)) for item in cook.state.all_items() if item.command}
        ran = set(self.farm.submitted)
        for name in ran:
            state = self.states.get(name, WorkItemState.Waiting)
            had_reason = (
                (state not in SUCCESSFUL and not (state is WorkItemState.CookedFail and resume and not retry))
                or name in missing | stale
                or bool(ran & set(self.needs[name]))
                or not (resume or self.node_of(name).outputs)
            )
            assert had_reason, f"{name} was {state.name} and ran again: {self.needs[name]}"

    def node_of(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name.rpartition("_")[0])

    def read_journal(self, resume: bool) -> None:
        """What was committed is what the farm has done, and items are who they were."""
        with Past.open(journal_of(self.cook_id)) as past:
            items = [item for item in past.items() if item.node in {node.name for node in self.nodes}]
        names = {f"{item.node}_{item.index}": item for item in items}
        if resume:
            changed = {name for name, item in names.items() if self.ids.get(name, item.id) != item.id}
            assert not changed, f"other ids than before: {changed}"
        self.ids = {name: item.id for name, item in names.items()}
        self.states = {name: item.state for name, item in names.items()}
        for name, state in self.states.items():
            assert state not in SUCCESSFUL or name in self.farm.effects, f"{name} never ran, and is {state.name}"

    def check_all_is_done(self, cook: Cook) -> None:
        """Each item has been made as it would be now, of what its inputs are now, and its output is there."""
        for item in cook.state.all_items():
            if not item.command:
                continue
            name = _name(item)
            assert item.state in SUCCESSFUL
            made, command = self.farm.last(name)
            assert command == self.command(name), f"{name} was made by {command!r}"
            later = [each for each in self.needs[name] if self.farm.last(each)[0] > made]
            assert not later, f"{name} was made before {later}"
            assert not self.node_of(name).outputs or (self.farm.folder / "out" / name).exists()

    def teardown(self) -> None:
        if hasattr(self, "place"):
            # Whatever has gone wrong by now is told already.
            if self.cook_id and not self.farm.wrong:
                self.cook(resume=True, failures=0.0, retry=True)
                assert all(state in SUCCESSFUL for state in self.states.values()), self.states
            self.place.cleanup()


def _name(item: Any) -> str:
    return f"{item.node.name}_{item.index}"


def _real(item: Any) -> Iterator[str]:
    """The names of the items with commands that one depends on, through those without."""
    for needed in item.dependencies:
        if needed.command:
            yield _name(needed)
        else:
            yield from _real(needed)


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Journals of their own, and no farm is left behind."""
    monkeypatch.setenv("TOPCOOK_STATE_DIR", str(tmp_path / "state"))
    yield
    sys.modules.pop(WORLD, None)


def run(examples: int, steps: int) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        AnyPast,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.fixture
def two_nodes() -> Iterator[AnyPast]:
    """Four items without outputs, and four with outputs behind them, cooked well."""
    past = AnyPast()
    past.begin(
        [Node("n0", [], 4, outputs=False, gathers=False), Node("n1", ["n0"], 0, outputs=True, gathers=False)], Random(1)
    )
    past.cook(resume=False, failures=0.0)
    yield past
    past.teardown()


@pytest.mark.parametrize("kill_at", range(1, 20, 3))
def test_what_was_edited_is_cooked_although_the_first_to_see_that_was_killed_before_it_was_handed_over(
    two_nodes: AnyPast, kill_at: int
) -> None:
    two_nodes.node_of("n1_0").revision = 2
    two_nodes.cook(resume=True, failures=0.0, kill_at=kill_at)
    two_nodes.cook(resume=True, failures=0.0)


@pytest.mark.parametrize("cancel_at", range(1, 6))
def test_what_was_done_stays_done_for_who_goes_on_after_a_cook_that_was_canceled_before_it_had_looked(
    two_nodes: AnyPast, cancel_at: int
) -> None:
    two_nodes.cook(resume=True, cancel_at=cancel_at)
    two_nodes.cook(resume=True, failures=0.0)
    assert not two_nodes.farm.submitted


def test_what_depends_on_items_without_outputs_cooks_again_with_these(two_nodes: AnyPast) -> None:
    two_nodes.node_of("n0_0").revision = 2
    two_nodes.cook(resume=True, failures=0.0)
    assert len(two_nodes.farm.submitted) == 8


def test_whatever_happened_a_resume_cooks_what_it_has_to_and_nothing_else() -> None:
    run(6, 6)


@pytest.mark.fuzz
def test_whatever_happened_a_resume_cooks_what_it_has_to_and_nothing_else_at_length() -> None:
    run(25, 15)
