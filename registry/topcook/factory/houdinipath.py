"""What Houdini users have already: the directories in which their Houdini would look for types of PDG.

The places follow Houdini's help on ``HOUDINI_PATH``, its user folder and packages. Houdini need not be installed.
``$HFS`` is left out: what ships with Houdini needs Houdini.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from topcook.errors import Problem
from topcook.model.userdirs import absolute, home_of, resolved

__all__ = ["HoudiniPlaces", "expanded", "houdini_places", "split_path", "user_folders"]

#: Below each directory of HOUDINI_PATH.
_SUBDIRECTORY = os.path.join("pdg", "types")
#: Patterns are compiled when they are used first: most starts need none.
_VERSION = r"(\d+)\.(\d+)(?:\.(\d+))?"
_FOLDER = r"(?:houdini)?(\d+)\.(\d+)$"
_VARIABLE = r"\$(?:\{(\w+)\}|(\w+))"
#: A drive letter keeps its colon: C:/tools;D:/more.
_SEPARATOR = r";|(?<![;:][A-Za-z])(?<!^[A-Za-z]):|(?<=[A-Za-z]):(?![/\\])"
#: What stands in HOUDINI_PATH for the path that Houdini has by default.
_DEFAULT = "&"
#: Where a user's folder is, below the home directory: Linux, macOS, Windows.
_USER_FOLDERS = ("", os.path.join("Library", "Preferences", "houdini"), "Documents")


class HoudiniPlaces:
    """Directories with types, each with what names it, and whether that is the user's doing.

    ``notes`` say what was passed over and why.
    """

    def __init__(self) -> None:
        """Start without places."""
        self.directories: list[tuple[str, str, bool]] = []
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []


def houdini_places(environ: Mapping[str, str]) -> HoudiniPlaces:
    """The directories of types that Houdini would search in this environment, in its order."""
    found = HoudiniPlaces()
    set_folder = _set_user_folder(environ)
    folder = set_folder or _default_user_folder(environ)
    if set_folder:
        found.directories.append((os.path.join(set_folder, _SUBDIRECTORY), "HOUDINI_USER_PREF_DIR", True))
    roots = list(_path_roots(environ, folder))
    for root, named_by, named in [*roots, *_package_roots(environ, folder, roots, found)]:
        if _shipped(root, environ):
            note = f'"{root}" is part of Houdini, whose own types need Houdini'
            found.notes.append(Problem("houdini-own", note, root, hint="nothing: use Topcook's own node types"))
        else:
            found.directories.append((os.path.join(root, _SUBDIRECTORY), named_by, named))
    pdg = environ.get("HOUDINI_PDG_DIR", "").strip()
    for each in split_path(pdg):
        path = expanded(each, environ)
        if path and not _shipped(path, environ):
            found.directories.append((os.path.join(path, "types"), "HOUDINI_PDG_DIR", True))
    if folder and not set_folder and _uses_default_path(environ):
        named_by = f"the user folder of Houdini {version_text(folder)}"
        found.directories.append((os.path.join(folder, _SUBDIRECTORY), named_by, True))
    return found


def split_path(text: str) -> list[str]:
    """The entries of a path list in which both separators may stand, whatever the platform; drive letters survive."""
    if not text:
        return []
    return [each.strip() for each in re.split(_SEPARATOR, text) if each.strip()]


def expanded(text: str, environ: Mapping[str, str]) -> str:
    """A path with ``~`` and variables put in, absolute; empty when a variable of it is not set."""
    missing = "\0" in text

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        named = environ.get(found.group(1) or found.group(2))
        missing = missing or not named
        return named or ""

    text = text.strip()
    if "$" in text:
        text = re.sub(_VARIABLE, value, text)
    if text == "~" or text.startswith(("~/", "~\\")):
        home = _home(environ)
        text, missing = home + text[1:], missing or not home
    elif text.startswith("~") and not missing:
        text = os.path.expanduser(text)
    return "" if missing or not text else absolute(text)


def _home(environ: Mapping[str, str]) -> str:
    return home_of(None if environ is os.environ else environ)


def user_folders(home: str) -> list[str]:
    """The folders in which versions of Houdini keep what is a user's, the newest version first."""
    found: list[tuple[tuple[int, int], str]] = []
    for place in _USER_FOLDERS if home else ():
        directory = os.path.join(home, place) if place else home
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        for name in names:
            if not name.startswith("houdini") and not name[:1].isdigit():
                continue
            match = re.match(_FOLDER, name)
            bare = place.endswith("houdini")
            if match and name.startswith("houdini") is not bare and os.path.isdir(os.path.join(directory, name)):
                found.append(((int(match[1]), int(match[2])), os.path.join(directory, name)))
    # Among folders of one version the order above counts, so the sort must not look at the paths.
    return [path for _, path in sorted(found, key=lambda each: each[0], reverse=True)]


def houdini_version(environ: Mapping[str, str], folder: str = "") -> tuple[int, ...]:
    """The version of the Houdini that the environment is set up for, as far as it says; else that of the folder."""
    for name in ("HOUDINI_VERSION", "HFS"):
        found = re.search(_VERSION, environ[name]) if name in environ else None
        if found:
            return tuple(int(each) for each in found.groups() if each)
    major, minor = environ.get("HOUDINI_MAJOR_RELEASE", ""), environ.get("HOUDINI_MINOR_RELEASE", "")
    if major.isdigit() and minor.isdigit():
        return (int(major), int(minor))
    named = re.search(_FOLDER, os.path.basename(folder))
    return (int(named[1]), int(named[2])) if named else ()


def version_text(folder: str) -> str:
    """``20.5`` of ``/home/user/houdini20.5``."""
    return os.path.basename(folder).removeprefix("houdini")


def _set_user_folder(environ: Mapping[str, str]) -> str:
    """The user's folder as HOUDINI_USER_PREF_DIR names it; ``__HVER__`` in it stands for the version."""
    text = environ.get("HOUDINI_USER_PREF_DIR", "")
    if "__HVER__" not in text:
        return expanded(text, environ)
    version = houdini_version(environ)
    if version:
        return expanded(text.replace("__HVER__", ".".join(map(str, version[:2]))), environ)
    before, _, after = expanded(text, environ).partition("__HVER__")
    directory, prefix = os.path.split(before)
    shape = re.compile(re.escape(prefix) + r"(\d+)\.(\d+)" + r"$")
    names = os.listdir(directory) if os.path.isdir(directory) else []
    versions = [(int(match[1]), int(match[2]), name) for name in names if (match := shape.match(name))]
    return os.path.join(directory, max(versions)[2]) + after if versions else ""


def _default_user_folder(environ: Mapping[str, str]) -> str:
    """The user's folder of the version that the environment names, else of the newest one; empty without any."""
    folders = user_folders(_home(environ))
    version = houdini_version(environ)[:2]
    named = [each for each in folders if version and version_text(each) == ".".join(map(str, version))]
    return next(iter(named or folders), "")


def _uses_default_path(environ: Mapping[str, str]) -> bool:
    """HOUDINI_PATH replaces the default path, of which the user's folder is part, unless it has the sign for it."""
    entries = split_path(environ.get("HOUDINI_PATH", ""))
    return not entries or _DEFAULT in entries


def _path_roots(environ: Mapping[str, str], folder: str) -> Iterator[tuple[str, str, bool]]:
    entries = split_path(environ.get("HOUDINI_PATH", "")) or [_DEFAULT]
    for entry in entries:
        if entry == _DEFAULT:
            site = _site_root(environ, folder)
            if site:
                yield site, "HSITE", True
        elif (path := expanded(entry, environ)) != "":
            yield path, "HOUDINI_PATH", True


def _site_root(environ: Mapping[str, str], folder: str) -> str:
    version = houdini_version(environ, folder)
    site = environ.get("HSITE", "")
    return expanded(os.path.join(site, f"houdini{version[0]}.{version[1]}"), environ) if site and version else ""


def _package_roots(
    environ: Mapping[str, str], folder: str, roots: list[tuple[str, str, bool]], found: HoudiniPlaces
) -> list[tuple[str, str, bool]]:
    """What package files add to HOUDINI_PATH. They are read only where there are any."""
    directories = [folder, _site_root(environ, folder)]
    directories = [os.path.join(each, "packages") for each in directories if each]
    for name in ("HOUDINI_PACKAGE_DIR", "HOUDINI_PACKAGE_PATH"):
        paths = (expanded(each, environ) for each in split_path(environ.get(name, "")) if each != _DEFAULT)
        directories += [each for each in paths if each]
    directories += [os.path.join(root, "packages") for root, _, _ in roots]
    present = [each for each in dict.fromkeys(directories) if os.path.isdir(each)]
    if not present:
        return []
    from topcook.factory.houdinipackages import read_packages

    read = read_packages(present, environ, houdini_version(environ, folder))
    found.problems += read.problems
    found.notes += read.notes
    return read.roots


def _shipped(path: str, environ: Mapping[str, str]) -> bool:
    """Whether a directory is part of an installed Houdini."""
    place = resolved(path)
    for name in ("HFS", "HH"):
        root = expanded(environ.get(name, ""), environ)
        if root and (resolved(root) == place or place.startswith(resolved(root) + os.sep)):
            return True
    return False
