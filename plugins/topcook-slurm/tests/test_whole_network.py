"""The script of a whole network as one job, which Slurm may run again."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from topcook.author import SubmittedCook
from topcook_slurm.submissions import cook_script


@pytest.mark.parametrize(
    ("count", "state", "words"),
    [
        ("", "submitted", "cook it's"),
        ("1", "submitted", "cook it's"),
        ("1", "starting", "cook it's"),
        ("1", "cooking", "cook it's --resume"),
        ("2", "cooked", "cook it's --resume"),
    ],
)
def test_a_cook_that_had_begun_when_its_node_died_goes_on(tmp_path: Path, count: str, state: str, words: str) -> None:
    folder = tmp_path / "a b's"
    folder.mkdir()
    (folder / "status.json").write_text(json.dumps({"version": 1, "network": "net", "state": state, "pid": 0}))
    cook = SubmittedCook(["echo", "cook", "it's"], "", str(folder / "cook.log"))
    environment = {**os.environ, "SLURM_RESTART_COUNT": count}
    said = subprocess.run(
        ["sh"], input=cook_script(cook), capture_output=True, text=True, env=environment, check=True, timeout=60
    )
    assert said.stdout == f"{words}\n"
