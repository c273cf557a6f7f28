"""The ids of jobs and of array tasks, many in few words, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["condensed", "expanded", "numbers_of", "ranges"]

#: Slurm's own limit on the tasks of an array.
_MOST = 4_000_001
#: Tasks of an array in one word at most: a word of a command line has 128 KiB.
_IN_A_WORD = 4000


def ranges(numbers: Iterable[int]) -> str:
    """Numbers as Slurm writes them: ``0-4,7``."""
    words: list[str] = []
    first = last = None
    for number in sorted(set(numbers)):
        if first is None or last is None:
            first = last = number
        elif number == last + 1:
            last = number
        else:
            words.append(_range(first, last))
            first = last = number
    if first is not None and last is not None:
        words.append(_range(first, last))
    return ",".join(words)


def numbers_of(text: str) -> Iterator[int]:
    """The numbers of ``0-4,7`` or ``0-8:2%3``; what cannot be read is left out."""
    for word in text.partition("%")[0].strip("[]").split(","):
        span, _, step = word.partition(":")
        first, dash, last = span.partition("-")
        if first.isdigit() and (last.isdigit() or not dash) and (step.isdigit() or not step):
            end = min(int(last or first), int(first) + _MOST)
            yield from range(int(first), end + 1, max(1, int(step or 1)))


def condensed(ids: Iterable[str]) -> list[str]:
    """Ids of jobs and array tasks as few words for ``scancel``: ``7``, ``12_[0-4,9]``."""
    arrays: dict[str, list[int]] = {}
    words: list[str] = []
    for each in ids:
        job, _, task = each.partition("_")
        if task.isdigit():
            arrays.setdefault(job, []).append(int(task))
        else:
            words.append(each)
    for job, tasks in arrays.items():
        tasks.sort()
        pieces = (tasks[start : start + _IN_A_WORD] for start in range(0, len(tasks), _IN_A_WORD))
        words += [f"{job}_[{ranges(piece)}]" for piece in pieces]
    return words


def expanded(job: str, tasks: str) -> Iterator[str]:
    """The ids of the tasks of an array that ``squeue`` tells of in one line."""
    for task in numbers_of(tasks):
        yield f"{job}_{task}"


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
