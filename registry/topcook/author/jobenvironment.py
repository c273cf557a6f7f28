"""The environment of a local job in two parts: what the jobs of a node share, and what is the item's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from topcook.author.host import host_of, record_of
from topcook.author.jobparms import JobParms
from topcook.contract.expressions import input_files
from topcook.contract.scheduler_environment import SchedulerEnvironment


class JobEnvironments:
    """Environments by the conventions of job parms, put together once for each node.

    ``of(work_item)`` answers with ``(base, own)`` for ``LocalJob``: together they are what ``resolveBaseEnvironment``
    and ``addCommonJobEnvVars`` give. Where they may give something else for each item (the item exports attributes,
    its parms vary, the scheduler's class overrides them), they are asked for each, and ``base`` is ``None``.
    Make it anew for each cook.
    """

    def __init__(self, scheduler: Any, prefix: str, job_parms: JobParms) -> None:
        """Put nothing together yet."""
        self._scheduler = scheduler
        self._prefix = prefix
        self._job_parms = job_parms
        self._host = host_of(scheduler)
        self._by_node: dict[int, dict[str, str]] = {}
        self._starts: dict[int, dict[str, str]] = {}
        self._usual = is_usual(type(scheduler))

    def of(self, work_item: Any) -> tuple[Mapping[str, str] | None, dict[str, str]]:
        """What is shared, not to be changed, and what is the item's own and yours."""
        exported = work_item.environment
        varies = self._job_parms.varies(work_item)
        if exported or varies or not self._usual:
            return None, self._whole(work_item, exported, varies=varies)
        record = record_of(work_item)
        own = self._host.item_environment(record)
        base = self._by_node.get(id(record.node))
        if base is None:
            whole = self._whole(work_item, exported, varies=False)
            base = self._by_node[id(record.node)] = {name: value for name, value in whole.items() if name not in own}
        return base, own

    def _whole(self, work_item: Any, exported: Mapping[str, str], *, varies: bool) -> dict[str, str]:
        key = id(record_of(work_item).node)
        start = None if varies else self._starts.get(key)
        if start is None:
            start = self._scheduler.resolveBaseEnvironment(self._prefix, None, work_item)
            if not varies:
                self._starts[key] = start
        whole = {**start, **exported}
        self._scheduler.addCommonJobEnvVars(whole, work_item)
        return whole


def is_usual(cls: type) -> bool:
    """Whether a scheduler's class leaves what jobs have in their environment as it is."""
    return all(
        getattr(cls, name) is getattr(SchedulerEnvironment, name)
        for name in ("addCommonJobEnvVars", "resolveBaseEnvironment", "resolveEnvParams", "resolvePathMapping")
    )


def has_data(work_item: Any) -> bool:
    """Whether a job could learn from its item's data file what its variables do not tell: attributes, files, a frame.

    A job of an item without may be started without a data file and with ``PDG_ITEM_DATA_SOURCE`` = 1: ``pdgjson`` then
    asks the cook.
    """
    item = record_of(work_item)
    return bool(
        item.attributes
        or item.outputs
        or item.expected_outputs
        or item.batch is not None
        or item.batch_parent is not None
        or item.frame is not None
        or (item.dependencies and input_files(item))
    )
