"""What ``topcook status`` says to who means something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from topcook.cli.group import topcook as main
from topcook.errors import CookRefusedError


@pytest.mark.parametrize("meant", ["net.toml", "95495ed"])
def test_who_asks_for_a_cook_that_was_not_submitted_is_told_what_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meant: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.toml").write_text("[network]\n")
    told = CliRunner().invoke(main, ["status", meant], standalone_mode=False)
    assert isinstance(told.exception, CookRefusedError)
    assert str(told.exception).splitlines()[1:] == [
        "    what topcook submit printed is asked for; other cooks are shown by topcook cooks"
    ]
