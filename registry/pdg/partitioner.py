"""``pdg.partitioner``."""

from __future__ import annotations

from topcook.contract.partitioner import PyPartitioner

__all__ = ["PyPartitioner"]
