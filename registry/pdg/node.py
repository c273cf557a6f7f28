"""``pdg.node``."""

from __future__ import annotations

from topcook.contract.node import Node
from topcook.contract.nodebase import PyNode

__all__ = ["Node", "PyNode"]
