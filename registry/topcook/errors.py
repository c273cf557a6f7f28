"""Every error Topcook raises, in one tree.

The form is the same everywhere: the first line states the fact, in lower case with names in quotes;
indented lines after it say where, why, and what to type next.
This module imports nothing of ours, so that every layer may raise from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.lean import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing a check found: what, where, and what to do about it.

    ``line`` and ``column`` count from 1; ``None`` where the place is not known. ``end_column`` is the column behind
    the last character that is meant, on the same line. A message may end in ``; found …``, ``; expected …`` or both:
    where the line is quoted, that part stands at the place itself.
    """

    code: str
    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None
    end_column: int | None = None

    @property
    def place(self) -> str:
        """The place as ``path:line:column``, as far as it is known."""
        parts = [self.path or ""]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)

    def row(self) -> dict[str, str | int | None]:
        """The problem as commands print it with ``--json``."""
        return {
            "code": self.code,
            "message": self.message,
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "hint": self.hint,
        }

    def __str__(self) -> str:
        """The problem as it is printed: place, message, then the hint on its own line."""
        head = f"{self.place}: {self.message}" if self.path else self.message
        return f"{head}\n    {self.hint}" if self.hint else head


class TopcookError(Exception):
    """Base of everything Topcook raises on purpose."""


class ProblemsError(TopcookError):
    """A check found problems; all of them are carried, never only the first."""

    def __init__(self, problems: Sequence[Problem], summary: str = "") -> None:
        """Keep the problems; ``summary`` is the first line (default: how many there are)."""
        self.problems = list(problems)
        self.summary = summary
        super().__init__(summary)

    def __str__(self) -> str:
        """The summary line, then each problem indented by two."""
        lines = [self.summary] if self.summary else []
        indent = "  " if self.summary else ""
        for problem in self.problems:
            lines += [indent + line for line in str(problem).splitlines()]
        return "\n".join(lines)


class GraphFileError(ProblemsError):
    """A network or item graph file has mistakes; nothing was run."""


class CycleError(TopcookError):
    """Dependencies form a loop; ``chain`` lists its members, the first one repeated at the end."""

    def __init__(self, chain: Iterable[str]) -> None:
        """Keep the loop as a list of names."""
        self.chain = list(chain)
        super().__init__("dependencies form a loop: " + " -> ".join(self.chain))


class UnknownSchedulerError(TopcookError):
    """No usable scheduler has the asked-for name; the text says what the records know of it."""

    def __init__(self, name: str, answer: str) -> None:
        """Keep the name; ``answer`` is the full explanation built from the factory's records."""
        self.name = name
        super().__init__(answer)


class UnknownTypeError(TopcookError):
    """No usable node type has the asked-for name."""

    def __init__(self, name: str, answer: str) -> None:
        """Keep the name; ``answer`` is the full explanation built from the factory's records."""
        self.name = name
        super().__init__(answer)


class SchedulerLoadError(ProblemsError):
    """A types module could not be executed."""


class SchedulerContractError(ProblemsError):
    """A scheduler class does not fulfil the contract table; all problems at once."""


class CallbackError(TopcookError):
    """A callback raised, or returned what its row in the contract table does not allow."""


class ExpressionError(TopcookError):
    """A parm's expression names what the work item does not have, or cannot be read.

    ``source`` is the part of the text that is wrong, as it is written there; empty where it is not known.
    """

    def __init__(self, message: str, source: str = "") -> None:
        """Keep the text and the part it speaks of."""
        self.source = source
        super().__init__(message)


class ConfigError(ProblemsError):
    """A configuration file has mistakes."""


class RecursionTrapError(TopcookError):
    """Two path callbacks call each other without end (``workingDir`` and ``localizePath``)."""


class CookRefusedError(TopcookError):
    """A cook cannot start; nothing was run."""


class RecorderError(TopcookError):
    """What happened could not be recorded, so nothing that follows from it is carried out."""


class InvalidTransition(TopcookError):  # noqa: N818 - the established name of the field (distributed)
    """The machine was asked for a transition its table does not declare: a bug in Topcook.

    ``story`` holds the lines of the log that concern the item.
    """

    def __init__(self, item: int, phase: str, event: str, story: Sequence[str]) -> None:
        """Keep the item id, the pair that has no row, and the item's story."""
        self.item, self.phase, self.event, self.story = item, phase, event, list(story)
        told = "\n".join(f"    {line}" for line in self.story) or "    (no story)"
        super().__init__(f'work item {item}: no transition from "{phase}" on "{event}"\n  its story:\n{told}')


class ForeignPdgError(TopcookError):
    """``import pdg`` finds somebody else's package."""


class InternalError(TopcookError):
    """An invariant of Topcook is broken; please report it."""


class CookError(TopcookError):
    """What a callback raises to make its own call fail (``pdg.CookError``)."""


class HoudiniNeededError(TopcookError, AttributeError):
    """Something that only a running Houdini has was asked for."""


class ServiceError(TopcookError):
    """What a service raises when it cannot start or answer (``pdg.ServiceError``)."""
