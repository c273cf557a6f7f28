"""How limits on memory and CPUs of local jobs are held on this machine, in words."""

from __future__ import annotations

import os

from topcook.runtime.keeper.program.cgroups import CPU, MEMORY, find_home

__all__ = ["LIMIT_PARMS", "limits_by"]

#: The job parms of the local scheduler that set them.
LIMIT_PARMS = frozenset({"local_memory", "local_cpus", "local_cputime"})


def limits_by() -> str:
    """One line: by cgroups, for all processes of a job together, or by what the system offers single processes."""
    home, controllers = find_home()
    if controllers >= {MEMORY, CPU}:
        return f"limits hold for all processes of a job together (cgroups in {home})"
    bound = "CPUs by binding to them" if hasattr(os, "sched_setaffinity") else "CPUs not at all"
    if controllers:
        held, other = ("memory", bound) if MEMORY in controllers else ("CPUs", "memory for each process by itself")
        return f"{held} is held for all processes of a job together (cgroups in {home}), {other}"
    return f"no cgroup can be made here: memory and CPU time hold for each process by itself, {bound}"
