"""`topcook dev` as an author lives in it: the real command, in a process of its own."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from topcook.scaffold import KINDS, new_scheduler, type_names

DEADLINE = 60.0


class Dev:
    """The running command; ``until`` waits for a line."""

    def __init__(self, folder: Path, *words: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PDG_", "TOPCOOK_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "topcook", "dev", *words],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            for line in said:
                self.lines.put(line)
        self.lines.put(None)

    def until(self, word: str) -> str:
        """All that was said up to the line with ``word``."""
        said = ""
        while word not in said:
            line = self.lines.get(timeout=DEADLINE)
            assert line is not None, f"ended before {word!r}: {said}"
            said += line
        return said

    def end(self) -> int:
        """Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(DEADLINE)


@pytest.fixture
def farm(tmp_path: Path) -> Path:
    path = tmp_path / "dev_farm.py"
    path.write_text(new_scheduler(type_names("dev_farm"), KINDS["cli"]), encoding="utf-8")
    return path


@pytest.fixture
def started(farm: Path) -> Iterator[Dev]:
    dev = Dev(farm.parent, farm.name)
    yield dev
    dev.process.kill()
    dev.process.wait()
    dev.reader.join(DEADLINE)


def once(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "topcook", "dev", str(path), "--once", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_each_save_is_checked_and_cooked_and_ctrl_c_ends_it(farm: Path, started: Dev) -> None:
    said = started.until("waiting for a save")
    assert 'check scheduler "dev_farm"' in said
    assert "cooked: 6 items" in said
    good = farm.read_text(encoding="utf-8")
    farm.write_text(good.replace("def onSchedule(", "def onShedule("), encoding="utf-8")
    said = started.until("waiting for a save")
    assert 'did you mean "onSchedule"' in said
    assert "FAILED  check" in said
    assert "cooked:" not in said
    # As editors save: a new file in place of the old one.
    draft = farm.with_suffix(".new")
    draft.write_text(good, encoding="utf-8")
    draft.replace(farm)
    assert "cooked: 6 items" in started.until("waiting for a save")
    assert started.end() == 130


def test_once_tells_by_its_exit_status_how_it_went(farm: Path) -> None:
    fine = once(farm)
    assert fine.returncode == 0, fine.stdout + fine.stderr
    farm.write_text(farm.read_text(encoding="utf-8").replace('"value": "sh -c"', '"value": "false"'), encoding="utf-8")
    fails = once(farm)
    assert fails.returncode == 1
    assert "FAILED  cook" in fails.stdout
    farm.write_text("def registerTypes(registry):\n    pass\n", encoding="utf-8")
    nothing = once(farm)
    assert nothing.returncode == 1
    assert "registers nothing" in nothing.stdout


def test_a_cook_that_hangs_is_ended_after_the_limit(farm: Path) -> None:
    text = farm.read_text(encoding="utf-8")
    assert "for item, process in" in text
    farm.write_text(text.replace("for item, process in list(self._jobs.items()):", "for item, process in ():"))
    done = once(farm, "--limit", "3")
    assert done.returncode == 1
    assert "took too long, and was ended" in done.stdout


def test_the_network_beside_the_file_is_cooked_when_there_is_one(farm: Path) -> None:
    farm.with_suffix(".toml").write_text("[network]\nname = 'x'\n[nodes.a]\ntype = 'no_such_type'\n", encoding="utf-8")
    done = once(farm)
    assert done.returncode == 1
    assert "no_such_type" in done.stdout
