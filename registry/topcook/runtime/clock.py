"""The cook's clock: seconds since the epoch that never jump."""

from __future__ import annotations

import time


class CookClock:
    """Wall time anchored once, carried on by the monotonic clock.

    ``time.monotonic()`` is the same clock in every process of a machine, so that the keeper's readings fit in.
    """

    __slots__ = ("offset",)

    def __init__(self) -> None:
        """Anchor the clock now."""
        #: What a reading of ``time.monotonic()`` lacks to the present, in seconds.
        self.offset = time.time() - time.monotonic()

    def now(self) -> float:
        """The present, in seconds since the epoch."""
        return time.monotonic() + self.offset

    def at(self, reading: float | None) -> float:
        """The epoch time of a reading of ``time.monotonic()``; ``None`` means now."""
        return self.now() if reading is None else reading + self.offset
