"""Values as TOML writes them, for lines that a person pastes into a network file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from topcook.model.secrets import Secret

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_key(*parts: str) -> str:
    """A dotted key, its parts quoted where they need it: ``nodes."a.b".job_parms``."""
    return ".".join(part if _BARE.fullmatch(part) else _text(part) for part in parts)


def toml_value(value: Any) -> str:
    """A value on one line; of a secret the table that says where it comes from."""
    if isinstance(value, Secret):
        return _text("") if value.kind == "given" else toml_value({value.kind: value.ref})
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{toml_key(str(key))} = {toml_value(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(part) for part in value) + "]"
    return _text("" if value is None else str(value))


def _text(value: str) -> str:
    # JSON's escapes are TOML's, but for this one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
