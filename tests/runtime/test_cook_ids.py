"""Names of cooks: what came later sorts later, since the last cook is found by its name."""

from __future__ import annotations

import time

import pytest

from topcook.runtime.tokens import new_cook_id


def test_cooks_of_the_same_second_sort_by_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for milliseconds in range(0, 1000, 7):
        monkeypatch.setattr(time, "time", lambda now=1_795_000_000 + milliseconds / 1000: now)
        names.append(new_cook_id())
    assert names == sorted(names)
    assert len(set(names)) == len(names)
