"""The menu as a person has it: the real command in a pseudo-terminal, what it shows read off an emulated screen."""

from __future__ import annotations

import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

GOOD = '''\
import pdg


class {cls}(pdg.scheduler.PyScheduler):
    """Sends work items to {label}. The rest is not shown."""

    @classmethod
    def templateName(cls):
        return "{name}"

    def onSchedule(self, work_item):
        return pdg.scheduleResult.Succeeded


def registerTypes(type_registry):
    type_registry.registerScheduler({cls}, label="{label}")
'''
#: Makes standard input the controlling terminal of a session, as a terminal emulator does, and becomes the command.
CONTROLLED = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
#: What Windows does not have, taken away before anything of ours is imported; termios stays, to have a terminal at all.
WITHOUT_POSIX = """
import os, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {"fcntl", "grp", "pty", "pwd", "resource"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
for name in ("fcntl", "grp", "pty", "pwd", "resource"):
    sys.modules.pop(name, None)
del os.fork, os.forkpty
from topcook.cli import main
main(sys.argv[1:])
"""
#: Much longer than anything takes, so that only what is broken comes near it.
PATIENCE = 60.0


def types_file(folder: Path, name: str, label: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(GOOD.format(cls=name.title().replace("_", ""), name=name, label=label), encoding="utf-8")
    return path


class Screen:
    """A process in a pseudo-terminal of its own session, and the screen that it draws on."""

    def __init__(self, command: list[str], env: dict[str, str], columns: int, lines: int, stdout: int | None) -> None:
        self.screen = pyte.HistoryScreen(columns, lines, history=200)
        self.stream = pyte.ByteStream(self.screen)
        self.sent = b""
        self.master, slave = pty.openpty()
        self.resize(columns, lines, quietly=True)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            [sys.executable, "-c", CONTROLLED, *command],
            stdin=slave,
            stdout=slave if stdout is None else stdout,
            stderr=slave,
            env=env,
            start_new_session=True,
        )

    def resize(self, columns: int, lines: int, *, quietly: bool = False) -> None:
        import fcntl

        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        if not quietly:
            self.screen.resize(lines, columns)
            self.process.send_signal(signal.SIGWINCH)

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def row(self, text: str) -> str:
        return next((line for line in self.lines if text in line), "")

    @property
    def picked(self) -> str:
        return next((line for line in self.lines if line.startswith((" ▌", " █", " >", " #"))), "")

    def until(self, fulfilled: Callable[[], bool]) -> None:
        """Read until the screen fulfils something, and is drawn to the end: a frame has no cursor while it comes."""
        end = time.monotonic() + PATIENCE
        while self.screen.cursor.hidden or not fulfilled():
            left = end - time.monotonic()
            assert left > 0, f"in vain:\n{self.text}"
            self._read(left)

    def ends(self) -> int:
        """The exit status, all output read."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, f"still there:\n{self.text}"
            self._read(0.05)
        while self._read(0):
            pass
        return self.process.returncode

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], timeout)
        try:
            data = os.read(self.master, 65536) if ready else b""
        except OSError:
            data = b""
        self.sent += data
        self.stream.feed(data)
        return bool(data)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def types(tmp_path: Path) -> Path:
    folder = tmp_path / "types"
    folder.mkdir()
    types_file(folder, "zfarm", "Zeta Farm")
    (folder / "brokenfarm.py").write_text(
        GOOD.format(cls="Broken", name="brokenfarm", label="Broken Farm").replace("onSchedule", "onSchedul"),
        encoding="utf-8",
    )
    return folder


@pytest.fixture
def home(tmp_path: Path, types: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "LANG", "LC_ALL", "COVERAGE_PROCESS_START"}
    }
    return kept | {
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "TOPCOOK_STATE_DIR": str(tmp_path / "state"),
        "PDG_TYPES_PATH": str(types),
        "TERM": "xterm-256color",
        "PYTHONIOENCODING": "utf-8",
    }


@pytest.fixture
def tab(home: dict[str, str]) -> Iterator[Callable[..., Screen]]:
    screens = []

    def start(
        *arguments: str,
        size: tuple[int, int] = (80, 24),
        stdout: int | None = None,
        python: tuple[str, ...] = ("-m", "topcook"),
        shell: str = "",
        **env: str,
    ) -> Screen:
        command = [sys.executable, *python, "tab", *arguments]
        if shell:
            command = ["sh", "-c", shell, "sh", *command]
        screens.append(Screen(command, home | env, *size, stdout))
        return screens[-1]

    yield start
    for screen in screens:
        screen.close()


def ready(screen: Screen) -> Screen:
    """The menu stands, and its files are followed."""
    screen.until(lambda: "choose" in screen.text and "◌" not in screen.text)
    return screen


def test_a_name_is_typed_and_chosen_and_the_menu_leaves_no_trace(tab: Callable[..., Screen], tmp_path: Path) -> None:
    with (tmp_path / "chosen").open("wb") as stdout:
        screen = ready(tab(stdout=stdout.fileno()))
    assert screen.lines[0].startswith(" TAB ▸")
    assert "✗ Broken Farm" in screen.text
    screen.press("ls")
    screen.until(lambda: "Local Scheduler" in screen.picked)
    assert (screen.screen.cursor.y, screen.screen.cursor.x) == (0, len(" TAB ▸ ls"))
    assert "callbacks" in screen.text
    screen.press("\r")
    assert screen.ends() == 0
    assert (tmp_path / "chosen").read_text() == "localscheduler\n"
    assert screen.text.strip() == ""
    assert termios.tcgetattr(screen.slave) == screen.before
    assert screen.sent.rindex(b"\x1b[?25h") > screen.sent.rindex(b"\x1b[?25l")
    assert screen.sent.rindex(b"\x1b[?2004l") > screen.sent.rindex(b"\x1b[?2004h")


def test_what_was_chosen_is_picked_the_next_time(tab: Callable[..., Screen]) -> None:
    screen = ready(tab())
    screen.press("zeta\r")
    assert screen.ends() == 0
    assert screen.lines[0] == "zfarm"
    screen = ready(tab())
    assert "Recent" in screen.text
    assert "Zeta Farm" in screen.picked


def test_what_stood_above_stays_and_no_more_than_sixteen_lines_are_taken(tab: Callable[..., Screen]) -> None:
    screen = tab(size=(80, 30))
    screen.stream.feed(b"".join(b"line %d\r\n" % number for number in range(29)))
    ready(screen)
    assert screen.lines[:14] == [f"line {number}" for number in range(15, 29)]
    assert screen.lines[14].startswith(" TAB")
    screen.press("\x1b")
    assert screen.ends() == 1
    assert screen.lines[:14] == [f"line {number}" for number in range(15, 29)]
    assert screen.lines[14] == ""


def test_enter_on_a_broken_one_shows_its_line_and_does_not_choose(tab: Callable[..., Screen], types: Path) -> None:
    screen = ready(tab())
    screen.press("brok\r")
    # The pane has the advice, too; the line itself stands on the page only.
    screen.until(lambda: "def onSchedul(self" in screen.text)
    assert 'did you mean "onSchedule"?' in screen.text
    assert "^^^^^^^^^" in screen.text
    screen.press("\x1b")
    screen.until(lambda: "Broken Farm" in screen.picked)
    screen.press("\x1b")
    assert screen.ends() == 1


def test_a_saved_file_changes_its_row_in_place_and_the_picked_line_stays(
    tab: Callable[..., Screen], types: Path
) -> None:
    # What is picked at first hangs on what is known by then.
    first = ready(tab())
    first.press("\x1b")
    first.ends()
    screen = ready(tab())
    screen.press("\x1b[B\x1b[B")
    screen.until(lambda: "Python Scheduler" in screen.picked)
    picked, at = screen.picked, screen.lines.index(screen.picked)
    place = screen.lines.index(screen.row("Broken Farm"))
    types_file(types, "brokenfarm", "Broken Farm")
    screen.until(lambda: "● Broken Farm" in screen.text)
    assert screen.lines.index(screen.row("Broken Farm")) == place
    types_file(types, "aaa", "Aaa Farm")
    screen.until(lambda: "Aaa Farm" in screen.text)
    assert screen.picked[:20] == picked[:20]
    (types / "aaa.py").write_text("import pdg\ndef registerTypes(", encoding="utf-8")
    screen.until(lambda: "◐ Aaa Farm" in screen.text)
    assert "edit broken" in screen.row("Aaa Farm")
    assert at > 0


def test_a_file_that_waits_for_a_server_keeps_nobody_from_the_menu(
    tab: Callable[..., Screen], types: Path, tmp_path: Path
) -> None:
    first = ready(tab())
    first.press("\x1b")
    first.ends()
    (types / "slowfarm.py").write_text(
        "import os, time\n"
        f"while not os.path.exists({str(tmp_path / 'server')!r}):\n    time.sleep(0.01)\n"
        + GOOD.format(cls="Slow", name="slowfarm", label="Slow Farm"),
        encoding="utf-8",
    )
    screen = tab()
    screen.until(lambda: "◌" in screen.row("slowfarm"))
    assert "● Zeta Farm" in screen.text
    (tmp_path / "server").touch()
    screen.until(lambda: "● Slow Farm" in screen.text)
    screen.press("slow\r")
    assert screen.ends() == 0
    assert screen.lines[0] == "slowfarm"


def test_letters_act_in_the_list_after_tab_and_filter_again_otherwise(tab: Callable[..., Screen], types: Path) -> None:
    screen = ready(tab())
    screen.press("zeta\t")
    screen.until(lambda: "type again" in screen.text)
    screen.press("y")
    screen.until(lambda: "[schedulers.zfarm]" in screen.text)
    assert 'type = "zfarm"' in screen.text
    assert b"\x1b]52;c;" in screen.sent
    screen.press(" x")
    screen.until(lambda: "TAB ▸ zetax" in screen.text)


def test_the_editor_opens_the_file_at_the_line_of_the_problem(
    tab: Callable[..., Screen], types: Path, tmp_path: Path
) -> None:
    editor = tmp_path / "vim"
    editor.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/said\nsed -i "s/onSchedul(/onSchedule(/" "$2"\n', encoding="utf-8"
    )
    editor.chmod(0o755)
    screen = ready(tab(VISUAL=str(editor)))
    screen.press("brok\x1be")
    screen.until(lambda: "● Broken Farm" in screen.text)
    assert (tmp_path / "said").read_text() == f"+11 {types / 'brokenfarm.py'}\n"


def test_a_narrow_terminal_has_the_pane_below_and_every_size_is_taken(tab: Callable[..., Screen]) -> None:
    screen = ready(tab(size=(60, 24)))
    screen.press("zeta")
    screen.until(lambda: "Zeta Farm" in screen.picked)
    assert "│" not in screen.text
    assert "Sends work items to Zeta Farm." in screen.text
    for columns, lines in [(120, 40), (40, 10), (20, 5), (100, 24)]:
        screen.resize(columns, lines)
        screen.until(lambda columns=columns: len(screen.row("TAB ▸ zeta")) <= columns and "Zeta Farm" in screen.picked)
    screen.until(lambda: "│" in screen.text)
    assert screen.text.count("TAB ▸") == 1


def test_the_whole_screen_is_taken_and_given_back(tab: Callable[..., Screen]) -> None:
    screen = ready(tab("--full", size=(100, 30)))
    assert "choose" in screen.lines[-1]
    screen.press("\x07")
    assert screen.ends() == 1
    assert screen.sent.count(b"\x1b[?1049h") == screen.sent.count(b"\x1b[?1049l") == 1


def test_without_colours_there_is_ascii_only(tab: Callable[..., Screen], types: Path) -> None:
    (types / "oldfarm.py").write_text("print 'what it says has an ellipsis in it'\n", encoding="utf-8")
    screen = ready(tab(NO_COLOR="1", size=(160, 24)))
    screen.press("old")
    screen.until(lambda: "expected print" in screen.text)
    assert screen.text.isascii()
    screen.press("\x15")
    screen.press("farm")
    screen.until(lambda: "* Zeta Farm" in screen.text)
    assert "x Broken Farm" in screen.text
    assert screen.text.isascii()
    assert not {b"\x1b[1m", b"\x1b[31m", b"\x1b[32m"} & set(screen.sent.split(b" "))


def test_a_dumb_terminal_is_asked_line_by_line(tab: Callable[..., Screen], types: Path) -> None:
    (types / "oldfarm.py").write_text("print 'what it says has an ellipsis in it'\n", encoding="utf-8")
    screen = tab(TERM="dumb")
    screen.until(lambda: "leave):" in screen.text)
    assert screen.text.isascii()
    screen.press("qqq\n")
    screen.until(lambda: 'nothing fits "qqq"' in screen.text)
    screen.press("zeta\n")
    assert screen.ends() == 0
    assert screen.lines[screen.screen.cursor.y - 1] == "zfarm"
    assert b"\x1b" not in screen.sent


def test_ctrl_c_ends_with_its_status_and_a_signal_gives_the_terminal_back(tab: Callable[..., Screen]) -> None:
    screen = ready(tab())
    screen.press("\x03")
    assert screen.ends() == 130
    screen = ready(tab())
    screen.process.terminate()
    assert screen.ends() == 143
    assert termios.tcgetattr(screen.slave) == screen.before
    assert "TAB" not in screen.text


def test_it_is_suspended_and_goes_on_where_it_was(home: dict[str, str]) -> None:
    """A shell with job control starts it, sees it stopped, and takes it to the foreground again."""
    script = f'set -m; {sys.executable} -m topcook tab; echo "stopped $?"; read line; fg >/dev/null; echo "ended $?"'
    screen = Screen(["bash", "-c", script], home, 80, 24, None)
    try:
        # The terminal becomes the shell's own: jobs are moved between fore- and background of it.
        ready(screen)
        screen.press("zeta\x1a")
        screen.until(lambda: "stopped" in screen.text)
        assert "TAB" not in screen.text
        screen.press("go on\r")
        screen.until(lambda: "TAB ▸ zeta" in screen.text)
        screen.press("\r")
        assert screen.ends() == 0
        assert "zfarm" in screen.text
    finally:
        screen.close()


def test_where_nobody_could_continue_it_it_is_not_suspended(tab: Callable[..., Screen]) -> None:
    screen = ready(tab(shell='echo "chose $("$@")"'))
    screen.press("\x1a")
    screen.until(lambda: "cannot be suspended" in screen.text)
    screen.press("zeta\r")
    assert screen.ends() == 0
    assert "chose zfarm" in screen.text


def test_it_is_drawn_on_the_terminal_wherever_the_streams_lead(tab: Callable[..., Screen]) -> None:
    screen = ready(tab(shell='echo "chose $("$@" 2>/dev/null | tr a-z A-Z)"'))
    screen.press("zeta\r")
    assert screen.ends() == 0
    assert "chose ZFARM" in screen.text


def test_what_others_print_meanwhile_stands_below_the_menu_when_it_is_gone(
    tab: Callable[..., Screen], tmp_path: Path
) -> None:
    noise = """
import sys, threading, time
from topcook.cli import main
from topcook.cli.tab.feed import Feed
before = Feed.start
def start(self, wake):
    print("from a thread", file=sys.stderr, flush=True)
    before(self, wake)
Feed.start = start
main(sys.argv[1:])
"""
    screen = ready(tab(python=("-c", noise)))
    screen.press("zeta")
    screen.until(lambda: "TAB ▸ zeta" in screen.text)
    assert "from a thread" not in screen.text
    screen.press("\r")
    assert screen.ends() == 0
    assert screen.lines[:2] == ["from a thread", "zfarm"]


def test_it_runs_without_what_windows_lacks(tab: Callable[..., Screen]) -> None:
    screen = ready(tab(python=("-c", WITHOUT_POSIX)))
    screen.press("zeta\r")
    assert screen.ends() == 0
    assert screen.lines[0] == "zfarm"


def test_without_a_terminal_the_rows_are_those_of_list(home: dict[str, str]) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "topcook", *words],
            env=home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    shown, listed = run("tab"), run("list", "--types", "schedulers")
    assert shown.returncode == 0
    assert shown.stdout == listed.stdout != ""


def test_a_choice_is_written_into_a_network(tab: Callable[..., Screen], tmp_path: Path) -> None:
    network = tmp_path / "n.toml"
    network.write_text('# mine\n[nodes.render]\ntype = "null"\n', encoding="utf-8")
    screen = ready(tab("--into", str(network), "--node", "render"))
    screen.press("zeta\r")
    assert screen.ends() == 0
    assert network.read_text(encoding="utf-8") == (
        '# mine\n[schedulers.zfarm]\ntype = "zfarm"\n\n[nodes.render]\ntype = "null"\nscheduler = "zfarm"\n'
    )
