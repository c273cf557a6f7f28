"""``import pdgd``: Houdini's data layer server, of which Topcook has none.

Files import it and use it only when their data layer parms are set; any use raises ``CookError``.
"""

from __future__ import annotations

from typing import Any

from topcook.errors import CookError


def __getattr__(name: str) -> Any:
    """Raises ``CookError``; names with a leading underscore are simply missing."""
    if name.startswith("_"):
        raise AttributeError(name)
    raise CookError(
        f"pdgd.{name}: Topcook has no data layer server: items travel as files, reports to the result server"
    )
