"""What stands around a scheduler file: a first version of it, a network and a test, and a pip-installable project."""

from __future__ import annotations

from topcook.scaffold.kind import Kind
from topcook.scaffold.kinds import KINDS
from topcook.scaffold.names import TypeNames, type_names
from topcook.scaffold.writing import new_network, new_scheduler, new_test

__all__ = ["KINDS", "Kind", "TypeNames", "new_network", "new_scheduler", "new_test", "type_names"]
