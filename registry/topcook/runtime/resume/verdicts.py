"""The verdict on one item: done already, to be cooked (again), or in flight; and why."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from topcook.lean import dataclass, field
from topcook.machine.phases import DONE_BADLY, DONE_WELL, LOST, SETTLED, Phase
from topcook.model.enums import CacheMode
from topcook.model.states import SUCCESSFUL, WorkItemState
from topcook.model.workitem import Trait
from topcook.runtime.resume.fingerprints import difference, is_early
from topcook.runtime.resume.stamps import stands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from topcook.model.attributes import Attribute
    from topcook.model.workitem import WorkItem
    from topcook.runtime.journal import PastItem
    from topcook.runtime.resume.settings import Settings

__all__ = [
    "Finding",
    "Verdict",
    "judge",
    "judge_apart",
    "judge_automatic",
    "judge_batch",
    "judge_part",
    "maybe_in_flight",
    "unseen_cause",
]

_AUTOMATIC = int(Trait.AUTOMATIC)
#: How far up the cause of a change is looked for.
_FARTHEST = 200
#: How many sub-items that did not succeed are named.
_MOST_NAMED = 3
#: The reason of an item that an earlier session did not come to.
NOT_COOKED = "it was not cooked before"
_NOTHING_TO_GO_BY = "it has no outputs to go by"


class Verdict(Enum):
    """What is to become of an item; the value is how it is told."""

    DONE = "done"
    COOK = "cook"
    FAILED = "failed before"
    IN_FLIGHT = "in flight"


@dataclass(slots=True)
class Finding:
    """What was found about an item: ``past`` is what is known of it, ``fingerprint`` what it would do now."""

    item: WorkItem
    verdict: Verdict
    reason: str = ""
    fingerprint: str = ""
    past: PastItem | None = None
    #: Of a batch that is looked up as a whole, those of its sub-items.
    parts: list[Finding] = field(default_factory=list)
    #: Of a sub-item: what a job of its batch that may still run has made of it, or will, does not do.
    spoils: bool = False


def judge(
    item: WorkItem,
    past: PastItem | None,
    fingerprint: str,
    how: Settings,
    mode: CacheMode,
    *,
    validate: bool,
    name_of: Callable[[str], WorkItem | None],
    unseen: Mapping[int, WorkItem | None],
    attempts: Mapping[int, int],
) -> Finding:
    """The verdict on an item that has something to cook, and whose dependencies are done.

    ``mode`` is its node's cache mode, ``validate`` says whether outputs are looked for on disk, ``name_of`` gives an
    item by its key. ``unseen`` is what ``unseen_cause`` answered for items that cook nothing themselves, by id.
    ``attempts`` are the last ones of earlier sessions, by id.
    """
    if mode is CacheMode.AlwaysRead:
        return _read_only(item, past, fingerprint, how)
    if past is None:
        return Finding(item, Verdict.COOK, "it is new", fingerprint)
    found = Finding(item, Verdict.COOK, "", fingerprint, past)
    if maybe_in_flight(past):
        found.reason = "it was in flight"
        changed = _change(item, past, fingerprint, CacheMode.Automatic, name_of) or _renewed(item, past, attempts)
        if how.resume and not changed:
            found.verdict = Verdict.IN_FLIGHT
        elif changed:
            found.reason = changed
        return found
    if past.state is WorkItemState.CookedFail and how.resume:
        found.reason = "it failed before"
        if not how.retry_failed and not _change(item, past, fingerprint, mode, name_of):
            found.verdict = Verdict.FAILED
        return found
    found.reason = (
        _why_again(item, past, fingerprint, how, mode, name_of)
        or _missing(item, past, validate=validate)
        or _why_unseen(item, mode, unseen)
    )
    if not found.reason:
        found.verdict = Verdict.DONE
    return found


def judge_batch(whole: Finding, parts: list[Finding]) -> Finding:
    """The verdict on a batch, by that on its job alone and those on its sub-items: all of it is done, or it cooks."""
    past, whole.parts = whole.past, parts
    if past is None or whole.verdict is Verdict.FAILED:
        return whole
    if whole.verdict is Verdict.IN_FLIGHT:
        other = next((each for each in parts if each.verdict not in {Verdict.DONE, Verdict.IN_FLIGHT}), None)
        if other is not None:
            whole.verdict, whole.reason = Verdict.COOK, f'"{other.item.name}": {other.reason}'
        return whole
    again = next((each for each in parts if each.verdict is not Verdict.DONE), None)
    if past.state not in SUCCESSFUL:
        whole.reason = whole.reason or NOT_COOKED
    elif again is not None:
        whole.reason = f'"{again.item.name}": {again.reason}'
    elif whole.verdict is Verdict.DONE or whole.reason == _NOTHING_TO_GO_BY:
        whole.verdict, whole.reason = Verdict.DONE, ""
        return whole
    whole.verdict = Verdict.COOK
    return whole


def judge_part(found: Finding) -> Finding:
    """The verdict on a sub-item that is looked up by itself, where a job of its batch may still run."""
    past = found.past
    if past is None:
        found.spoils = found.verdict is Verdict.COOK
    elif maybe_in_flight(past):
        # What it would do is noted as soon as it begins.
        found.spoils = found.verdict is not Verdict.IN_FLIGHT and bool(past.fingerprint)
        found.verdict = Verdict.COOK
    else:
        found.spoils = found.verdict is Verdict.COOK
    return found


def judge_apart(whole: Finding, subs: list[WorkItem], *, spoiled: bool) -> Finding:
    """The verdict on a batch whose sub-items were looked up by themselves; ``spoiled``: a job has some otherwise."""
    lost = [sub for sub in subs if sub.phase in LOST]
    if all(sub.phase in DONE_WELL for sub in subs):
        whole.verdict, whole.reason = Verdict.DONE, ""
    elif all(sub.phase in SETTLED for sub in subs):
        whole.verdict = Verdict.FAILED
        whole.reason = f"not all of its sub-items succeeded: {', '.join(sub.name for sub in lost[:_MOST_NAMED])}"
    elif whole.verdict is not Verdict.IN_FLIGHT or spoiled:
        whole.verdict = Verdict.COOK
        if not whole.reason or whole.reason == _NOTHING_TO_GO_BY:
            whole.reason = "not all of its sub-items are done"
    return whole


def maybe_in_flight(past: PastItem) -> bool:
    """Whether it was handed over, and nobody knows how that ended; also if a later session ended before it asked.

    Of an attempt that has failed, and was to be followed by another one, it is known.
    """
    if past.in_flight or past.state is not WorkItemState.Uncooked or not past.token:
        return past.in_flight
    number = past.token.rpartition("-")[2]
    return not any(str(each.number) == number for each in past.earlier)


def _read_only(item: WorkItem, past: PastItem | None, fingerprint: str, how: Settings) -> Finding:
    """PDG's "read files": what is there is taken, and nothing is ever written."""
    if past is not None and past.state in SUCCESSFUL and (past.outputs or how.resume):
        missing = _missing(item, past, validate=True)
    else:
        past = None
        missing = next((_gone(file.path) for file in item.expected_outputs or () if not stands(file.path)), "")
        if not item.expected_outputs:
            missing = "it declares no outputs that could be read"
    if missing:
        return Finding(item, Verdict.FAILED, f"{missing}, and pdg_cachemode says to read only", fingerprint)
    return Finding(item, Verdict.DONE, "", fingerprint, past)


def _why_again(
    item: WorkItem,
    past: PastItem,
    fingerprint: str,
    how: Settings,
    mode: CacheMode,
    name_of: Callable[[str], WorkItem | None],
) -> str:
    if past.state not in SUCCESSFUL:
        return "it failed before" if past.state is WorkItemState.CookedFail else NOT_COOKED
    if not how.resume and mode is CacheMode.AlwaysWrite:
        return "pdg_cachemode says to write always"
    if not how.resume and not past.outputs:
        return _NOTHING_TO_GO_BY
    if past.lost:
        return f'the value of its attribute "{past.lost[0]}" could not be kept'
    return _change(item, past, fingerprint, mode, name_of)


def _change(
    item: WorkItem, past: PastItem, fingerprint: str, mode: CacheMode, name_of: Callable[[str], WorkItem | None]
) -> str:
    if not past.fingerprint or (is_early(past.fingerprint) and not maybe_in_flight(past)):
        return "what it did then is not known"
    words, keys = difference(past.fingerprint, fingerprint)
    if words in {"input changed", "it depends on other work items"}:
        if mode is CacheMode.AutomaticIgnore:
            return ""
        inputs = [each for each in map(name_of, keys) if each is not None] or item.dependencies
        cause = cooked_again(inputs)
        if cause is not None:
            return f'depends on "{cause.name}", which cooks again'
        if keys:
            return f'input "{inputs[0].name}" changed'
    return words


def _renewed(item: WorkItem, past: PastItem, attempts: Mapping[int, int]) -> str:
    """Of an item that was handed over before what it depends on was done: which of that is another attempt by now."""
    if not is_early(past.fingerprint):
        return ""
    todo, seen = list(item.dependencies), set()
    for needed in todo:
        if needed.id in seen:
            continue
        seen.add(needed.id)
        if int(needed.traits) & _AUTOMATIC:
            todo += needed.dependencies
        elif needed.phase != Phase.CACHED and needed.attempt != attempts.get(needed.id):
            return f'depends on "{needed.name}", which cooks again'
    return ""


def unseen_cause(item: WorkItem, unseen: Mapping[int, WorkItem | None]) -> WorkItem | None:
    """What an item depends on that was cooked in this cook and left no output to tell whether it gave the same."""
    for needed in item.dependencies:
        if int(needed.traits) & _AUTOMATIC:
            cause = unseen.get(needed.id)
            if cause is not None:
                return cause
        elif needed.phase in {Phase.SUCCESS, *DONE_BADLY} and not needed.outputs:
            return needed
    return None


def _why_unseen(item: WorkItem, mode: CacheMode, unseen: Mapping[int, WorkItem | None]) -> str:
    cause = unseen_cause(item, unseen) if mode is not CacheMode.AutomaticIgnore else None
    return f'depends on "{cause.name}", which cooks again' if cause is not None else ""


def cooked_again(inputs: Iterable[WorkItem]) -> WorkItem | None:
    """The nearest item up the graph that was cooked in this cook, ``None`` when there is none near."""
    todo, seen = list(inputs), set()
    for item in todo:
        if item.id in seen:
            continue
        seen.add(item.id)
        if not int(item.traits) & _AUTOMATIC:
            if item.phase in {Phase.SUCCESS, *DONE_BADLY}:
                return item
        elif item.phase != Phase.CACHED and len(todo) < _FARTHEST:
            todo += item.dependencies
    return None


def _missing(item: WorkItem, past: PastItem, *, validate: bool) -> str:
    if not validate:
        return ""
    known = {file.path for file in past.outputs}
    declared = (file.path for file in item.expected_outputs or () if not known)
    return next((_gone(path) for path in (*known, *declared) if not stands(path)), "")


def _gone(path: str) -> str:
    return f'output "{path}" is missing'


def judge_automatic(item: WorkItem, past: PastItem | None) -> Finding:
    """The verdict on an item that cooks nothing itself: done as before when all it is made of is."""
    if past is None or past.state not in SUCCESSFUL:
        return Finding(item, Verdict.COOK, "it is new")
    if any(needed.phase != Phase.CACHED for needed in item.dependencies):
        return Finding(item, Verdict.COOK, "what it is made of was cooked again")
    changed = [name for name, each in (item.attributes or {}).items() if _differs(each, past.attributes.get(name))]
    if changed:
        return Finding(item, Verdict.COOK, f"attributes changed: {', '.join(changed[:4])}")
    return Finding(item, Verdict.DONE)


def _differs(mine: Attribute, theirs: Attribute | None) -> bool:
    return theirs is None or mine.type != theirs.type or repr(mine.values) != repr(theirs.values)
