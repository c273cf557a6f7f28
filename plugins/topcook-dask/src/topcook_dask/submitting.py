"""A whole network as one task, which nobody waits for."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from topcook.author import JobParms, submitted_cook
from topcook.author.farm import prepare_farm
from topcook_dask.connect import Connection
from topcook_dask.options import JOB_PARMS, PREFIX, task_options
from topcook_dask.session import Session
from topcook_dask.tasks import WorkerCode

__all__ = ["submit_network"]


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
        return cook.status_uri, key
    finally:
        session.close()
