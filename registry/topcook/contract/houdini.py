"""Names that files import but that only mean something inside Houdini; using one says so."""

from __future__ import annotations

from typing import Any, NoReturn


def createProcessJob(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises ``NotImplementedError``: a process job is run by Houdini's own local scheduler."""
    raise NotImplementedError(
        "createProcessJob starts a job inside Houdini's local scheduler\n"
        "    start local jobs with topcook.author, as pdg_types/localscheduler.py does"
    )


def createHarsServer(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises ``NotImplementedError``: HARS is a Houdini Engine session."""
    raise NotImplementedError("createHarsServer starts a Houdini Engine session; there is no Houdini here")
