"""What stands between a key press in a shell and the first picture."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = ("asyncio", "concurrent.futures", "importlib_metadata", "platformdirs", "rich", "textual", "watchdog", "xmlrpc")

#: As the command does it, up to its first picture.
PAINT = """
import sys
from topcook.cli.tab import run
from topcook.cli.tab import terminal

class Screen:
    def size(self):
        return 80, 24
    def write(self, text):
        painted.append(text)
    def close(self):
        pass

def choose(loop):
    with loop._picture():
        print(*sorted(sys.modules))

painted = []
terminal.open_terminal = Screen
run.MenuLoop.choose = choose
from topcook.cli import main
try:
    main(["tab"])
finally:
    assert any("Local Scheduler" in text for text in painted)
"""


def test_the_first_picture_needs_nothing_heavy(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "TERM": "xterm", "PATH": "/usr/bin:/bin"}
    for _ in range(2):
        # The second time from what the first one found out.
        done = subprocess.run([sys.executable, "-c", PAINT], env=env, capture_output=True, text=True, check=False)
        assert done.stdout, done.stderr
    assert not [name for name in HEAVY if name in done.stdout.split()]
