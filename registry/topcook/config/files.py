"""Which configuration files there are, and whether they may be believed."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterator, Mapping

from topcook.config.values import Layer
from topcook.errors import Problem
from topcook.lean import NamedTuple
from topcook.model.userdirs import absolute, home_of, user_dir

__all__ = ["PROJECT_FILE", "SITE_VARIABLE", "ConfigFile", "config_files", "distrust", "user_config_file"]

#: Paths of the site's files, separated as in PATH; the first goes before the others.
SITE_VARIABLE = "TOPCOOK_CONFIG"
PROJECT_FILE = "topcook.toml"
USER_FILE = "config.toml"


class ConfigFile(NamedTuple):
    """A file that is looked for."""

    layer: Layer
    path: str
    exists: bool


def config_files(environ: Mapping[str, str] | None, directory: str | None) -> Iterator[ConfigFile]:
    """The files of a configuration, the one that wins first; those that were looked for in vain, too.

    ``environ`` replaces the process environment. The project's file is the nearest upwards from ``directory`` (default:
    the current one), as far as the home directory or the file system's root.
    """
    known = os.environ if environ is None else environ
    project = _project_file(directory, home_of(environ))
    if project:
        yield ConfigFile(Layer.PROJECT, project, exists=True)
    user = user_config_file(environ)
    if user:
        yield ConfigFile(Layer.USER, user, os.path.exists(user))
    for path in known.get(SITE_VARIABLE, "").split(os.pathsep):
        if path.strip():
            full = absolute(os.path.expanduser(path.strip()))
            yield ConfigFile(Layer.SITE, full, os.path.exists(full))


def user_config_file(environ: Mapping[str, str] | None = None) -> str:
    """The user's own file; empty where no home is known."""
    folder = user_dir("config", environ)
    return os.path.join(folder, USER_FILE) if folder else ""


def _project_file(directory: str | None, home: str) -> str:
    try:
        folder = os.path.abspath(directory or os.getcwd())
    except OSError:
        # The current directory was removed: nobody's project.
        return ""
    while True:
        path = os.path.join(folder, PROJECT_FILE)
        if os.path.lexists(path):
            return path
        above = os.path.dirname(folder)
        if folder in {above, home}:
            return ""
        folder = above


def distrust(file: ConfigFile, owners: Container[str]) -> Problem | None:
    """Why a file is not read: others could have written it.

    Nobody but its owner and group may write it, nor take its place in its directory. A project's file, which is found
    rather than named, must belong to the user, root or one of ``owners``.
    """
    if os.name == "nt":
        # Windows' access lists are not in the mode bits.
        return None
    try:
        found = os.stat(file.path)
        around = os.stat(os.path.dirname(file.path))
        link = os.lstat(file.path)
    except OSError:
        # Reading it says what is wrong.
        return None
    what = f'the {file.layer.word} configuration "{file.path}"'
    if found.st_mode & stat.S_IWOTH and stat.S_ISREG(found.st_mode):
        message = f"{what} is not read: everybody may write it"
        return Problem("config-writable", message, file.path, hint=f"chmod o-w {_quoted(file.path)}")
    if around.st_mode & stat.S_IWOTH and not around.st_mode & stat.S_ISVTX:
        folder = os.path.dirname(file.path)
        message = f"{what} is not read: everybody may write its directory, and so replace it"
        return Problem("config-writable", message, file.path, hint=f"chmod o-w {_quoted(folder)}")
    strangers = [uid for uid in (link.st_uid, found.st_uid) if not _is_known(uid, owners)]
    if file.layer is Layer.PROJECT and strangers:
        owner = owner_name(strangers[0])
        message = f'{what} is not read: it belongs to "{owner}"'
        hint = f'trust it by trust.owners = ["{owner}"] in your own configuration, or go to another directory'
        return Problem("config-owner", message, file.path, hint=hint)
    return None


def _is_known(uid: int, owners: Container[str]) -> bool:
    return uid in {os.geteuid(), 0} or owner_name(uid) in owners or str(uid) in owners


def owner_name(uid: int) -> str:
    """The user's name, or the number of one that this machine does not know."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _quoted(path: str) -> str:
    import shlex

    return shlex.quote(path)
