"""A whole network as one task, which nobody waits for."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from topcook.author import JobParms, submitted_cook
from topcook.author.farm import prepare_farm
from topcook_dask.connect import Connection, connect
from topcook_dask.options import JOB_PARMS, PREFIX, task_options
from topcook_dask.session import Session
from topcook_dask.settings import Settings
from topcook_dask.tasks import WorkerCode

__all__ = ["network_end", "submit_network"]

#: The parms by which a cluster that runs is found again.
_WAY = ("address", "schedulerfile", "tlsca", "tlscert", "tlskey")


def submit_network(
    scheduler: Any, reopen: Callable[[], Connection], graph_file: str, node_path: str
) -> tuple[str, str]:
    """Submit it; where its status is, and its key. Raises ``ConnectError``, ``EngineError``, ``OSError``.

    ``NotImplementedError`` where the cluster would end with this program.
    """
    session = Session(reopen, lambda _event: None, scheduler.cookWarning)
    try:
        if session.connection.owned:
            raise NotImplementedError(
                "the cluster would end with this program\n"
                f"    name one that runs: --parm {scheduler.name}.dask_address=ADDRESS"
            )
        prepare_farm(scheduler)
        code = WorkerCode(str(scheduler.scriptDir(True)), str(scheduler.scriptDir(False)))
        name = f"{Path(graph_file).stem}-{secrets.token_hex(4)}"
        # It finds types where this program does: what they are in is shared.
        env = {each: os.environ[each] for each in ("PDG_TYPES_PATH", "PYTHONPATH") if os.environ.get(each)}
        cook = submitted_cook(scheduler, graph_file, node_path, "Dask")
        text = code.call("cook", name, list(cook.command), str(scheduler.workingDir(False)), cook.log, env)
        values = JobParms(scheduler, PREFIX, JOB_PARMS).own()
        key = f"topcook_submit-{name}"
        session.submit(task_options(values), [key], [text])
        session.keep([key])
        cook.is_job(scheduler, key, **{name: scheduler[f"{PREFIX}_{name}"].evaluateString() for name in _WAY})
        return cook.status_uri, key
    finally:
        session.close()


def network_end(key: str, way: Mapping[str, str]) -> str:
    """Why the task of a whole network will do nothing more; empty while it may.

    Raises ``ConnectError`` and ``EngineError`` where Dask cannot be asked.
    """
    named: dict[str, Any] = {name: way.get(name, "") for name in _WAY}
    session = Session(lambda: connect(Settings(**named)), lambda _event: None, lambda _text: None)
    try:
        state = session.states([key]).get(key)
    finally:
        session.close()
    return state.why_over if state is not None else "Dask does not know it any more"
