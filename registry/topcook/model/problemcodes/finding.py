"""Problems of finding types: the types path, trust, names, configuration, Houdini's package files, the index."""

from __future__ import annotations

from topcook.model.problemcodes.row import Code

__all__ = ["FINDING"]

_CONFIG = "`topcook config` shows every value with the file and line it comes from."

FINDING: tuple[Code, ...] = (
    Code("path-missing", "an entry of the types path does not exist", "Create it, or take it out of what names it."),
    Code("path-unreadable", "an entry of the types path cannot be read", "Its types are missing until it can be."),
    Code("unreadable", "a file cannot be read", "It is not there, or may not be read by you."),
    Code(
        "untrusted-writable",
        "everybody may write a file or its directory",
        "A types file is executed with your rights, so nobody else may be able to put something into it.",
    ),
    Code(
        "untrusted-owner",
        "a file belongs to somebody whom nobody said to trust",
        "Trusted are you, root, the owners of entries that you named yourself, and trust.owners of the configuration.",
    ),
    Code(
        "group-writable",
        "a group may write a file or its directory",
        "Common for tools of a studio, so it is a warning; strict mode refuses it.",
    ),
    Code(
        "writable-above",
        "everybody may write a directory above the types",
        "Somebody could put another directory in the place of yours. A warning; strict mode refuses it.",
    ),
    Code(
        "duplicate-name",
        "two types have one name",
        "The first in the order of the types path serves, the other is shadowed.",
    ),
    Code(
        "broken-override",
        "a broken type would win a name, and another one serves in its place",
        "Check the broken one.",
    ),
    Code(
        "entry-points", "the entry points of a distribution cannot be read", "`pip check` says what is wrong with it."
    ),
    Code(
        "entry-point-value", "an entry point names no module", "Its value is package.module or package.module:function."
    ),
    Code(
        "entry-point-target",
        "what an entry point names is not there, or registers no types",
        "It names a module that has registerTypes(type_registry), or that function, of what the distribution installs.",
        '[project.entry-points."pdg.types"]\nfarm = "my_farm.scheduler:FarmScheduler"',
        '[project.entry-points."pdg.types"]\nfarm = "my_farm.scheduler"',
    ),
    Code("hou", "TOPCOOK_HOU has a value that says nothing", "TOPCOOK_HOU=stub gives a stand-in for hou."),
    Code("houdini-own", "a directory is part of Houdini itself", "Its types need Houdini, and are passed over."),
    Code("package-broken", "a package file of Houdini cannot be read", "What it names is not looked at."),
    Code("package-condition", "a condition in a package file of Houdini cannot be decided", "It counts as not met."),
    Code(
        "package-variable", "a package file of Houdini names an unknown variable", "What it stands in is not looked at."
    ),
    Code("index-damaged", "what the index kept cannot be read", "`topcook index clear` makes it anew."),
    Code(
        "bad-value",
        "a value is none that the key can have",
        "Networks and configuration files: the message says what can be.",
    ),
    Code("unknown-key", "there is no such key", "Networks and configuration files: the closest key is named."),
    Code("missing-key", "a key that must be there is not", "Networks and configuration files."),
    Code("config-option", "an option -c of the command line cannot be understood", "Write -c key=value."),
    Code("config-locked", "a value does not count: the site locks its key", _CONFIG),
    Code("config-locks", "a file that is not the site's wants to lock keys", _CONFIG),
    Code(
        "config-project",
        "a key cannot be set by a project's file",
        "A file that came with a checkout must not decide it.",
    ),
    Code("config-owner", "a configuration file belongs to somebody else", "It does not count. " + _CONFIG),
    Code("config-writable", "everybody may write a configuration file", "It does not count. " + _CONFIG),
    Code(
        "unset-variable", "a value names an environment variable that is not set", "What it stands in does not count."
    ),
)
