"""Make the pictures of docs/tab-menu.md: the real ``topcook tab`` in a pseudo-terminal, its screen written as SVG.

``python tools/tab_screens.py`` writes them all. Linux and macOS only.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from html import escape
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyte

DOCS = Path(__file__).parents[1] / "docs"
#: A place whose name reads well in a picture.
STUDIO = Path("/tmp/studio")  # noqa: S108
CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 8.4, 19, 14
COLOURS = {
    "default": "#d5d8df",
    "brightblack": "#7f8794",
    "red": "#f0766f",
    "green": "#8cc570",
    "brown": "#e0b060",
    "blue": "#6fb0f0",
    "cyan": "#5fc6cf",
    "magenta": "#c98ae0",
}
CALLBACK = """
    def onSchedule(self, work_item):
        return pdg.scheduleResult.Succeeded
"""
SCHEDULER = '''\
import json

import pdg


class Farm(pdg.scheduler.PyScheduler):
    """{about}"""

    @classmethod
    def templateName(cls):
        return "{name}"

    @classmethod
    def templateBody(cls):
        return json.dumps({{"name": "{name}", "parameters": {parms}}})
{callback}

def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, label="{label}")
'''
PARMS = """[
            {"name": "partition", "type": "String", "size": 1, "value": ["anim"], "tags": ["jobParm"]},
            {"name": "cpus", "type": "Integer", "size": 1, "value": [1], "tags": ["jobParm"]},
            {"name": "slurm_mode", "type": "String", "size": 1, "value": ["array"]},
        ]"""
CONFIG = """\
[[block]]
name = "oldfarm"
reason = "use slurm"
"""


class Shot(NamedTuple):
    """A picture: what to press, and how to know that it was done."""

    name: str
    size: tuple[int, int]
    arguments: tuple[str, ...]
    presses: tuple[tuple[str, str], ...]


SHOTS = (
    Shot("tab-80x24", (80, 24), (), ()),
    Shot("tab-filter", (80, 24), ("--types", "all"), (("pa", "TAB ▸ pa"),)),
    Shot("tab-problems", (80, 24), (), (("myfarm\r", "did you mean"),)),
    Shot(
        "tab-160x50",
        (160, 50),
        ("--types", "all", "--full"),
        (("\x1b[B\x1b[C", "← back"), ("farm", "TAB ▸ Schedulers ▸ farm")),
    ),
    Shot("tab-60x20", (60, 20), (), (("ls", "TAB ▸ ls"),)),
)


def write_types(folder: Path) -> None:
    """A studio's types: good ones, and one of each kind of trouble."""

    def scheduler(file: str, label: str, about: str, parms: str = "[]", callback: str = CALLBACK) -> None:
        text = SCHEDULER.format(name=file, label=label, about=about, parms=parms, callback=callback)
        (folder / f"{file}.py").write_text(text, encoding="utf-8")

    folder.mkdir(parents=True)
    scheduler("slurmscheduler", "Slurm Scheduler", "Sends work items to Slurm as arrays.", PARMS)
    scheduler("farmv2", "Farm v2", "The in-house farm.")
    scheduler("oldfarm", "oldfarm", "The farm before that.")
    scheduler("myfarm", "myfarm", "Mine.", callback=CALLBACK.replace("onSchedule(", "onSchedul("))
    (folder / "hqueue.py").write_text(
        "import hou\nimport pdg\n\n\ndef registerTypes(type_registry):\n    pass\n", "utf-8"
    )


class Terminal:
    """The command in a pseudo-terminal, and the screen it draws on."""

    def __init__(self, shot: Shot, env: dict[str, str]) -> None:
        columns, lines = shot.size
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.master, slave = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        command = [sys.executable, "-m", "topcook", "tab", *shot.arguments]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)

    def until(self, fulfilled: Callable[[str], bool]) -> None:
        """Read until the screen's text fulfils something."""
        end = time.monotonic() + 30
        while not fulfilled(text := "\n".join(self.screen.display)):
            if time.monotonic() > end:
                raise TimeoutError(text)
            if select.select([self.master], [], [], 0.1)[0]:
                # pyte knows no faint text; its bright black looks the same.
                self.stream.feed(os.read(self.master, 65536).replace(b"\x1b[2m", b"\x1b[90m"))

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.master, keys.encode())

    def close(self) -> None:
        """Leave the menu."""
        self.process.terminate()
        # Its last words are read, or it would wait for somebody who does; the end of the terminal is an error on Linux.
        with suppress(OSError):
            while os.read(self.master, 65536):
                pass
        self.process.wait()
        os.close(self.master)


def svg(screen: pyte.Screen) -> Iterator[str]:
    """The lines of a picture of the screen, down to its last line that is not empty."""
    used = max((number for number, line in enumerate(screen.display) if line.strip()), default=0) + 1
    width, height = round(screen.columns * CELL_WIDTH) + 24, used * CELL_HEIGHT + 24
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    yield '<rect width="100%" height="100%" rx="8" fill="#1d2027"/>'
    font = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
    yield f'<g font-family="{font}" font-size="{FONT_SIZE}" xml:space="preserve" transform="translate(12 12)">'
    for row in range(used):
        cells = [(column, screen.buffer[row][column]) for column in range(screen.columns)]
        for (colour, bold), run in groupby(cells, lambda cell: (cell[1].fg, cell[1].bold)):
            part = list(run)
            whole = "".join(cell.data for _, cell in part)
            text = whole.strip()
            if not text:
                continue
            x = (part[0][0] + len(whole) - len(whole.lstrip())) * CELL_WIDTH
            y = row * CELL_HEIGHT + FONT_SIZE
            weight = ' font-weight="bold"' if bold else ""
            fill = COLOURS.get(colour, COLOURS["default"])
            length = f'textLength="{len(text) * CELL_WIDTH:.1f}"'
            yield f'<text x="{x:.1f}" y="{y}" fill="{fill}" {length}{weight}>{escape(text)}</text>'
    cursor = screen.cursor
    x, y = cursor.x * CELL_WIDTH, cursor.y * CELL_HEIGHT
    yield f'<rect x="{x:.1f}" y="{y}" width="2" height="{CELL_HEIGHT - 2}" fill="#ffffff"/>'
    yield "</g></svg>"


def shoot(shot: Shot, env: dict[str, str], break_edit: Callable[[], None]) -> None:
    """Make one picture."""
    terminal = Terminal(shot, env)
    try:
        terminal.until(lambda text: "choose" in text)
        if shot.name == "tab-80x24":
            break_edit()
            terminal.until(lambda text: "◐" in text)
        for keys, seen in shot.presses:
            terminal.press(keys)
            terminal.until(lambda text, seen=seen: seen in text)  # type: ignore[misc]
        path = DOCS / f"{shot.name}.svg"
        path.write_text("\n".join(svg(terminal.screen)) + "\n", encoding="utf-8")
        print(f"wrote docs/{path.name}")
    finally:
        terminal.close()


def main() -> None:
    """Make all pictures."""
    types = STUDIO / "types"
    write_types(types)
    try:
        with tempfile.TemporaryDirectory() as home:
            (STUDIO / "topcook.toml").write_text(CONFIG, encoding="utf-8")
            (Path(home) / "recent.json").write_text('{"recent": ["scheduler:slurmscheduler"]}', encoding="utf-8")
            env = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL"}}
            env |= {"HOME": home, "XDG_CACHE_HOME": home, "TOPCOOK_STATE_DIR": home, "PDG_TYPES_PATH": str(types)}
            env |= {"TOPCOOK_CONFIG": str(STUDIO / "topcook.toml"), "TERM": "xterm-256color", "PYTHONUTF8": "1"}
            farm = types / "farmv2.py"
            good = farm.read_text(encoding="utf-8")
            for shot in SHOTS:
                shoot(shot, env, lambda: farm.write_text(good.replace("import pdg", "import pdg ("), encoding="utf-8"))
                farm.write_text(good, encoding="utf-8")
    finally:
        shutil.rmtree(STUDIO)


if __name__ == "__main__":
    main()
