"""The door of probing as the scan knows it."""

from __future__ import annotations

from topcook.factory.hooks import TypesHook
from topcook.factory.probing.examine import examine
from topcook.factory.records import Record
from topcook.factory.sources import Candidate
from topcook.factory.typeregistry import TypeRegistry

__all__ = ["probe"]


def probe(candidate: Candidate, registry: TypeRegistry, hook: TypesHook) -> list[Record]:
    """The records of a candidate, never empty; only Ctrl-C goes through."""
    return examine(candidate, registry, hook, through=(KeyboardInterrupt,)).live
