"""Where index files lie, and whether one may be believed: what is in it will be executed."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping

from topcook.model.userdirs import user_dir

__all__ = ["FORMAT", "SITE_NAME", "VARIABLE", "index_path", "not_ours", "prepare"]

#: Counts up with every change of what is kept or how.
FORMAT = 1
VARIABLE = "TOPCOOK_INDEX"
#: The sealed index of a shared types directory, inside it.
SITE_NAME = ".topcook-index.sqlite3"
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def index_path(environ: Mapping[str, str]) -> str:
    """The user's index; empty when he wants none, or has no home to put it in."""
    asked = environ.get(VARIABLE)
    if asked is not None:
        return "" if asked.strip().lower() in {"", "0", "no", "off", "none"} else os.path.abspath(asked)
    home = user_dir("cache")
    return os.path.join(home, f"index-{FORMAT}-{sys.implementation.cache_tag}.sqlite3") if home else ""


def not_ours(path: str) -> str:
    """Why a file must not be believed: another's, or others may write to it; empty when it may, or is not there."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return ""
    if not stat.S_ISREG(status.st_mode):
        # A pipe would keep whoever opens it waiting, and a device is not to be moved out of the way.
        return f'"{path}" is no regular file; it is not used: let {VARIABLE} name another, or be 0 for none'
    if not hasattr(os, "geteuid"):
        return ""
    if status.st_uid != os.geteuid():
        return f'"{path}" belongs to another user; it is not used'
    if status.st_mode & _OTHERS_MAY_WRITE:
        return f'"{path}" may be written by others; it is not used: chmod go-w {path}'
    directory = os.path.dirname(os.path.abspath(path))
    try:
        around = os.stat(directory)
    except OSError:
        return ""
    if around.st_mode & stat.S_IWOTH:
        # SQLite believes a journal that lies beside its file, whoever put it there.
        return f'everybody may put files beside "{path}"; it is not used: let {VARIABLE} name another directory'
    return ""


def prepare(path: str) -> None:
    """Make the file and its directory, for nobody else to read. Raises OSError."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
