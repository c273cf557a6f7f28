"""Resources as workers are started with them, and items ask for them: ``GPU=2 slots=8``."""

from __future__ import annotations

import re

__all__ = ["read_resources"]

_RESOURCE = re.compile(r"([^\s=,;]+)=(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)")


def read_resources(text: str, parm: str) -> dict[str, float]:
    """The amounts by name; raises ``ValueError``, which names the parm, for what is none, and for what stands twice."""
    found: dict[str, float] = {}
    for word in re.split(r"[\s,;]+", text.strip()):
        if not word:
            continue
        match = _RESOURCE.fullmatch(word)
        if match is None:
            raise ValueError(
                f'{parm}: "{word}" is no resource\n'
                f'    write NAME=NUMBER as workers are started with: dask worker --resources "GPU=2 slots=8"'
            )
        if match[1] in found:
            raise ValueError(f'{parm}: "{match[1]}" stands there twice: {text!r}')
        found[match[1]] = float(match[2])
    return found
