"""When is a save over? Editors write, rename and touch; what comes in one breath is looked at once.

Decides only; the time is given to it.
"""

from __future__ import annotations

from topcook.lean import dataclass, field

__all__ = ["Quiet"]


@dataclass(slots=True)
class Quiet:
    """Collects what was touched until nothing more comes for ``quiet`` seconds, or ``longest`` have passed.

    A file that was written to and not closed is waited for, up to ``patience`` seconds after its last write: whoever
    empties a file and fills it a moment later shall not be told of the half of it.
    """

    quiet: float = 0.04
    longest: float = 0.25
    patience: float = 0.5
    _touched: set[str] = field(default_factory=set)
    _first: float = 0.0
    _last: float = 0.0
    _open: dict[str, float] = field(default_factory=dict)

    def touch(self, entries: set[str], now: float) -> None:
        """Something happened below these entries."""
        if not self._touched:
            self._first = now
        self._touched |= entries
        self._last = now

    def written(self, path: str, now: float) -> None:
        """A file was written to, and may be written to again."""
        self._open[path] = now

    def closed(self, path: str) -> None:
        """A file is as its writer wanted it, or gone."""
        self._open.pop(path, None)

    def due(self, now: float) -> float | None:
        """In how many seconds it is time to look; None when there is nothing to look at."""
        if not self._touched:
            return None
        at = min(self._last + self.quiet, self._first + self.longest)
        if self._open:
            at = max(at, min(max(self._open.values()), self._first + 4 * self.patience) + self.patience)
        return max(0.0, at - now)

    def take(self) -> set[str]:
        """The entries to look at; what happens from now on is for the next time."""
        touched, self._touched = self._touched, set()
        self._open.clear()
        return touched
