"""The picture: what stands where at each width."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable

import pyte
import pytest

from topcook.cli.tab.entries import Entry
from topcook.cli.tab.frame import drawn as told
from topcook.cli.tab.frame import plain_text
from topcook.cli.tab.keys import Press
from topcook.cli.tab.look import Look
from topcook.cli.tab.menu import Menu
from topcook.cli.tab.pages import block, help_page, problems_page
from topcook.cli.tab.paint import Painter, Shape
from topcook.cli.tab.session import Do, Session
from topcook.factory import Record
from topcook.model.parms import ParmSpec

SLURM = (
    ParmSpec("partition", default=("anim",), tags=frozenset({"jobParm"})),
    ParmSpec("cpus", "Integer", default=(1,), tags=frozenset({"jobParm"})),
    ParmSpec("password", secret=True),
)


def picture(session: Session, columns: int = 80, lines: int = 24, *, plain: bool = False) -> list[str]:
    frame = Painter(Look(plain=plain), "localscheduler").frame(session, Shape.of(columns, lines))
    return [plain_text(row).rstrip() for row in frame.rows]


@pytest.fixture
def session(drawn: list[Entry]) -> Session:
    slurm = next(each.record for each in drawn if each.row.name == "slurmscheduler")
    slurm.parms, slurm.about = SLURM, "Sends work items to Slurm as arrays."
    slurm.callbacks = {"onSchedule": "implemented", "onTick": "default", "submitAsJob": "implemented"}
    return Session(Menu(drawn, ["scheduler:slurmscheduler"]))


def test_the_menu_looks_like_its_drawing(session: Session) -> None:
    lines = picture(session)
    used = next(each.record.edit for each in session.menu.entries if each.record.edit)
    assert lines[1].replace(used.told[-5:], "12:03") == " " + "─" * 42 + "┬" + "─" * 35
    left = [line[:43].rstrip() for line in lines[2:11]]
    assert left[:3] == ["  Recent", " ▌ ● Slurm Scheduler      Schedulers", "  Schedulers"]
    assert left[3].startswith("   ◐ Farm v2      edit broken, using ")
    assert left[4:] == [
        "   ○ HQueue  l.41 needs Houdini (import h…",
        "   ● Local Scheduler      default",
        '   ✗ myfarm   l.41 "onSchedule" is missing',
        "   ⊘ oldfarm           disabled: use slurm",
        "   ● Python Scheduler",
    ]
    assert [line[45:] for line in lines[2:11]] == [
        "Slurm Scheduler     slurmscheduler",
        "/types/slurmscheduler.py",
        "Sends work items to Slurm as",
        "arrays.",
        'partition  "anim"   ◆',
        "cpus       1        ◆",
        "password   (secret)",
        "◆ overridable per node",
        "callbacks 2 own · 1 default · 0 ✗",
    ]
    assert lines[11][45:] == "static no · submit yes · logs no"
    assert lines[-1] == " ⏎ choose  ? help  ⇥ then e edit  p problems  y copy TOML  esc"


def test_below_80_columns_the_pane_stands_under_the_list(session: Session) -> None:
    lines = picture(session, 79)
    assert "│" not in "".join(lines)
    assert lines[9] == " " + "─" * 77
    assert lines[10].split() == ["Slurm", "Scheduler", "slurmscheduler"]
    assert len(lines) == 16


@pytest.mark.parametrize("lines", [1, 3, 6, 7, 11, 16, 50])
def test_there_are_never_more_rows_than_the_terminal_has(session: Session, lines: int) -> None:
    assert len(picture(session, 60, lines)) <= max(min(lines, 16), 2)


def test_wide_characters_move_nothing(make: Callable[..., Record], listed: Callable[..., list[Entry]]) -> None:
    labels = ["農場スケジューラ", "🎬 Render", "e\u0301tage", "plain", "👩\u200d🚀 crew"]
    session = Session(Menu(listed(*(make(f"t{number}", label) for number, label in enumerate(labels)))))
    screen = pyte.Screen(80, 24)
    pyte.Stream(screen).feed(told(Painter(Look()).frame(session, Shape.of(80, 24)), None))
    bars = [[column for column in range(80) if screen.buffer[row][column].data == "│"] for row in range(2, 14)]
    assert bars == [[43]] * 12


def test_a_label_cannot_steer_the_terminal(make: Callable[..., Record], listed: Callable[..., list[Entry]]) -> None:
    session = Session(Menu(listed(make("bad\x1b[2J", "ba\x1b]0;x\x07d", "invalid", path="/t/\x9b1m.py"))))
    lines = picture(session)
    assert "\\x1b" in "".join(lines)
    assert all(line.isprintable() for line in lines)


def test_enter_on_what_cannot_be_chosen_says_why(session: Session) -> None:
    for name, do in [("slurm", Do.CHOOSE), ("farm v2", Do.PROBLEMS), ("myfarm", Do.PROBLEMS), ("oldf", Do.PROBLEMS)]:
        session.press(Press("ctrl-u"))
        session.press(Press("paste", name))
        action = session.press(Press("enter"))
        assert action is not None
        assert action.do is do
    page = problems_page(session.menu.entries[-1], Look())
    assert page.lines


def test_what_was_not_looked_at_yet_cannot_be_chosen_but_waits_in_its_place(
    make: Callable[..., Record], listed: Callable[..., list[Entry]]
) -> None:
    session = Session(Menu(listed(make("a", state="not probed"), make("b"))))
    session.press(Press("up"))
    assert session.press(Press("enter")) is None
    assert "being looked at" in picture(session)[-1]
    session.press(Press("text", "a"))
    assert [line[:9].strip() for line in picture(session)[2:3]] == ["▌ ◌ a"]


def test_letters_act_after_tab_only_and_alt_acts_anywhere(session: Session) -> None:
    assert session.press(Press("text", "e")) is None
    assert session.menu.field.text == "e"
    action = session.press(Press("alt-e"))
    assert action is not None
    assert action.do is Do.EDIT
    session.press(Press("tab"))
    assert "█" in "".join(picture(session))
    action = session.press(Press("text", "p"))
    assert action is not None
    assert action.do is Do.PROBLEMS
    assert session.press(Press("text", "x")) is None
    assert session.menu.field.text == "ex"
    assert not session.in_list


def test_the_help_fits_80_columns_and_its_rows(session: Session) -> None:
    for plain in (False, True):
        session.show(help_page(Look(plain=plain)))
        lines = picture(session, plain=plain)
        assert not [line for line in lines if line.endswith(("…", "..."))]
        assert "scroll" not in lines[-1]


def test_the_block_to_copy_reads_as_a_network(session: Session) -> None:
    entry = next(each for each in session.menu.entries if each.row.name == "slurmscheduler")
    text = block(entry)
    assert tomllib.loads(text) == {"schedulers": {"slurm": {"type": "slurmscheduler", "parms": {}}}}
    parms = tomllib.loads(re.sub("^# ", "", text, flags=re.MULTILINE))["schedulers"]["slurm"]["parms"]
    assert parms == {"partition": "anim", "cpus": 1, "password": {"env": "PASSWORD"}}
    assert '# partition = "anim"  # a node may override it' in text
