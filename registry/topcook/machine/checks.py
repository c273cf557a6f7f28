"""The machine's invariants, counted again from scratch; for tests, and for whoever doubts a count."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from topcook.errors import InternalError
from topcook.machine.phases import DONE_WELL, HELD, IN_PLAY, LOST, STATE_OF, Phase
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from topcook.machine.items import Items
    from topcook.machine.nodes import NodeState
    from topcook.machine.schedulers import SchedulerState
    from topcook.model.workitem import Batch, WorkItem


def check(state: Items, *, looked: bool) -> None:
    """Raise ``InternalError`` for the first count or place that is wrong; ``looked``: every node has been looked at."""
    for item in state.all_items():
        _check_item(item)
    _same("unsettled items of the cook", state.unsettled, sum(node.unsettled for node in state.nodes.values()))
    _same("incomplete nodes", state.incomplete, sum(not node.complete for node in state.nodes.values()))
    static = (node for node in state.nodes.values() if node.static)
    _same("incomplete static nodes", state.incomplete_static, sum(not node.complete for node in static))
    _same("generation calls", state.calls, sum(node.calls for node in state.nodes.values()))
    for node in state.nodes.values():
        _check_node(node, looked=looked)
    jobs = [item for item in state.all_items() if item.batch_parent is None]
    held = Counter(item.scheduler for item in jobs if item.phase in HELD)
    for scheduler in state.schedulers.values():
        _same(f'items that "{scheduler.name}" holds', scheduler.in_flight, held[scheduler.name])
        _check_queue(scheduler, [item for item in jobs if item.scheduler == scheduler.name])
    if state.resources is not None:
        state.resources.check(item for item in jobs if item.phase in HELD)
    lost = [item for item in jobs if item.phase == Phase.DELAYED and item.id not in state.delayed]
    if lost:
        raise InternalError(f"nobody waits for the next attempt of {lost}")


def _same(what: str, counted: int, found: int) -> None:
    if counted != found:
        raise InternalError(f"{what}: counted {counted}, found {found}")


def _check_item(item: WorkItem) -> None:
    phase = Phase(item.phase)
    pending = sum(dependency.phase not in DONE_WELL for dependency in item.dependencies)
    if phase in {Phase.WAITING, Phase.READY}:
        _same(f"pending dependencies of {item!r}", item.pending, pending)
    wrong = [
        why
        for why, is_so in {
            "shows another state": item.state is not STATE_OF[phase],
            "waits for nothing": phase is Phase.WAITING and not pending and item.batch is None,
            "was offered apart from its batch": item.batch_parent is not None and phase is Phase.HANDING_OVER,
            "went on before what it depends on": phase in {Phase.READY, Phase.HANDING_OVER} and pending > 0,
            "is held in no attempt": phase in HELD and item.attempt < 1,
            "was offered, and nobody cooks it": bool(item.traits & Trait.AUTOMATIC)
            and (phase in HELD or phase is Phase.READY),
        }.items()
        if is_so
    ]
    if wrong:
        raise InternalError(f"{item!r}, {phase.name}, {' and '.join(wrong)}")
    if item.batch is not None:
        _check_batch(item, item.batch)


def _check_batch(item: WorkItem, batch: Batch) -> None:
    phases = [Phase(sub.phase) for sub in batch.items]
    _same(f"waiting sub-items of {item!r}", batch.waiting, phases.count(Phase.WAITING))
    _same(f"ready sub-items of {item!r}", batch.ready, phases.count(Phase.READY))
    _same(f"sub-items of {item!r} that are looked up", batch.checking, phases.count(Phase.CHECKING))
    _same(f"lost sub-items of {item!r}", batch.lost, sum(phase in LOST for phase in phases))
    open_ones = sum(phase in IN_PLAY for phase in phases)
    if open_ones and item.phase not in IN_PLAY:
        raise InternalError(f"{item!r} is settled, and {open_ones} of its sub-items are not")
    if item.phase not in HELD and any(phase in HELD for phase in phases):
        raise InternalError(f"nobody holds {item!r}, and yet some of its sub-items")


def _check_node(node: NodeState, *, looked: bool) -> None:
    name = node.node.name
    _same(f'unsettled items of "{name}"', node.unsettled, sum(item.phase in IN_PLAY for item in node.node.items))
    _same(f'open inputs of "{name}"', node.open_inputs, sum(not each.complete for each in node.inputs))
    _same(f'loud inputs of "{name}"', node.loud_inputs, sum(not each.quiet for each in node.inputs))
    if looked:
        _same(f'"{name}" is quiet', node.quiet, node.complete and not node.unsettled)


def _check_queue(scheduler: SchedulerState, items: list[WorkItem]) -> None:
    name = scheduler.name
    queued = Counter(item.id for item in [*scheduler.queued(), *scheduler.deferred])
    for item in items:
        if item.phase == Phase.READY:
            _same(f'places of {item!r} in the queue of "{name}"', queued[item.id], 1)
        if item.phase == Phase.HANDING_OVER:
            _same(f'calls of "{name}" for {item!r}', item.id in scheduler.calls, 1)
    if scheduler.calls and scheduler.static_call:
        raise InternalError(f'"{name}" has calls of both kinds')
    if scheduler.offered < len(scheduler.calls):
        raise InternalError(f'"{name}": {scheduler.offered} offers since the last tick, but {len(scheduler.calls)} out')
