"""The names of the files that a work item has: its data, its log."""

from __future__ import annotations

from zlib import crc32

__all__ = ["file_stem"]


def file_stem(name: str) -> str:
    """A work item's name as that of a file, without its ending; distinct for distinct names.

    It is the name itself where that can name a file, else one like it with a number behind. Jobs find their data by the
    same rule (``pdgjob``).
    """
    flat = name.replace("/", "_").replace("\\", "_")
    return flat if flat == name else f"{flat}-{crc32(name.encode('utf-8', 'surrogatepass')):08x}"
