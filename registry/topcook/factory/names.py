"""Answer a name: the record that it gives, or all that is known of why it gives none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from topcook.factory.namebook import spellings
from topcook.factory.records import Kind, Record, State
from topcook.model.cells import printable

__all__ = ["close_names", "explain", "known", "state_told"]

_WHAT = {Kind.SCHEDULER: "scheduler", Kind.NODE: "node type", Kind.WORK_ITEM: "work item type"}
#: What to do about a record that has no problem with a hint of its own.
_REMEDIES = {
    State.SKIPPED: "if it is meant to be a types file, write: def registerTypes(type_registry): …",
    State.NOT_PROBED: "it is looked at in the background; at once: topcook check {path}",
}
#: How alike names are that are taken for each other; one that contains the other counts as much as the third.
_ALIKE_STEMS, _ALIKE, _CONTAINED = 0.6, 0.85, 0.75
_LEAST_PART, _MOST_CLOSE = 3, 3
#: What is that much less alike than the best is not meant.
_FARTHER = 0.15


def known(kind: Kind, name: str, records: Iterable[Record]) -> list[Record]:
    """All records that answer to a name, in order of precedence, and files that might have given a type so called."""
    wanted = set(spellings(kind, name))
    same = (record for record in records if record.kind in {kind, Kind.UNKNOWN})
    return [record for record in same if wanted & {record.name.lower(), *record.aliases}]


def explain(kind: Kind, name: str, records: Sequence[Record], usable: Sequence[str], looked_in: Iterable[str]) -> str:
    """The whole answer to a name that gives no usable type: what is known of it, what is close, where was looked."""
    what, asked = _WHAT[kind], printable(name)
    found = [record for record in known(kind, name, records) if not record.usable or record.state is State.NOT_PROBED]
    if found:
        lines = [f'{what} "{asked}" cannot be used', *(line for record in found for line in _told(record))]
        lines.append(f"the whole story: topcook doctor {found[0].name}")
    else:
        lines = [f'unknown {what} "{asked}"', *_of_another_kind(kind, name, records)]
        close = close_names(kind, name, records)
        if close:
            lines.append(f"did you mean {', or '.join(close)}?")
        elif usable:
            lines.append(f"there are: {', '.join(map(printable, usable))}")
        lines += [f"looked in {_place(place)}" for place in looked_in]
        lines.append("see all of them: topcook list --all")
    return "\n    ".join(lines)


def _told(record: Record) -> Iterator[str]:
    """Why one record cannot be used, where, and what to do about it."""
    first = next((each for each in record.problems if each.message == record.why_not()), None)
    first = first or next(iter(record.problems), None)
    yield state_told(record)
    yield f"    {printable(first.place if first is not None and first.path else record.place)}"
    hint = first.hint if first is not None else None
    for line in (hint or _REMEDIES.get(record.state, "")).splitlines():
        yield f"    {printable(line).format(path=record.origin.path) if hint is None else printable(line)}"
    more = len(record.problems) - 1
    if more > 0:
        yield f"    and {more} more problem{'s' if more > 1 else ''}: topcook check {printable(record.origin.path)}"


def state_told(record: Record) -> str:
    """The state of a record with the reason, where there is one: ``failed, because …``."""
    state, reason = record.state.value, printable(record.why_not() or record.reason)
    if not reason or reason == state:
        return state
    return reason if reason.startswith(state) else f"{state}, because {reason}"


def _of_another_kind(kind: Kind, name: str, records: Iterable[Record]) -> Iterator[str]:
    wanted = name.strip().lower()
    for record in records:
        if record.usable and record.name.lower() == wanted and record.kind not in {kind, Kind.UNKNOWN}:
            yield f'"{printable(record.name)}" is a {_WHAT[record.kind]}, no {_WHAT[kind]}'


def _place(place: str) -> str:
    missing = os.path.isabs(place) and not os.path.exists(place.removesuffix(" (built-in)"))
    return f"{printable(place)}{' (does not exist)' if missing else ''}"


def close_names(kind: Kind, name: str, records: Iterable[Record]) -> list[str]:
    """The names that are likest to a name, quoted, with the state of those that cannot be used; none when none is."""
    typed = name.strip().lower()
    ranked: dict[str, tuple[float, bool, str]] = {}
    for record in records:
        if record.kind in {kind, Kind.UNKNOWN} and record.state not in {State.SKIPPED, State.SHADOWED}:
            likeness = max(_likeness(typed, each) for each in _callings(record))
            state = "" if record.state is State.OK else f" ({record.state.value})"
            entry = (likeness, record.usable, f'"{printable(record.name)}"{state}')
            key = record.name.lower()
            ranked[key] = max(entry, ranked.get(key, entry))
    best = sorted((entry for entry in ranked.values() if entry[0] > 0), key=lambda each: (-each[0], not each[1]))
    return [text for likeness, _, text in best[:_MOST_CLOSE] if likeness > best[0][0] - _FARTHER]


def _callings(record: Record) -> set[str]:
    """What a person may call a type: its name, its label, its file."""
    path = record.origin.path.removesuffix(f"{os.sep}__init__.py")
    stem = os.path.splitext(os.path.basename(path))[0]
    return {record.name.lower(), record.label.lower() or record.name.lower(), stem.lower()}


def _likeness(typed: str, name: str) -> float:
    """How close two names are, 0 when not close at all.

    The ending that most names share would make each resemble every other, so it is left out, or asks for more.
    """
    import difflib

    short, stem = (each.removesuffix("scheduler").strip(" _") for each in (typed, name))
    if min(len(short), len(stem)) >= _LEAST_PART and (short in stem or stem in short):
        return 1.0 if short == stem else _CONTAINED
    stems = difflib.SequenceMatcher(None, short, stem)
    if stems.real_quick_ratio() < _ALIKE_STEMS:
        return 0.0
    whole = difflib.SequenceMatcher(None, typed, name).ratio()
    ratio = stems.ratio()
    return max(ratio if ratio >= _ALIKE_STEMS else 0.0, whole if whole >= _ALIKE else 0.0)
