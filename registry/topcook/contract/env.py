"""``$VAR`` and ``${VAR}`` in texts, and environments as jobs want them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: ``$NAME`` or ``${NAME}``; a backslash before it protects it, as in a shell, and stays.
VARIABLE = re.compile(r"(?<!\\)\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", re.ASCII)


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


def clean_environment(env: Mapping[object, object]) -> dict[str, str]:
    """A copy of ``env`` in which every name and value is a ``str``; bytes are read as UTF-8, ``None`` is dropped.

    Mirrors ``pdg.scheduler.convertEnvMapToUTF8``.
    """
    return {_clean(name): _clean(value) for name, value in env.items() if value is not None}


def _clean(value: object) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
