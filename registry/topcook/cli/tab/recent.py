"""What was chosen lately: a small file of the user's own, which nothing depends on."""

from __future__ import annotations

import json
import os
from contextlib import suppress

from topcook.model.userdirs import user_dir

__all__ = ["read_recent", "recent_path", "remember"]

#: How many choices are kept.
KEPT = 20


def recent_path() -> str:
    """The file: below ``TOPCOOK_STATE_DIR``, else in the user's state directory; empty for a user without a home."""
    root = os.environ.get("TOPCOOK_STATE_DIR") or user_dir("state")
    return os.path.join(root, "recent.json") if root else ""


def read_recent(path: str) -> list[str]:
    """The choices, the last one first; none where the file cannot be read or is not ours any more."""
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)["recent"]
        return [each for each in found if isinstance(each, str)][:KEPT]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return []


def remember(path: str, choice: str) -> None:
    """Put a choice first. A home that cannot be written to only means that nothing is remembered."""
    if not path:
        return
    recent = [choice, *(each for each in read_recent(path) if each != choice)][:KEPT]
    draft = f"{path}.{os.getpid()}.tmp"
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        try:
            with open(draft, "w", encoding="utf-8") as stream:
                json.dump({"version": 1, "recent": recent}, stream)
            os.replace(draft, path)
        except OSError:
            with suppress(OSError):
                os.unlink(draft)
