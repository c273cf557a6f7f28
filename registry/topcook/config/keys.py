"""Every key of the configuration: one table that the reader, `topcook config`, the schema's test and the docs read."""

from __future__ import annotations

from typing import Any

from topcook.lean import NamedTuple

__all__ = ["KEYS", "REQUIRE", "TABLES", "Key", "key_of"]

#: How strict registration is.
REQUIRE = ("contract", "seed")
LOG_LEVELS = ("debug", "info", "warning", "error")


class Key(NamedTuple):
    """One key. ``kind`` is how its value is written:

    ``flag``, ``count`` (an integer, not negative), ``word`` (one of ``choices``), ``ports``; ``paths`` and ``names``,
    to which each layer adds;
    ``rows`` (``[[key]]`` tables), to which each layer adds; ``table`` (scheduler type to parm to value).
    ``project`` says what a project's file may do: ``yes``, ``no``, or only ``tighten`` it, or ``own`` (for files
    of the project itself).
    """

    name: str
    kind: str
    default: Any
    help: str
    variable: str = ""
    project: str = "yes"
    choices: tuple[str, ...] = ()

    @property
    def adds(self) -> bool:
        """Whether each layer adds to what the others say, where the highest one replaces them else."""
        return self.kind in {"paths", "names", "rows"}


KEYS: tuple[Key, ...] = (
    Key(
        "types.path",
        "paths",
        (),
        "directories and files with types, the first one wins; ~ and $VAR are written out, the rest is relative to "
        "the configuration file",
        "PDG_TYPES_PATH",
    ),
    Key(
        "trust.owners",
        "names",
        (),
        "users whose types files are executed, beside your own and root's",
        "TOPCOOK_TRUST_OWNERS",
        "no",
    ),
    Key(
        "trust.strict",
        "flag",
        default=False,
        help="refuse types files and directories that their group may write, instead of warning",
        variable="TOPCOOK_TRUST_STRICT",
        project="tighten",
    ),
    Key(
        "block",
        "rows",
        (),
        "types that may not be used: name, file, module or distribution, and the reason that is told",
        "HOUDINI_PDG_TYPE_SKIPLIST",
    ),
    Key(
        "require",
        "word",
        "contract",
        "how strict registration is: contract = what cannot work is refused; seed = each callback that the help page "
        "calls a must stands in the file itself",
        "TOPCOOK_REQUIRE",
        "tighten",
        REQUIRE,
    ),
    Key(
        "strict",
        "flag",
        default=False,
        help="for production: any problem that is not exempt makes the exit status 1 or 2, also where the rest works",
        variable="TOPCOOK_STRICT",
        project="tighten",
    ),
    Key(
        "exempt",
        "rows",
        (),
        "problems that strict mode lets pass: code, file or name, and the reason",
        project="own",
    ),
    Key(
        "scheduler_defaults",
        "table",
        {},
        "parms of a scheduler type where the network says nothing: [scheduler_defaults.TYPE] parm = value",
    ),
    Key("pathmap", "rows", (), "what a path is called on other machines, after the network's own rules"),
    Key("ports", "ports", None, 'where the result server listens: "40000-40100"; else any free port', "TOPCOOK_PORTS"),
    Key(
        "log_level",
        "word",
        "warning",
        "what Python's logging writes into the schedulers' logs",
        "TOPCOOK_LOG_LEVEL",
        choices=LOG_LEVELS,
    ),
    Key(
        "slots.machine",
        "count",
        0,
        "how many slots the local jobs of all your cooks on this machine share; 0: each cook has its own only",
        "TOPCOOK_MACHINE_SLOTS",
    ),
    Key(
        "watchdog.seconds",
        "count",
        60,
        "how long a callback, or a function that cooks in this process, may take before the cook says where it stands, "
        "and nothing may move before it says what it waits for; 0: it says nothing",
        "TOPCOOK_WATCHDOG",
    ),
    Key(
        "die_with_parent",
        "flag",
        default=False,
        help="end the local jobs of a cook when its process ends, however that comes about; nothing of them can be "
        "taken up then",
        variable="TOPCOOK_DIE_WITH_PARENT",
    ),
)
#: What only a site's file may say: the keys that no later layer changes.
LOCKED = "locked"
#: Keys whose name has two parts, by table.
TABLES: dict[str, tuple[str, ...]] = {
    table: tuple(key.name for key in KEYS if key.name.startswith(table + "."))
    for table in ("types", "trust", "slots", "watchdog")
}
_BY_NAME = {key.name: key for key in KEYS}


def key_of(name: str) -> Key | None:
    """The key of that name; ``scheduler_defaults.TYPE.PARM`` is one of ``scheduler_defaults``."""
    return _BY_NAME.get(name) or (_BY_NAME["scheduler_defaults"] if name.startswith("scheduler_defaults.") else None)
