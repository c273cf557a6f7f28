"""``$VAR`` and ``${VAR}`` in texts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from topcook.lean import pattern

__all__ = ["VARIABLE", "expand_vars"]

#: ``$NAME`` or ``${NAME}``; a backslash before it protects it, as in a shell, and stays.
VARIABLE = pattern(r"(?<!\\)\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", re.ASCII)


def expand_vars(text: str, env: Mapping[str, str]) -> str:
    """``text`` with each ``$VAR`` and ``${VAR}`` that ``env`` knows replaced by its value.

    What ``env`` does not know stays as it stands, and values are not expanded again. Mirrors ``pdg.utils.expand_vars``.
    """
    if "$" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        known = env.get(match.group(1) or match.group(2))
        return match.group() if known is None else str(known)

    return VARIABLE.sub(value, text)
