"""The configuration as the rest of Topcook reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from topcook.config.files import ConfigFile
from topcook.config.keys import key_of
from topcook.config.values import Block, ConfiguredPath, Exemption, Layer, Origin, Setting
from topcook.errors import Problem
from topcook.lean import NamedTuple

__all__ = ["NOTICES", "Config"]

#: Problems that nobody has to mend before a cook: what was said did not count, and something safe holds instead.
NOTICES = frozenset({"config-locked", "config-project", "config-owner", "unset-variable"})

_NO_LOCKS: Mapping[str, Origin] = MappingProxyType({})


class Config(NamedTuple):
    """What holds, of all layers together. ``load_config`` makes one; ``Config()`` is what holds where nobody says more.

    ``types_path`` is all of it, what wins first: command line, PDG_TYPES_PATH, project, user, site. ``ports`` is
    (first, end), the end not part of it. ``path_maps`` are rows as ``Network.path_maps`` holds them, variables not
    yet written out. ``machine_slots`` (0: no limit) is what all cooks of this user share, ``watchdog`` counts seconds
    (0: never), ``die_with_parent`` ends local jobs with the engine.
    ``settings`` is every value that counts or is shadowed by a higher one, highest layer first;
    ``dropped`` those that may not count. ``locks`` maps a locked key to where a site locks it. ``problems`` are all
    mistakes, each with its place.
    """

    types_path: tuple[ConfiguredPath, ...] = ()
    trusted_owners: tuple[str, ...] = ()
    trust_strict: bool = False
    blocks: tuple[Block, ...] = ()
    require: str = "contract"
    strict: bool = False
    exempt: tuple[Exemption, ...] = ()
    path_maps: tuple[Mapping[str, Any], ...] = ()
    ports: tuple[int, int] | None = None
    log_level: str = "warning"
    machine_slots: int = 0
    watchdog: int = 60
    die_with_parent: bool = False
    settings: tuple[Setting, ...] = ()
    dropped: tuple[Setting, ...] = ()
    locks: Mapping[str, Origin] = _NO_LOCKS
    files: tuple[ConfigFile, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def mistakes(self) -> tuple[Problem, ...]:
        """The problems for which a cook is refused; who only looks is told of them."""
        return tuple(problem for problem in self.problems if problem.code not in NOTICES)

    def origin_of(self, key: str) -> Origin:
        """Where the value of a key comes from; of one to which layers add, its first element. Raises KeyError."""
        if key_of(key) is None:
            raise KeyError(key)
        found = (setting.origin for setting in self.settings if parts_of(setting.key) == parts_of(key))
        return next(found, Origin(Layer.DEFAULT))

    def lock_of(self, key: str) -> Origin | None:
        """Where a key is locked, itself or the table around it."""
        return lock_of(self.locks, key)

    def block_for(self, *, name: str = "", path: str = "", module: str = "", distribution: str = "") -> Block | None:
        """The entry of the block list that means a file (path, module, distribution) or a type of it (name, too)."""
        for block in self.blocks:
            if block.holds_for(name=name, path=path, module=module, distribution=distribution):
                return block
        return None

    def exempts(self, problem: Problem, name: str = "") -> bool:
        """Whether strict mode lets a problem pass that was found in the type ``name``."""
        return any(row.holds_for(problem.code, problem.path, name) for row in self.exempt)

    def parm_defaults(self, type_name: str) -> Iterator[tuple[str, Any, Origin]]:
        """Parm, value and origin of each default for a scheduler type; ``local`` means ``localscheduler``."""
        seen = set()
        for setting in self.settings:
            *table, parm = parts_of(setting.key)
            if table == ["scheduler_defaults", type_key(type_name)] and parm not in seen:
                seen.add(parm)
                yield parm, setting.value, setting.origin


def lock_of(locks: Mapping[str, Origin], key: str) -> Origin | None:
    """Where a key is locked, itself or the table around it."""
    wanted = parts_of(key)
    for name, origin in locks.items():
        parts = parts_of(name)
        if name == key or parts == wanted[: len(parts)]:
            return origin
    return None


def parts_of(key: str) -> tuple[str, ...]:
    """The parts of a key; a scheduler type as ``type_key`` has it, which may hold dots where its parm may not."""
    table, _, rest = key.partition(".")
    if table != "scheduler_defaults" or not rest:
        return tuple(key.split("."))
    type_name, dot, parm = rest.rpartition(".")
    return (table, type_key(type_name), parm) if dot else (table, type_key(rest))


def type_key(name: str) -> str:
    """What two names of a scheduler type share: ``Local`` is ``localscheduler``."""
    return name.lower().removesuffix("scheduler") or name.lower()
