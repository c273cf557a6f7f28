"""The environment of a farm's job: what the jobs of a node share is put together once."""

from __future__ import annotations

from typing import Any

from topcook.author.host import host_of, record_of
from topcook.author.jobenvironment import is_usual
from topcook.author.jobparms import JobParms

__all__ = ["JobVariables", "variables_of"]

#: What the wrapper reads from the secret's file, and job files need not hold.
_SECRET = "PDG_RESULT_SECRET"  # noqa: S105 - the name of a variable


def variables_of(scheduler: Any, work_item: Any, prefix: str) -> tuple[dict[str, str], list[str]]:
    """Those that the job is given, but for the secret, and the names of those that it must not have."""
    env: dict[str, str] = {**work_item.environment}
    scheduler.addCommonJobEnvVars(env, work_item)
    env.pop(_SECRET, None)
    if not prefix:
        return env, []
    own, unset = scheduler.resolveEnvParams(prefix, work_item)
    return {**env, **own}, unset


class JobVariables:
    """As ``variables_of``, once for each node: for ``farm_job``, of a scheduler that is given thousands of items.

    Where items may have different ones (they export attributes, their parms vary or replace the item's own variables,
    the scheduler's class overrides what gives them), each is asked for. Make it anew for each cook.
    """

    def __init__(self, scheduler: Any, prefix: str, job_parms: JobParms) -> None:
        """Put nothing together yet."""
        self._scheduler = scheduler
        self._prefix = prefix
        self._job_parms = job_parms
        self._host = host_of(scheduler)
        self._usual = is_usual(type(scheduler))
        #: By node: what its jobs share; ``None`` where that cannot be told from what is an item's own.
        self._by_node: dict[int, tuple[dict[str, str], list[str]] | None] = {}

    def of(self, work_item: Any) -> tuple[dict[str, str], list[str]]:
        """The job's variables, yours to change, and the names of those that it must not have."""
        if not self._usual or work_item.environment or self._job_parms.varies(work_item):
            return variables_of(self._scheduler, work_item, self._prefix)
        record = record_of(work_item)
        node = id(record.node)
        if node not in self._by_node:
            whole, unset = variables_of(self._scheduler, work_item, self._prefix)
            own = self._host.item_environment(record)
            mixed = any(whole.get(name) != value for name, value in own.items())
            shared = {name: value for name, value in whole.items() if name not in own}
            self._by_node[node] = None if mixed else (shared, unset)
            return whole, unset
        known = self._by_node[node]
        if known is None:
            return variables_of(self._scheduler, work_item, self._prefix)
        return {**known[0], **self._host.item_environment(record)}, known[1]
