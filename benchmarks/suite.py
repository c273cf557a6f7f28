"""Tables of figures, each held against its target where it has one, and how they are printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

#: A benchmark's door: its tables, one after the other, small ones with ``quick``.
Tables = Callable[..., Iterator["Table"]]


class Target(NamedTuple):
    """A bound: ``most``, or else least."""

    bound: float
    most: bool

    def met(self, value: float) -> bool:
        """Whether this value keeps to it."""
        return value <= self.bound if self.most else value >= self.bound

    def __str__(self) -> str:
        return f"{'<=' if self.most else '>='} {self.bound:g}"


def at_most(bound: float) -> Target:
    """A bound from above."""
    return Target(bound, most=True)


def at_least(bound: float) -> Target:
    """A bound from below."""
    return Target(bound, most=False)


class Row(NamedTuple):
    """What was measured: its name, the figures in words, the value that counts with its unit, and its target."""

    name: str
    figures: str
    value: float | None
    unit: str
    target: Target | None

    @property
    def verdict(self) -> str:
        """``ok``, ``missed``, or nothing where there is no target."""
        if self.target is None or self.value is None:
            return ""
        return "ok" if self.target.met(self.value) else "missed"


@dataclass
class Table:
    """Rows under a title, and what else is to be said."""

    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self, name: str, figures: str, value: float | None = None, unit: str = "", target: Target | None = None
    ) -> None:
        """Add a row; its target has the same unit as its value."""
        self.rows.append(Row(name, figures, value, unit, target))

    def lines(self) -> Iterator[str]:
        """The table as text."""
        shown = [
            (row.name, row.figures, "" if row.value is None else f"{row.value:.2f} {row.unit}", row.target, row.verdict)
            for row in self.rows
        ]
        wide = [max((len(row[place]) for row in shown), default=0) for place in (0, 1, 2)]
        yield self.title
        for name, figures, value, target, verdict in shown:
            held = f"  {target!s:<9}{verdict}" if target else ""
            yield f"  {name:<{wide[0]}}  {figures:>{wide[1]}}  {value:>{wide[2]}}{held}".rstrip()
        for note in self.notes:
            yield f"  {note}"


def show(tables: Iterable[Table]) -> list[Table]:
    """Print tables as they come; answers with all of them."""
    shown = []
    for table in tables:
        print("\n".join(table.lines()), end="\n\n", flush=True)
        shown.append(table)
    return shown
