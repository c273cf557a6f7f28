"""Where what is a user's own lies on this machine, by the kind of it.

On Linux what platformdirs answers, without its import, which costs more than a whole start may; elsewhere its answer.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Literal

__all__ = ["UserDirKind", "absolute", "home_of", "resolved", "user_dir"]

UserDirKind = Literal["cache", "config", "data", "state"]
_XDG: dict[UserDirKind, tuple[str, str]] = {
    "cache": ("XDG_CACHE_HOME", ".cache"),
    "config": ("XDG_CONFIG_HOME", ".config"),
    "data": ("XDG_DATA_HOME", os.path.join(".local", "share")),
    "state": ("XDG_STATE_HOME", os.path.join(".local", "state")),
}


def user_dir(kind: UserDirKind, environ: Mapping[str, str] | None = None) -> str:
    """Topcook's own directory of a kind, which need not exist.

    Of an ``environ`` given in place of the process's only its home and the XDG variables count; empty where it has
    neither. Of the process's, empty where no home can be found out.
    """
    theirs = os.environ if environ is None else environ
    if environ is None and (sys.platform in {"win32", "darwin"} or hasattr(sys, "getandroidapilevel")):
        return _platforms_own(kind)
    variable, below = _XDG[kind]
    base = theirs.get(variable, "")
    if not os.path.isabs(base):
        home = home_of(environ)
        base = os.path.join(home, below) if home else ""
    return os.path.join(base, "topcook") if base else ""


def home_of(environ: Mapping[str, str] | None = None) -> str:
    """The home directory that an environment names; of the process the user's, however it is known. Empty if none."""
    theirs = os.environ if environ is None else environ
    for name in ("HOME", "USERPROFILE"):
        if os.path.isabs(theirs.get(name, "")):
            return theirs[name]
    if theirs is not os.environ:
        return ""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_dir
    except (ImportError, KeyError, AttributeError):
        found = os.path.expanduser("~")
        return found if os.path.isabs(found) else ""


def absolute(path: str) -> str:
    """A path made absolute; as it is where that cannot be done, because the current directory was removed."""
    try:
        return os.path.abspath(path)
    except OSError:
        return path


def resolved(path: str) -> str:
    """Where a path leads in the end, through links; what cannot be followed stands for itself."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return path


def _platforms_own(kind: UserDirKind) -> str:
    import platformdirs

    found: str = getattr(platformdirs, f"user_{kind}_dir")("topcook")
    return found
