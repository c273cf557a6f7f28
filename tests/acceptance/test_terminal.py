"""A cook on a terminal: a pseudo-terminal stands for the screen and the keyboard."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pty", reason="pseudo-terminals are POSIX")

NODES = """
[nodes.gen]
type = "genericgenerator"
[nodes.gen.parms]
itemcount = 4
command = "sh -c 'while [ ! -e $HIP/gate ]; do sleep 0.02; done; test @pdg_index != 2'"
"""
# A session of its own, so that the terminal's Ctrl-C reaches it as it does a shell's foreground job.
FOREGROUND = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "topcook", *sys.argv[1:]])
"""
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def on_terminal(shell: Any, *arguments: str | Path, keys: bytes = b"", after: str = "") -> tuple[int, str]:
    """Run topcook with all its streams on a terminal; press ``keys`` once ``after`` has appeared, or open the gate."""
    master, slave = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", FOREGROUND, *map(str, arguments)],
        stdin=slave, stdout=slave, stderr=slave, cwd=shell.folder,
        env=shell.environment | {"COLUMNS": "100", "TERM": "xterm-256color", "PYTHONUTF8": "1"},
    )  # fmt: skip
    shell.started.append(process)
    os.close(slave)
    screen = b""
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:  # what Linux says when nobody holds the other side any more
            break
        if not more:
            break
        screen += more
        if after and after.encode() in screen:
            if keys:
                os.write(master, keys)
            else:
                (shell.folder / "gate").touch()
            after = ""
    os.close(master)
    return process.wait(), screen.decode("utf-8", "replace")


def test_a_terminal_shows_a_live_bar_that_leaves_no_trace(shell: Any) -> None:
    status, screen = on_terminal(shell, "cook", shell.network(NODES), after="2 cooking")
    assert status == 1
    assert "cooking net" in screen
    assert "2 cooking" in screen
    assert screen.count(HIDE) == screen.count(SHOW) == 1
    behind = screen.partition(SHOW)[2]
    assert "━" not in behind
    # What failed stands above the bar and stays; the summary is in colour.
    assert "gen_3 \x1b[31mfailed\x1b[0m: exit status 1" in screen
    assert "\x1b[31m\x1b[1mfailed:\x1b[0m 3 of 4 items cooked, 1 failed" in behind


def test_ctrl_c_on_a_terminal_ends_the_cook_and_gives_the_cursor_back(shell: Any) -> None:
    network = shell.network(NODES)
    status, screen = on_terminal(shell, "cook", network, "--report", "report.json", keys=b"\x03", after="cooking   ")
    assert status == 130
    assert "once more kills them" in screen
    assert "  go on with it: topcook resume " in screen
    assert screen.count(HIDE) == screen.count(SHOW) == 1
    assert shell.report()["state"] == "interrupted"


def test_an_error_on_a_terminal_is_coloured_and_underlined(shell: Any) -> None:
    status, screen = on_terminal(shell, "cook", shell.network(NODES.replace("itemcount", "itemcuont")))
    assert status == 2
    assert "\x1b[31m\x1b[1merror:\x1b[0m" in screen
    assert "\x1b[31m\x1b[1m^^^^^^^^^\x1b[0m" in screen


def test_without_a_clever_terminal_progress_is_lines(shell: Any) -> None:
    shell.environment["NO_COLOR"] = "1"
    (shell.folder / "gate").touch()
    status, screen = on_terminal(shell, "cook", shell.network(NODES), "--progress", "plain")
    assert status == 1
    assert "4/4" in screen
    assert "\x1b" not in screen
