"""What a new look at the types path means for the records of before: what serves, what is broken, what is gone.

Pure: records in, records out. The rule is by file, because a file is what an author saves.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence

from topcook.errors import Problem
from topcook.factory.records import BrokenEdit, Kind, Record, State
from topcook.factory.slots import Key
from topcook.lean import dataclass, field

__all__ = ["ByFile", "Change", "as_on_disk", "merge"]

#: The records of each candidate.
ByFile = dict[Key, list[Record]]
_NONE: list[Record] = []

#: The file gives what it says, or somebody decided that it shall not: both hold at once.
_GOOD = frozenset({State.OK, State.SHADOWED})
#: A file that is not to be trusted any more does not serve in an older version either.
_UNTRUSTED = "untrusted"


@dataclass(frozen=True, slots=True)
class Change:
    """How the records differ from those of before.

    ``changed`` are types that serve in a new version, or whose state is another; ``failed`` those of files that are
    broken now, whether an older version of them serves or not; ``mended`` those that serve the file's own version
    again.
    """

    added: tuple[Record, ...] = ()
    changed: tuple[Record, ...] = ()
    removed: tuple[Record, ...] = ()
    failed: tuple[Record, ...] = ()
    mended: tuple[Record, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.changed or self.removed or self.failed or self.mended)


@dataclass(slots=True)
class _Sheet:
    added: list[Record] = field(default_factory=list)
    changed: list[Record] = field(default_factory=list)
    removed: list[Record] = field(default_factory=list)
    failed: list[Record] = field(default_factory=list)
    mended: list[Record] = field(default_factory=list)

    def change(self) -> Change:
        return Change(*(tuple(each) for each in (self.added, self.changed, self.removed, self.failed, self.mended)))


def merge(before: ByFile, now: ByFile, found_at: Mapping[Key, float], at: float) -> tuple[ByFile, Change]:
    """The records that hold from now on, by the file that gave them, and how they differ from ``before``.

    ``found_at`` says since when the version of each file serves, in seconds since the epoch; ``at`` is now. The records
    of a file that did not change are the very same list.
    """
    sheet = _Sheet()
    held: ByFile = {}
    for file, fresh in now.items():
        known = before.get(file, _NONE)
        held[file] = known if fresh is known else _file(known, fresh, sheet, found_at.get(file, at), at)
    for file in before.keys() - now.keys():
        sheet.removed += [record for record in before[file] if record.kind is not Kind.UNKNOWN]
    return held, sheet.change()


def as_on_disk(records: Iterable[Record]) -> list[Record]:
    """The records without what this process remembers: of a broken edit those of the file as it stands."""
    result: list[Record] = []
    for record in records:
        found = record.edit.records if record.edit is not None else (record,)
        result += [each for each in found if not any(each is other for other in result)]
    return result


def _file(known: list[Record], fresh: list[Record], sheet: _Sheet, found: float, at: float) -> list[Record]:
    """The records of one file."""
    served = [record for record in known if record.state in _GOOD and record.kind is not Kind.UNKNOWN]
    if any(record.state is State.NOT_PROBED for record in fresh) and served:
        return known
    if served and _is_broken(fresh):
        return _keep(known, served, fresh, sheet, found, at)
    if _same(known, fresh):
        return known
    _compare(known, fresh, sheet)
    return fresh


def _keep(
    known: list[Record], served: list[Record], fresh: list[Record], sheet: _Sheet, found: float, at: float
) -> list[Record]:
    """The last good version, with what is wrong with the file now."""
    edit = served[0].edit
    if edit is not None and _same(edit.records, fresh):
        return known
    edit = BrokenEdit(tuple(fresh), at, edit.serving_of if edit is not None else found)
    kept = [_with_edit(record, edit) for record in served]
    sheet.failed += kept
    return kept


def _with_edit(record: Record, edit: BrokenEdit) -> Record:
    # A reader may hold the old record: it stays as it was.
    record = copy.copy(record)
    record.edit = edit
    return record


def _is_broken(fresh: Sequence[Record]) -> bool:
    """Whether a file that gave types gives none, or bad ones, without anybody having decided so."""
    if any(problem.code.startswith(_UNTRUSTED) for record in fresh for problem in record.problems):
        return False
    return any(record.state in {State.FAILED, State.INVALID, State.SKIPPED} for record in fresh)


def _compare(known: list[Record], fresh: list[Record], sheet: _Sheet) -> None:
    # What was only guessed of a file counts for nothing once it is known.
    old = {(record.kind, record.name.lower()): record for record in known if record.state is not State.NOT_PROBED}
    for record in fresh:
        former = old.pop((record.kind, record.name.lower()), None)
        if former is not None and former.edit is not None and record.state in _GOOD:
            sheet.mended.append(record)
        elif record.state is State.NOT_PROBED and not record.problems:
            sheet.changed.append(record)
        elif record.state not in _GOOD and record.state is not State.SKIPPED:
            sheet.failed.append(record)
        elif former is None:
            sheet.added.append(record)
        else:
            sheet.changed.append(record)
    sheet.removed += [record for record in old.values() if record.state in _GOOD]


def _same(known: Sequence[Record], fresh: Sequence[Record]) -> bool:
    return len(known) == len(fresh) and all(map(_equal, known, fresh))


def _equal(one: Record, other: Record) -> bool:
    return one is other or (one.edit is None and _face(one) == _face(other))


def _face(record: Record) -> tuple[str, Kind, State, str, str, list[Problem]]:
    state = State.OK if record.state is State.SHADOWED else record.state
    return record.name, record.kind, state, record.content_hash, record.reason, record.problems
