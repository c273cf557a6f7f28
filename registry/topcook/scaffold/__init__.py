"""What stands around a scheduler file: a first version of it, a network and a test, and a pip-installable project."""

from __future__ import annotations

from topcook.scaffold.installing import Installation, main_file, plan_install, removable, write_atomically
from topcook.scaffold.kind import Kind
from topcook.scaffold.kinds import KINDS
from topcook.scaffold.names import TypeNames, type_names
from topcook.scaffold.packing import Project, dist_name_problem, make_project
from topcook.scaffold.relative import made_relative
from topcook.scaffold.writing import new_network, new_scheduler, new_test

__all__ = [
    "KINDS",
    "Installation",
    "Kind",
    "Project",
    "TypeNames",
    "dist_name_problem",
    "made_relative",
    "main_file",
    "make_project",
    "new_network",
    "new_scheduler",
    "new_test",
    "plan_install",
    "removable",
    "type_names",
    "write_atomically",
]
