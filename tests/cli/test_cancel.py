"""``topcook cancel`` of a cook that does not listen: the signal that it is sent in place of a word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from topcook.cli.cancel import _terminate
from topcook.errors import CookRefusedError
from topcook.runtime.alive import Process


def of(pid: int) -> Process:
    return Process.own()._replace(pid=pid, user="anna")


def test_a_process_that_lives_is_terminated_and_that_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        _terminate(of(process.pid))
        assert process.wait(60) == -signal.SIGTERM
    assert f"process {process.pid} was sent a SIGTERM" in capsys.readouterr().err


def test_a_process_that_has_just_ended_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait(60)
    _terminate(of(process.pid))
    assert capsys.readouterr().err == ""


def test_another_users_process_is_refused_with_whose_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_pid: int, _number: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "kill", denied)
    with pytest.raises(CookRefusedError, match="process 7 of anna cannot be told to end: it is another user's"):
        _terminate(of(7))
