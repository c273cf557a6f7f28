"""The scheduler that ``docs/farm-plugins.md`` has people copy."""

from __future__ import annotations

import subprocess
import sys

from tests.author.farm.conftest import EXAMPLE


def test_the_example_is_what_check_asks_for() -> None:
    words = [sys.executable, "-m", "topcook", "check", str(EXAMPLE)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert 'ok, scheduler "queuefarm"' in done.stdout
