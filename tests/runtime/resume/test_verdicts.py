"""What an earlier session left: in flight as long as nobody knows how it ended."""

from __future__ import annotations

import pytest

from topcook.model.states import WorkItemState
from topcook.model.workitem import Attempt, Run
from topcook.runtime.journal import PastItem
from topcook.runtime.resume.verdicts import maybe_in_flight


@pytest.mark.parametrize(
    ("state", "attempt", "failed", "may_be"),
    [
        (WorkItemState.Scheduled, 1, [], True),
        (WorkItemState.Cooking, 2, [1], True),
        (WorkItemState.Uncooked, 1, [], True),
        (WorkItemState.Uncooked, 2, [1], True),
        # It was to be tried again, when one session and then another one were killed.
        (WorkItemState.Uncooked, 1, [1], False),
        (WorkItemState.Uncooked, 12, [1, 12], False),
        (WorkItemState.Waiting, 1, [1], False),
        (WorkItemState.CookedFail, 1, [], False),
        (WorkItemState.Uncooked, 0, [], False),
    ],
)
def test_an_attempt_may_be_in_flight_until_its_end_is_known(
    state: WorkItemState, attempt: int, failed: list[int], may_be: bool
) -> None:
    past = PastItem(4, "a/3", "a", 3, "a_4", "", "farm", None, None, [], 1)
    past.state, past.attempt, past.token = state, attempt, f"20261122-075530-470f8d2-4-{attempt}" if attempt else ""
    past.earlier = [Attempt(number, "farm", Run()) for number in failed]
    assert maybe_in_flight(past) is may_be
