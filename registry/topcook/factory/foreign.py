"""Make sure that ``import pdg`` means Topcook's façade.

Houdini has a package of that name, and so has the Particle Data Group on PyPI; pip lets one overwrite the
other in silence. A scheduler that then fails with an odd ``AttributeError`` would be looked for in the wrong place.
"""

from __future__ import annotations

import os
import sys

from topcook.errors import ForeignPdgError

__all__ = ["check_pdg_is_ours"]

MARKER = "TOPCOOK"


def check_pdg_is_ours() -> None:
    """Raise ``ForeignPdgError`` unless ``pdg`` is the package that came with this Topcook, every file of it.

    Imports nothing, so that it can be asked before anything of an author's is.
    """
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    ours = os.path.join(home, "pdg", "__init__.py")
    loaded = sys.modules.get("pdg")
    if loaded is not None and not hasattr(loaded, MARKER):
        raise _foreign(str(getattr(loaded, "__file__", None) or "built into this program"), ours)
    found = _found_by_import()
    if found is None:
        raise ForeignPdgError(
            f'there is no package "pdg" to import\n    expected {ours}\n    install Topcook anew: '
            f"{sys.executable} -m pip install --force-reinstall topcook"
        )
    if os.path.realpath(found) != os.path.realpath(ours):
        raise _foreign(found, ours)
    for path in _overwritten(home, ours):
        raise _foreign(path, ours, overwritten=True)


def _found_by_import() -> str | None:
    from importlib.util import find_spec

    try:
        spec = find_spec("pdg")
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    return spec.origin or next(iter(spec.submodule_search_locations or ()), None)


def _overwritten(home: str, ours: str) -> list[str]:
    """Façade files that are not as they were installed; an editable install has only the marker to go by."""
    with open(ours, "rb") as stream:
        if not any(line.startswith(MARKER.encode()) for line in stream):
            return [ours]
    return [os.path.join(home, name) for name, digest in _recorded(home) if _digest(os.path.join(home, name)) != digest]


def _recorded(home: str) -> list[tuple[str, str]]:
    """The façade's files and digests as the installer wrote them down."""
    for folder in sorted(os.listdir(home)):
        record = os.path.join(home, folder, "RECORD")
        if folder.startswith("topcook-") and folder.endswith(".dist-info") and os.path.isfile(record):
            import csv

            with open(record, encoding="utf-8", newline="") as stream:
                rows = [row for row in csv.reader(stream) if len(row) >= 2]  # noqa: PLR2004 - path, hash, size
            return [(row[0], row[1]) for row in rows if row[0].startswith("pdg/") and row[1].startswith("sha256=")]
    return []


def _digest(path: str) -> str:
    import base64
    import hashlib

    try:
        with open(path, "rb") as stream:
            digest = hashlib.sha256(stream.read()).digest()
    except OSError:
        return ""
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _foreign(path: str, ours: str, *, overwritten: bool = False) -> ForeignPdgError:
    owner = _owner()
    whose = f", of the distribution {owner}" if owner else ""
    said = (
        "the package was changed after Topcook was installed" if overwritten else '"import pdg" finds another package'
    )
    first = owner.partition(" ")[0]
    mend = (
        f"{sys.executable} -m pip uninstall {first}; {sys.executable} -m pip install --force-reinstall topcook"
        if first
        else "run Topcook in an environment of its own: python3 -m venv, then pip install topcook"
    )
    return ForeignPdgError(f'"pdg" is not Topcook\'s: {said}\n    found {path}{whose}\n    expected {ours}\n    {mend}')


def _owner() -> str:
    """The other distribution that brings a top-level ``pdg``, with its version; empty when there is none."""
    from importlib_metadata import distributions

    for distribution in distributions():
        try:
            name, files = distribution.name, distribution.files or ()
            if name.lower() != "topcook" and any(str(each).startswith("pdg/") for each in files):
                return f"{name} {distribution.version}"
        except Exception:  # noqa: BLE001, S112 - a distribution without readable metadata cannot be named, others can
            continue
    return ""
