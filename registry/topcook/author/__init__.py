"""For those who write schedulers: starting jobs on this machine, reports that know their attempt, cheap job parms.

Everything here works on what a scheduler has in hand, ``self`` and a ``work_item``. A scheduler that is to run in
Houdini as well imports ``pdg`` only; these are for the ones written for Topcook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# Not late: the module and a function in it have one name.
from topcook.author.report import JobReport, report

if TYPE_CHECKING:
    from topcook.author.command import command_argv, split_command
    from topcook.author.detached import SubmittedCook, cook_command, cook_detached, submitted_cook
    from topcook.author.grace import grace_of
    from topcook.author.host import attempt_token, limit_in_flight, log_to_scheduler
    from topcook.author.jobenvironment import JobEnvironments, has_data
    from topcook.author.jobparms import JobParms, ParmRow, parm_defaults, parm_template
    from topcook.author.limits import job_limits, memory_size
    from topcook.author.local import LocalJob, end_server, local_jobs
    from topcook.author.tracebacks import traceback_text
    from topcook.contract.batches import Batches
    from topcook.contract.fields import TextFields
    from topcook.contract.host import JobEnd, JobKeeper, JobLimits
    from topcook.contract.itemgraph import add_item_graph
    from topcook.contract.taskscript import TaskScript
    from topcook.model.filestem import file_stem
    from topcook.model.graphfile.itemgraph import read_item_graph

__all__ = [
    "Batches",
    "JobEnd",
    "JobEnvironments",
    "JobKeeper",
    "JobLimits",
    "JobParms",
    "JobReport",
    "LocalJob",
    "ParmRow",
    "SubmittedCook",
    "TaskScript",
    "TextFields",
    "add_item_graph",
    "attempt_token",
    "command_argv",
    "cook_command",
    "cook_detached",
    "end_server",
    "file_stem",
    "grace_of",
    "has_data",
    "job_limits",
    "limit_in_flight",
    "local_jobs",
    "log_to_scheduler",
    "memory_size",
    "parm_defaults",
    "parm_template",
    "read_item_graph",
    "report",
    "split_command",
    "submitted_cook",
    "traceback_text",
]
_HOMES = {
    "author.command": (
        "command_argv",
        "split_command",
    ),
    "author.detached": (
        "SubmittedCook",
        "cook_command",
        "cook_detached",
        "submitted_cook",
    ),
    "author.grace": ("grace_of",),
    "author.host": (
        "attempt_token",
        "limit_in_flight",
        "log_to_scheduler",
    ),
    "author.jobenvironment": (
        "JobEnvironments",
        "has_data",
    ),
    "author.jobparms": (
        "JobParms",
        "ParmRow",
        "parm_defaults",
        "parm_template",
    ),
    "author.limits": (
        "job_limits",
        "memory_size",
    ),
    "author.local": (
        "LocalJob",
        "end_server",
        "local_jobs",
    ),
    "author.tracebacks": ("traceback_text",),
    "contract.batches": ("Batches",),
    "contract.fields": ("TextFields",),
    "contract.host": (
        "JobEnd",
        "JobKeeper",
        "JobLimits",
    ),
    "contract.itemgraph": ("add_item_graph",),
    "contract.taskscript": ("TaskScript",),
    "model.filestem": ("file_stem",),
    "model.graphfile.itemgraph": ("read_item_graph",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """What is loaded when it is asked for: a scheduler that starts no jobs here needs little of it."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"topcook.{_HOME_OF[name]}"), name)
    return found


def __dir__() -> list[str]:
    """Every name, those loaded late included."""
    return sorted(__all__)
