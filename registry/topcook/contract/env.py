"""``$VAR`` and ``${VAR}`` in texts, and environments as jobs want them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.model.variables import expand_vars

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["clean_environment", "expand_vars"]


def clean_environment(env: Mapping[object, object]) -> dict[str, str]:
    """A copy of ``env`` in which every name and value is a ``str``; bytes are read as UTF-8, ``None`` is dropped.

    Mirrors ``pdg.scheduler.convertEnvMapToUTF8``.
    """
    return {_clean(name): _clean(value) for name, value in env.items() if value is not None}


def _clean(value: object) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
