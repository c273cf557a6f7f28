"""What a cook changes about the process is put back, whichever of several cooks ends first."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from topcook.contract.pathmap import VARIABLE
from topcook.model.node import Network
from topcook.runtime.surroundings import home


@pytest.mark.parametrize("before", [None, "/before"])
@pytest.mark.parametrize("first_ends_first", [True, False])
def test_each_of_two_cooks_finds_its_home_and_the_last_leaves_what_was_there(
    before: str | None, first_ends_first: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if before is None:
        monkeypatch.delenv("HIP", raising=False)
    else:
        monkeypatch.setenv("HIP", before)
    first, second = (Network(name, str(tmp_path / name)) for name in ("first", "second"))
    ends = {name: contextlib.ExitStack() for name in ("first", "second")}
    ends["first"].enter_context(home(first))
    assert os.environ["HIP"] == first.hip
    ends["second"].enter_context(home(second))
    assert os.environ["HIP"] == second.hip
    earlier, later = ("first", "second") if first_ends_first else ("second", "first")
    ends[earlier].close()
    assert os.environ["HIP"] == str(tmp_path / later)
    ends[later].close()
    assert os.environ.get("HIP") == before
    assert VARIABLE not in os.environ
