"""How long the tests of each distribution took, and whether that is more than they are allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["BUDGET", "spent_lines", "spent_of"]

#: Seconds for the tests of one plugin. Machines are noisy: more is told, and fails nothing.
BUDGET = 480.0


def spent_of(durations: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Seconds by distribution, of node ids and their seconds: ``core``, and each folder below ``plugins/``."""
    found: dict[str, float] = {}
    for node, seconds in durations:
        place = node.split("/")
        name = place[1] if place[0] == "plugins" and len(place) > 1 else "core"
        found[name] = found.get(name, 0.0) + seconds
    return found


def spent_lines(spent: Mapping[str, float]) -> list[str]:
    """A line for each, the longest first; those of a plugin say when they are over their budget."""
    lines = []
    for name, seconds in sorted(spent.items(), key=lambda each: -each[1]):
        over = f", more than the {BUDGET:.0f} s of a plugin" if name != "core" and seconds > BUDGET else ""
        lines.append(f"{seconds:8.1f} s  {name}{over}")
    return lines
