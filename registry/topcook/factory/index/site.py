"""The sealed index of a shared types directory: made once, read by all who use the directory.

It lies in the directory itself and is believed as far as the files beside it are: whoever may write it could write
them. It names no absolute path, and no outcome is believed where other modules are installed than where it was made.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from topcook.errors import TopcookError
from topcook.factory.index.database import Database
from topcook.factory.index.environment import interpreter_key
from topcook.factory.index.place import SITE_NAME
from topcook.factory.index.rows import SCHEMA
from topcook.factory.index.store import Index

if TYPE_CHECKING:
    from topcook.config import Config
    from topcook.factory.records import Record
    from topcook.factory.trust import Trust

__all__ = ["SiteIndexError", "SiteState", "build_site", "site_index", "site_key", "site_states"]


class SiteIndexError(TopcookError):
    """A sealed index could not be made."""


def site_key(environ: Mapping[str, str]) -> str:
    """What the outcomes of a sealed index hang on beside files and modules: interpreter, Topcook, the contract."""
    from topcook.contract.callbacks import VERSION

    return f"{interpreter_key()} contract {VERSION} {environ.get('TOPCOOK_HOU', '')}"


def site_index(directory: str, trust: Trust | None, environ: Mapping[str, str]) -> Index | None:
    """The sealed index of a directory; None when it has none, or one that is not to be trusted."""
    path = os.path.join(directory, SITE_NAME)
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode) or (trust is not None and trust.refused(path, status)):
        return None
    return Index(Database(path, SCHEMA, sealed=True), site_key(environ), shared=True)


class SiteState(NamedTuple):
    """A sealed index on the types path: how many of its directory's files it answers for, and why it may not."""

    path: str
    known: int
    files: int
    notes: list[str]


def site_states(config: Config, environ: Mapping[str, str]) -> list[SiteState]:
    """The sealed indexes that a start would read, in the order of the types path; nothing is executed."""
    from topcook.factory.index.entries import Look
    from topcook.factory.sources import Rules, candidates_in
    from topcook.factory.trust import trust_of
    from topcook.factory.typespath import types_path

    entries = types_path(config, environ).entries
    trust = trust_of(config, entries)
    found = []
    for entry in entries:
        path = os.path.join(entry.path, SITE_NAME)
        if not os.path.exists(path):
            continue
        inside = [each for each in candidates_in(entry, Rules(trust, config)) if not each.refused and not each.disabled]
        index = site_index(entry.path, trust, environ)
        if index is None:
            notes = [each.message for each in trust.refused(path, os.stat(path))]
            found.append(SiteState(path, 0, len(inside), notes))
            continue
        known = len(index.recall(inside, Look()))
        index.database.close()
        found.append(SiteState(path, known, len(inside), [*index.notes]))
    return found


def build_site(directory: str, environ: Mapping[str, str]) -> list[Record]:
    """Probe all files of a directory in workers and seal what was found; returns the records.

    Raises ``SiteIndexError`` when the directory cannot be written to.
    """
    from topcook.factory.probing import WorkerPool
    from topcook.factory.scan import Factory

    directory = os.path.abspath(directory)
    final = os.path.join(directory, SITE_NAME)
    making = f"{final}.{os.getpid()}"
    index = Index(Database(making, SCHEMA), site_key(environ), shared=True)
    prober = WorkerPool(types_path=[directory])
    factory = Factory([], prober=prober, index=index)
    try:
        factory.add_path(directory)
        if index.notes or not os.path.exists(making):
            why = "; ".join(index.notes) or "it has no types files"
            raise SiteIndexError(f'no index was made in "{directory}": {why}')
        os.chmod(making, 0o644)
        os.replace(making, final)
    except OSError as error:
        raise SiteIndexError(f'no index was made in "{directory}": {error}') from error
    finally:
        factory.close()
        index.database.close()
        if os.path.exists(making):
            os.remove(making)
    return factory.records
