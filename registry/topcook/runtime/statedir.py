"""The user's own state on this machine: what a cook keeps locally, never on a shared file system.

``<state>/cooks/<cook id>/`` holds a cook's journal, its keeper's files and copies of the types it uses.
"""

from __future__ import annotations

import contextlib
import os
import time

from topcook.model.userdirs import user_dir

__all__ = [
    "JOURNAL",
    "SECRET",
    "cook_directory",
    "cook_ids",
    "drop_old_cooks",
    "forget_cook",
    "forget_journal",
    "has_keeper_files",
    "is_cook_id",
    "journal_of",
    "note_journal",
    "state_root",
]

JOURNAL = "journal.sqlite"
#: What jobs say to the result server, for the sessions after this one.
SECRET = "server.secret"  # noqa: S105 - the name of a file
#: Names the journal of a cook where that lies elsewhere.
_ELSEWHERE = "journal.path"
#: What else SQLite may have beside a database.
_BESIDE = ("", "-wal", "-shm", "-journal")
#: Seconds after which nobody takes up a cook again: 30 days.
OLD = 30 * 24 * 3600.0


def state_root() -> str:
    """The user's state directory: what ``TOPCOOK_STATE_DIR`` says, else the one of the system."""
    return os.environ.get("TOPCOOK_STATE_DIR") or user_dir("state") or os.path.join(os.sep, "tmp", f"topcook-{_user()}")


def _cooks() -> str:
    return os.path.join(state_root(), "cooks")


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def cook_directory(cook_id: str) -> str:
    """Where one cook keeps its local files: below ``TOPCOOK_STATE_DIR``, else the user's state directory."""
    return os.path.join(_cooks(), cook_id)


def is_cook_id(text: object) -> bool:
    """Whether it names a directory among those of cooks, and no other place: others may have written it down."""
    return isinstance(text, str) and text not in {"", ".", ".."} and os.sep not in text and "\0" not in text


def journal_of(cook_id: str) -> str:
    """The journal of a cook of this user on this machine; empty when there is none."""
    if not is_cook_id(cook_id):
        return ""
    folder = cook_directory(cook_id)
    path = os.path.join(folder, JOURNAL)
    with contextlib.suppress(OSError), open(os.path.join(folder, _ELSEWHERE), encoding="utf-8") as stream:
        path = stream.read()
    return path if os.path.isfile(path) else ""


def cook_ids() -> list[str]:
    """The ids of all cooks that have left anything here, the latest first."""
    with contextlib.suppress(OSError):
        return sorted(os.listdir(_cooks()), reverse=True)
    return []


def has_keeper_files(cook_id: str) -> bool:
    """Whether a cook has left files of a keeper: it has not ended, or not as it should."""
    folder = cook_directory(cook_id) if is_cook_id(cook_id) else ""
    names = ("keeper.record", "keeper.json")
    return bool(folder) and any(os.path.isfile(os.path.join(folder, name)) for name in names)


def note_journal(cook_id: str, path: str) -> None:
    """Leave word of where the journal of a cook is, when it is not beside its other files."""
    folder = cook_directory(cook_id)
    with contextlib.suppress(OSError):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(os.path.join(folder, _ELSEWHERE), "w", encoding="utf-8") as stream:
            stream.write(path)


def forget_cook(cook_id: str, *, let_go: bool = False) -> None:
    """Remove what a cook kept beside its journal; called when nothing of it runs here any more.

    The secret of one that was ``let_go`` stays: it is what its jobs on farms have to say to a later session.
    """
    folder = cook_directory(cook_id)
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            if not entry.name.startswith("journal.") and not (let_go and entry.name == SECRET):
                _remove(entry.path)
        os.rmdir(folder)


def forget_journal(cook_id: str, path: str) -> None:
    """Remove a cook's journal, and all else that it left."""
    for end in _BESIDE:
        with contextlib.suppress(OSError):
            os.unlink(path + end)
    _remove_tree(cook_directory(cook_id))


def drop_old_cooks() -> None:
    """Remove what cooks left of which nobody has heard for a month."""
    for cook in cook_ids():
        folder = cook_directory(cook)
        # One that is no directory, or that another process removes, keeps nobody else's.
        with contextlib.suppress(OSError):
            newest = max((each.stat().st_mtime for each in os.scandir(folder)), default=os.stat(folder).st_mtime)
            if newest < time.time() - OLD:
                _remove_tree(folder)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        _remove_tree(path)
    else:
        os.unlink(path)


def _remove_tree(path: str) -> None:
    import shutil

    shutil.rmtree(path, ignore_errors=True)
