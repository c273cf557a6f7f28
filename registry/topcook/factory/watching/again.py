"""Looking at the types path once more: only what was touched, and executing only what is another file now."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from topcook.factory.records import Record, State
from topcook.factory.slots import Key, by_key, key_of, not_probed, precedence
from topcook.factory.typespath import TypesEntry
from topcook.factory.versions import kept_in_memory
from topcook.factory.watching.survey import Survey
from topcook.lean import dataclass, field

if TYPE_CHECKING:
    from topcook.factory.scan import Factory
    from topcook.factory.sources import Candidate
    from topcook.factory.watching.probes import Probes

__all__ = ["Looked", "Touched", "concerns", "look_again"]

#: Candidates and their records, in order of precedence.
Looked = dict[Key, tuple["Candidate", list[Record]]]


@dataclass(slots=True)
class Touched:
    """What is not as it was: below which entries, which files, and which modules came or went."""

    entries: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)

    @classmethod
    def between(cls, before: Iterable[Survey | None], now: Iterable[Survey]) -> Touched:
        """What differs between two walks; of an entry that was never walked, everything."""
        touched = cls()
        for old, new in zip(before, now, strict=True):
            if new.error is not None:
                continue
            if old is None:
                touched.entries.add(new.entry)
            elif new.differs(old):
                touched.entries.add(new.entry)
                came_or_went = old.files.keys() ^ new.files.keys()
                both = old.files.keys() & new.files.keys()
                touched.paths |= came_or_went | {path for path in both if old.files[path] != new.files[path]}
                touched.modules |= {_module(path) for path in came_or_went}
        return touched


def _module(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.basename(folder) if name == "__init__.py" else name.removesuffix(".py")


def look_again(factory: Factory, touched: Touched, probes: Probes, *, patient: bool) -> Looked:
    """Every candidate in order of precedence with its records, those of a file that did not change the same list.

    A file that is another one now is recalled from the index, or executed; one that takes long is not probed yet,
    unless the caller is ``patient``. Nothing of it holds yet.
    """
    known = factory.candidates()
    entries = factory.entries()
    found: list[Candidate] = []
    for entry in entries:
        if entry.path in touched.entries:
            found += factory.candidates_of(entry)
        else:
            found += [each for each, _ in known.values() if _is_of(each, entry)]
    # Entry points, and what the program added itself.
    found += [each for each, _ in known.values() if not any(_is_of(each, entry) for entry in entries)]
    candidates = by_key(found)
    mention = _mention(touched.modules)
    stale = [
        each
        for key, each in candidates.items()
        if key not in known or (each is not known[key][0] and _is_stale(each, *known[key], touched, mention))
    ]
    for each in stale:
        _pin(known.get(key_of(each), (each, []))[1])
    probes.heard(touched)
    probes.drop(map(key_of, stale))
    fresh, unknown = factory.recalled(stale)
    fresh |= probes.probed(unknown, patient=patient)
    fresh |= {id(each): [not_probed(each)] for each in unknown if id(each) not in fresh}
    # Meanwhile the background may have found out about files that are as they were.
    known |= factory.candidates()
    looked = {key: (each, fresh[id(each)]) if id(each) in fresh else known[key] for key, each in candidates.items()}
    return dict(sorted(looked.items(), key=precedence))


def _is_of(candidate: Candidate, entry: TypesEntry) -> bool:
    origin = candidate.origin
    return origin.tier is entry.tier and entry.path in {origin.root, candidate.path}


def _is_stale(
    now: Candidate, before: Candidate, records: Sequence[Record], touched: Touched, mention: re.Pattern[bytes] | None
) -> bool:
    """Whether a file that was known may be another one, or one that may not be executed any more."""
    if now.stamp != before.stamp or now.refused != before.refused or now.disabled != before.disabled:
        return True
    if now.path in touched.paths:
        return True
    if any(record.state is State.NOT_PROBED for record in records):
        # Somebody is about to probe it as it is.
        return False
    return _concerns(touched.paths, mention, now, records)


def concerns(touched: Touched, candidate: Candidate, records: Sequence[Record]) -> bool:
    """Whether a file that gave these records may give others since something was touched."""
    return _concerns(touched.paths, _mention(touched.modules), candidate, records)


def _concerns(
    paths: set[str], mention: re.Pattern[bytes] | None, candidate: Candidate, records: Sequence[Record]
) -> bool:
    files = _files(candidate, records)
    if candidate.is_package:
        inside = os.path.dirname(candidate.path) + os.sep
        if any(path.startswith(inside) for path in paths):
            return True
    return any(path in paths for path in files) or (
        mention is not None and any(_mentions(path, mention) for path in files)
    )


def _files(candidate: Candidate, records: Sequence[Record]) -> Sequence[str]:
    """The files of the version that the records speak of; of a file that has none, itself."""
    version = records[0].version if records else None
    if version is None or len(version.files) <= 1:
        return (candidate.path,)
    return [path for path, _ in version.files]


def _mention(modules: set[str]) -> re.Pattern[bytes] | None:
    """What code has in it that may import one of these modules."""
    if not modules:
        return None
    names = b"|".join(re.escape(os.fsencode(each)) for each in sorted(modules))
    return re.compile(rb"\b(?:" + names + rb")\b")


def _mentions(path: str, mention: re.Pattern[bytes]) -> bool:
    try:
        with open(path, "rb") as stream:
            return mention.search(stream.read()) is not None
    except OSError:
        return False


def _pin(records: Sequence[Record]) -> None:
    """Hold on to the bytes of a version that may have to serve on when its file is broken: an index may drop them."""
    for version in {id(each.version): each.version for each in records if each.version is not None}.values():
        try:
            contents = version.contents()
        except (LookupError, OSError):
            continue
        version.fetch = kept_in_memory((path, digest, contents[path]) for path, digest in version.files)
