"""In-process items on a farm whose workers stay: their Python runs on a worker instead of here.

The job of such an item is a ``FarmJob`` whose spec has ``python`` in the place of ``argv``; on the worker
``pythonjob.PythonJob(spec, guard).run()`` runs it (``pythonjob.py`` lies beside ``jobwrapper.py``).
"""

from __future__ import annotations

import ast
from typing import Any

from topcook.author.farm.job import FarmJob, farm_job
from topcook.author.host import host_of, record_of
from topcook.contract.parsing import parse
from topcook.contract.taskscript import TaskScript
from topcook.errors import TopcookError

__all__ = ["accept_python", "python_job"]


def accept_python(scheduler: Any, *, accept: bool = True) -> None:
    """In ``onStart``: say that in-process items may be handed over whose Python their node type gives as text.

    The others are cooked where they are without this: by the network's in-process scheduler.
    """
    host_of(scheduler).accept_in_process(accept=accept, as_text=True)


def python_job(scheduler: Any, work_item: Any, *, here: str = "", **how: Any) -> FarmJob:
    """Make a job of an in-process item, as ``farm_job`` does of one with a command; ``how`` are its options.

    ``here``: what to type to cook the item in this process, for an error that comes of the other one. Raises what the
    node raises when its Python cannot be read.
    """
    record = record_of(work_item)
    node = work_item.services.node_instance(record.node)
    script: TaskScript = node.taskScript(work_item)
    job = farm_job(scheduler, work_item, command="", **how)
    del job.spec["argv"]
    job.spec["python"] = {
        "text": script.text,
        "path": script.path,
        "line": script.line,
        "body": script.body,
        "node": record.node.name,
        "parms": _parms(node, work_item, script.text) if _speaks_of_itself(script.text) else {},
        "here": here,
    }
    return job


def _speaks_of_itself(text: str) -> bool:
    try:
        tree = parse(text)
    except (SyntaxError, ValueError):
        # Told by whoever runs it, with its place.
        return False
    return any(isinstance(each, ast.Name) and each.id == "self" for each in ast.walk(tree))


def _parms(node: Any, work_item: Any, script: str) -> dict[str, Any]:
    """The node's parms, evaluated for the item; those that are secret stay here."""
    found: dict[str, Any] = {}
    for parm in node.record.parms:
        if parm.spec.secret:
            continue
        try:
            value = node.parameter(parm.name).evaluate(work_item)
        except TopcookError:
            # It speaks of what this item does not have; nobody may want it.
            continue
        if value != script:
            found[parm.name] = value
    return found
