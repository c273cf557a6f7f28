"""What becomes of an item that fails or takes too long, and what it needs to begin; items that are alike share one."""

from __future__ import annotations

from enum import Enum

from topcook.lean import dataclass

#: ``name=amount`` pairs, sorted: items with the same needs compare equal.
Needs = tuple[tuple[str, int], ...]


class OnFailure(Enum):
    """What follows when an item has failed for good; the value is how the parm ``pdg_onfailure`` says it."""

    BLOCK = "block"
    #: It failed, and what depends on it cooks all the same.
    CONTINUE = "continue"
    STOP = "stop"
    SUCCESS = "success"


@dataclass(frozen=True, slots=True)
class Policy:
    """How often an item is tried, for how long, and with what. Times are seconds; 0 is no limit.

    The delay before the next attempt is ``retry_delay`` times ``retry_backoff`` to the power of the failures before,
    at most ``longest_delay``. An exit status in ``denied`` uses up none of the ``retries``; the item comes again after
    ``denied_delay``. ``grace`` is what a job has between being asked to end and being killed.
    """

    retries: int = 0
    retry_delay: float = 0.0
    retry_backoff: float = 2.0
    longest_delay: float = 3600.0
    denied: frozenset[int] = frozenset()
    denied_delay: float = 30.0
    on_failure: OnFailure = OnFailure.BLOCK
    timeout: float = 0.0
    grace: float = 5.0
    heartbeat: float = 0.0
    needs: Needs = ()

    def delay_after(self, failures: int) -> float:
        """Seconds before the next attempt when ``failures`` have been counted, this one included."""
        try:
            delay = self.retry_delay * self.retry_backoff ** max(0, failures - 1)
        except OverflowError:
            delay = self.longest_delay
        return min(delay, max(self.longest_delay, 0.0))


#: What holds for an item about which nobody said anything.
USUAL = Policy()
