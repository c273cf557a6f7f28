"""A job as the START message that the keeper reads."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from topcook.contract.host import JobLimits, LocalJob
from topcook.runtime.keeper.program import wire

_TOKEN = re.compile(r"[!-.0-~]+", re.ASCII)  # printable, no blank, no slash
#: A change list longer than this share of the environment is worth a new base.
_NEW_BASE_SHARE = 0.5


class Environments:
    """The base environments the keeper knows.

    Either jobs say which they share, or the last one serves: most jobs differ from it in a dozen variables.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._number = -1
        self._count = 0
        self._base: dict[str, str] = {}
        #: By identity; the mapping is kept, so that its identity is nobody else's.
        self._shared: dict[int, tuple[Mapping[str, str], int]] = {}

    def shared(self, base: Mapping[str, str]) -> tuple[bytes, int]:
        """What to send ahead (nothing, from the second time on) of a base that jobs share, and its number."""
        known = self._shared.get(id(base))
        if known is not None:
            return b"", known[1]
        number = self._new_number()
        ahead = _environment(number, base)
        self._shared[id(base)] = base, number
        return ahead, number

    def _new_number(self) -> int:
        self._count += 1
        return self._count - 1

    def encode(self, env: Mapping[str, str]) -> tuple[bytes, int, list[str]]:
        """What to send ahead (mostly nothing), the number of the base, and the changes to it."""
        base = self._base
        changed = [name for name, value in env.items() if base.get(name) != value]
        _check_names(changed)
        removed = [name for name in base if name not in env] if len(env) != len(base) or changed else []
        if self._number >= 0 and len(changed) + len(removed) <= _NEW_BASE_SHARE * len(env) + 8:
            return b"", self._number, [*[f"{name}={env[name]}" for name in changed], *removed]
        self._base = dict(env)
        self._number = self._new_number()
        return _environment(self._number, env), self._number, []


def start_message(job: LocalJob, pool: bytes, environments: Environments) -> bytes:
    """The bytes to send for ``job``; raises ValueError for what no process can be given."""
    if not job.argv or not job.argv[0]:
        raise ValueError(f'job "{job.token}" has no command')
    if not _TOKEN.fullmatch(job.token):
        raise ValueError(f'a job token is printable ASCII without blanks and slashes, not "{job.token}"')
    if job.base is None:
        ahead, number, changes = environments.encode(job.env)
    else:
        _check_names(job.env)
        ahead, number = environments.shared(job.base)
        changes = [f"{name}={value}" for name, value in job.env.items()]
    fields = [
        job.token,
        os.fsdecode(pool),
        str(max(job.slots, 1)),
        job.cwd if job.cwd.startswith("/") else os.path.abspath(job.cwd),
        job.log_path if job.log_path.startswith("/") else os.path.abspath(job.log_path),
        str(number),
        str(len(job.argv)),
        *map(os.fsdecode, job.argv),
        *changes,
    ]
    return ahead + _packed(wire.START, fields, f'job "{job.token}"')


def limits_message(token: str, limits: JobLimits) -> bytes:
    """The bytes to send ahead of the start of a job that has limits."""
    memory, cpus, cpu_time = limits
    return wire.pack([wire.LIMITS, token.encode("ascii"), b"%d" % memory, b"%r" % float(cpus), b"%r" % float(cpu_time)])


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if not name or "=" in name:
            raise ValueError('an environment variable has an empty name or one with "=" in it')


def _environment(number: int, env: Mapping[str, str]) -> bytes:
    _check_names(env)
    return _packed(wire.ENV, [str(number), *[f"{name}={value}" for name, value in env.items()]], "its environment")


def _packed(kind: bytes, fields: list[str], what: str) -> bytes:
    # All of it is encoded at once: a job has dozens of fields.
    text = "\0".join(fields)
    if text.count("\0") != len(fields) - 1:
        raise ValueError(f"{what} holds a NUL character, which no process can be given")
    return wire.pack([kind, os.fsencode(text)])
