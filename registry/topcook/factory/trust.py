"""Whether a types file may be executed: who could have written it.

A types file is executed with the rights of whoever starts Topcook, so nobody else may be able to write it. The rules
are one table; what is judged are results of stat, so that the bytes that are executed can be those that were judged.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from topcook.errors import Problem, ProblemsError
from topcook.lean import NamedTuple

if TYPE_CHECKING:
    from topcook.config import Config
    from topcook.factory.typespath import TypesEntry

__all__ = ["RULES", "Rule", "Trust", "UntrustedFileError", "read_trusted", "trust_of"]

FILE, DIRECTORY, ABOVE = "file", "directory", "above"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
#: No file of source text is larger; what is was put there by mistake.
_LARGEST = 64 << 20


class Rule(NamedTuple):
    """One rule. ``subjects`` are what it is for: a file, a directory with types, one above that.

    ``bits`` of the mode must not be set, unless one of ``unless`` is; no bits: the owner must be a trusted one.
    ``always`` refused, or only in strict mode and a warning else. ``message`` and ``hint`` know {path}, {owner},
    {group}, {quoted} and {config}.
    """

    code: str
    subjects: tuple[str, ...]
    bits: int
    unless: int
    always: bool
    message: str
    hint: str


RULES: tuple[Rule, ...] = (
    Rule(
        "untrusted-writable",
        (FILE, DIRECTORY),
        stat.S_IWOTH,
        0,
        always=True,
        message='not executed: everybody may write "{path}"',
        hint="chmod o-w {quoted}",
    ),
    Rule(
        "untrusted-owner",
        (FILE, DIRECTORY),
        0,
        0,
        always=True,
        message='not executed: "{path}" belongs to "{owner}", whom nobody said to trust',
        hint='if you trust "{owner}", put this line at the top of {config}: trust.owners = ["{owner}"]',
    ),
    Rule(
        "group-writable",
        (FILE, DIRECTORY),
        stat.S_IWGRP,
        0,
        always=False,
        message='the group "{group}" may write "{path}"',
        hint="chmod g-w {quoted}",
    ),
    Rule(
        "writable-above",
        (ABOVE,),
        stat.S_IWOTH,
        stat.S_ISVTX,
        always=False,
        message='everybody may write "{path}", above a types directory, and so put another one in its place',
        hint="chmod o-w {quoted}",
    ),
)


class UntrustedFileError(ProblemsError, PermissionError):
    """A file that may not be executed; nothing of it was. To who would read it, it is one that he may not read."""


class Trust(NamedTuple):
    """Whose files are executed. ``owners`` are user ids; ``strict`` refuses where else is only warned.

    Where there are no owners (Windows), ``checked`` is False and every file passes.
    """

    owners: frozenset[int]
    strict: bool = False
    checked: bool = True
    config: str = "your configuration"

    def data(self) -> list[Any]:
        """As plain data, for a worker: ``Trust.of_data`` makes the same of it."""
        return [sorted(self.owners), self.strict, self.checked, self.config]

    @classmethod
    def of_data(cls, data: list[Any]) -> Trust:
        """The trust that gave the data."""
        owners, strict, checked, config = data
        return cls(frozenset(owners), strict, checked, config)

    def passes(self, status: os.stat_result) -> bool:
        """Whether no rule can have anything against a file or directory: the quick answer for most."""
        return not self.checked or (not status.st_mode & _OTHERS_WRITE and status.st_uid in self.owners)

    def refused(self, path: str, status: os.stat_result, subject: str = FILE) -> tuple[Problem, ...]:
        """Why a file, directory or one above may not be used; empty when it may."""
        found = self._broken(status, subject)
        return tuple(self._problem(rule, path, status) for rule in found if rule.always or self.strict)

    def warnings(self, path: str, status: os.stat_result, subject: str = FILE) -> tuple[Problem, ...]:
        """What is risky about it, and not refused."""
        found = self._broken(status, subject)
        return tuple(self._problem(rule, path, status) for rule in found if not rule.always and not self.strict)

    def _broken(self, status: os.stat_result, subject: str) -> Iterator[Rule]:
        if self.passes(status):
            return
        for rule in RULES:
            if subject not in rule.subjects:
                continue
            if not rule.bits:
                broken = status.st_uid not in self.owners
            else:
                broken = bool(status.st_mode & rule.bits) and not status.st_mode & rule.unless
            if broken and not (rule.bits == stat.S_IWGRP and _is_private_group(status)):
                yield rule

    def _problem(self, rule: Rule, path: str, status: os.stat_result) -> Problem:
        known = {
            "path": path,
            "quoted": quote(path),
            "owner": owner_name(status.st_uid),
            "group": group_name(status.st_gid),
            "config": self.config,
        }
        message = rule.message.format(**known)
        if self.strict and not rule.always:
            message = f"not executed: {message}, and trust.strict is set"
        return Problem(rule.code, message, path, hint=rule.hint.format(**known))


def trust_of(config: Config | None, entries: Iterable[TypesEntry], environ: Mapping[str, str] | None = None) -> Trust:
    """Whom to trust: the user, root, ``trust.owners``, and the owners of those entries that the user named himself."""
    if not hasattr(os, "geteuid"):
        return Trust(frozenset(), checked=False)
    owners = {os.geteuid(), 0}
    for entry in entries:
        if entry.named:
            try:
                owners.add(os.stat(entry.path).st_uid)
            except (OSError, ValueError):
                continue
    if config is None:
        return Trust(frozenset(owners))
    owners.update(uid for name in config.trusted_owners if (uid := _uid(name)) is not None)
    from topcook.config import user_config_file

    return Trust(frozenset(owners), config.trust_strict, config=user_config_file(environ) or "your configuration")


def read_trusted(path: str, trust: Trust | None) -> bytes:
    """The bytes of a file, which was judged after it was opened: nobody can exchange it in between.

    Without a ``trust`` everything passes. Raises UntrustedFileError, and OSError for what is no regular file.
    """
    # A pipe would keep whoever opens it waiting for its writer.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is no regular file", path)
        problems = trust.refused(path, status) if trust is not None else ()
        if problems:
            raise UntrustedFileError(problems)
        content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError(0, f"it is larger than {_LARGEST >> 20} MiB", path)
    return content


def how_to_allow(path: str) -> str:
    """What lets the user read a file or directory that he may not: what he types, or whom he asks."""
    try:
        status = os.stat(path)
    except OSError:
        return f"ask whoever owns {quote(os.path.dirname(path))} to let you in"
    bits = "rx" if stat.S_ISDIR(status.st_mode) else "r"
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        return f"ask {owner_name(status.st_uid)} for: chmod a+{bits} {quote(path)}"
    return f"chmod u+{bits} {quote(path)}"


def quote(path: str) -> str:
    """A path as a shell takes it."""
    import shlex

    return shlex.quote(path)


def owner_name(uid: int) -> str:
    """The user's name, or the number of one whom this machine does not know."""
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return str(uid)


def group_name(gid: int) -> str:
    """The group's name, or the number of one that this machine does not know."""
    try:
        import grp

        return grp.getgrgid(gid).gr_name
    except (ImportError, KeyError):
        return str(gid)


def _uid(name: str) -> int | None:
    if name.isdigit():
        return int(name)
    try:
        import pwd

        return pwd.getpwnam(name).pw_uid
    except (ImportError, KeyError):
        return None


def _is_private_group(status: os.stat_result) -> bool:
    """Whether the group is its owner's private one, of the same name and with nobody else in it.

    Many distributions give each user such a group and let it write what he makes.
    """
    if status.st_uid == 0:
        return False
    try:
        import grp
        import pwd

        group, owner = grp.getgrgid(status.st_gid), pwd.getpwuid(status.st_uid)
    except (ImportError, KeyError):
        return False
    return owner.pw_gid == status.st_gid and group.gr_name == owner.pw_name and not set(group.gr_mem) - {owner.pw_name}
