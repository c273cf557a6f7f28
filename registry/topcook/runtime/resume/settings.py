"""How a cook looks at the one before it."""

from __future__ import annotations

from topcook.lean import dataclass

#: How files are compared: by size and time, by content, not at all.
FILE_MODES = ("mtime", "hash", "off")


@dataclass(frozen=True, slots=True)
class Settings:
    """``resume``: the same cook goes on; otherwise another one uses it as a cache.

    ``files`` is one of ``FILE_MODES``. ``retry_failed``: of a cook that goes on, cook again what failed.
    ``accept_version``: it goes on though types are other versions than those it began with. ``cook`` is its id, empty
    for the last one of its network.
    """

    resume: bool = False
    files: str = "mtime"
    retry_failed: bool = False
    accept_version: bool = False
    cook: str = ""
