"""A scheduler's directories on this machine: made once per cook, filled with the job-side scripts."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from topcook.errors import CookRefusedError

if TYPE_CHECKING:
    from topcook.model.directories import Directories

#: What everybody may read.
READABLE = (0o644, -1)
OWNER_ONLY = 0o600
#: ``pdgcmd.py`` for shells: no Python file, and a program.
SHELL_CLIENT = "pdgcmd"
#: The file next to ``pdgcmd.py`` that holds the session's secret, for jobs whose environment is not ours.
SECRET_FILE = ".pdg_result_secret"  # noqa: S105 - the name of a file
#: Where the cook listens now, for jobs that an earlier session of it has sent.
SERVER_FILE = ".pdg_result_server"
#: What stands there while nobody listens: the cook was let go, and its jobs keep on disk what they report.
NOBODY = "-"


def make_directories(directories: Directories, owner: str) -> None:
    """Make the working, temp, script, data and log directories; raises ``CookRefusedError`` with the reason.

    Called for every item: where nothing was set since, it does nothing.
    """
    key = (directories.working, directories.temp, directories.script)
    if directories.made_for == key:
        return
    for path in (
        directories.working_dir(local=True),
        directories.temp_dir(local=True),
        directories.script_dir(local=True),
        directories.data_dir(local=True),
        directories.log_dir(local=True),
    ):
        if path in directories.made:
            continue
        try:
            Path(path).mkdir(parents=True, exist_ok=True)
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(13, "not writable", path)
        except OSError as error:
            why = "there is a file of that name" if isinstance(error, FileExistsError) else error.strerror or error
            raise CookRefusedError(
                f'scheduler "{owner}" cannot use the directory "{path}": {why}\n'
                f"  it is made from the parm pdg_workingdir\n"
                f"  give another: --parm {owner}.pdg_workingdir=DIR, or mend the permissions of {_parent(path)}"
            ) from error
        directories.made.add(path)
    directories.made_for = key


def _parent(path: str) -> Path:
    """The nearest directory above that exists."""
    here = Path(path)
    while not here.exists() and here != here.parent:
        here = here.parent
    return here


def secret_access(mode: str, group: str) -> tuple[int, int]:
    """Mode and group id (-1: as it is) for the secret's file; raises ``CookRefusedError`` for what lets others read."""
    try:
        bits = int(mode or "600", 8)
    except ValueError:
        bits = -1
    if bits & ~0o660 or bits & OWNER_ONLY != OWNER_ONLY:
        raise CookRefusedError(
            f'topcook_secretmode is "{mode}"\n  the secret may be for its owner and one group: 600, 640 or 660'
        )
    if not group:
        return bits, -1
    try:
        import grp

        return bits, grp.getgrnam(group).gr_gid
    except (ImportError, KeyError) as error:
        raise CookRefusedError(f'topcook_secretgroup is "{group}", and there is no such group here') from error


def support_mark(script_dir: str) -> str:
    """What stands among the directories that were made when the job-side scripts lie in ``script_dir``."""
    return script_dir + "\0support"


def copy_support_files(script_dir: str, secret: str, access: tuple[int, int] = (OWNER_ONLY, -1)) -> None:
    """Put ``pdgcmd`` and ``pdgcmd.py``, ``pdgjson.py``, the package ``pdgjob`` and the secret where jobs find them.

    Schedulers that share a directory do so at the same time, while jobs of the first already read there: each file is
    there whole at any time.
    """
    target = Path(script_dir)
    source = _job_side()
    package = target / "pdgjob"
    package.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if path.is_file() and path.suffix != ".pyc":
            _copy(path, package / path.name)
            # What a script imports or starts by name; the rest is found through the package.
            if path.name == SHELL_CLIENT or (path.suffix == ".py" and not path.name.startswith("_")):
                _copy(path, target / path.name)
    for folder in (target, package):
        write_secret(folder / SECRET_FILE, secret, access)


def write_secret(path: Path, secret: str, access: tuple[int, int] = (OWNER_ONLY, -1)) -> None:
    """Write the secret, readable from its first byte on by nobody but its owner and the group of ``access``."""
    draft = _draft(path)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        mode, group = access
        if group != -1:
            os.fchown(stream.fileno(), -1, group)
        if mode != OWNER_ONLY:
            os.fchmod(stream.fileno(), mode)
        stream.write(secret)
    draft.replace(path)


def _copy(source: Path, target: Path) -> None:
    # It brings three ways of packing archives, for cooks without jobs as well.
    import shutil

    draft = _draft(target)
    shutil.copy2(source, draft)
    if source.name == SHELL_CLIENT:
        # Not every way of installing keeps what makes it a program.
        draft.chmod(0o755)
    draft.replace(target)


def _draft(path: Path) -> Path:
    """A name beside ``path`` that nobody else writes to, whichever thread, process or machine."""
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")


def _job_side() -> Path:
    spec = find_spec("pdgjob")
    if spec is None or not spec.submodule_search_locations:
        raise CookRefusedError("the package pdgjob is not installed beside topcook; install topcook again")
    return Path(next(iter(spec.submodule_search_locations)))
