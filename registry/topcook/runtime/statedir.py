"""The user's own state on this machine: what a cook keeps locally, never on a shared file system."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import platformdirs


def cook_directory(cook_id: str) -> str:
    """Where one cook keeps its local files: below ``TOPCOOK_STATE_DIR``, else the user's state directory."""
    root = os.environ.get("TOPCOOK_STATE_DIR") or platformdirs.user_state_dir("topcook")
    return str(Path(root, "cooks", cook_id))


def forget_cook(cook_id: str) -> None:
    """Remove a cook's local files; called when nothing of it runs any more."""
    shutil.rmtree(cook_directory(cook_id), ignore_errors=True)
