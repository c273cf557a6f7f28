"""Which lines there are, which one is picked, and what stays where it is while types change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.cli.tab.entries import Entry
from topcook.cli.tab.keys import Press
from topcook.cli.tab.look import Look
from topcook.cli.tab.menu import Heading, Item, Menu, Submenu
from topcook.cli.tab.paint import Painter, Shape
from topcook.cli.tab.session import Session
from topcook.factory import Record

Make = Callable[..., Record]
Listed = Callable[..., list[Entry]]


def texts(menu: Menu) -> list[str]:
    """The lines in short: headings in brackets, submenus with an arrow, the picked line with a star."""
    shown = []
    for number, line in enumerate(menu.lines):
        star = "*" if number == menu.at else ""
        if isinstance(line, Heading):
            shown.append(f"[{line.text}]")
        else:
            text = line.entry.row.name if isinstance(line, Item) else f"{line.category}>"
            shown.append(star + text)
    return shown


@pytest.fixture
def several(make: Make, listed: Listed) -> list[Entry]:
    return listed(
        make("localscheduler", "Local Scheduler"),
        make("slurmscheduler", "Slurm Scheduler"),
        make("broken", "Broken One", "invalid"),
        make("wedge", "Wedge", category="Generators"),
        make("merge", "Merge", category="Utility"),
    )


def test_with_nothing_typed_recent_ones_come_first_then_categories(several: list[Entry]) -> None:
    menu = Menu(several, ["scheduler:slurmscheduler", "node:wedge", "scheduler:gone"])
    assert texts(menu) == ["[Recent]", "*slurmscheduler", "wedge", "Schedulers>", "Generators>", "Utility>"]


def test_a_menu_of_one_category_shows_it_at_once(drawn: list[Entry]) -> None:
    menu = Menu(drawn, ["scheduler:slurmscheduler"])
    assert texts(menu)[:4] == ["[Recent]", "*slurmscheduler", "[Schedulers]", "farm"]
    assert "slurmscheduler" not in texts(menu)[3:]


def test_what_is_picked_first_can_be_chosen(make: Make, listed: Listed) -> None:
    assert texts(Menu(listed(make("a", state="invalid"), make("b"), make("c")))) == ["[Schedulers]", "a", "*b", "c"]


def test_a_submenu_opens_and_is_picked_when_it_is_left(several: list[Entry]) -> None:
    menu = Menu(several)
    menu.move(1)
    assert menu.open()
    assert texts(menu) == ["*wedge"]
    assert menu.back()
    assert texts(menu) == ["Schedulers>", "*Generators>", "Utility>"]
    assert not menu.back()


def test_one_typed_letter_makes_it_flat_with_broken_ones_at_the_end(several: list[Entry]) -> None:
    menu = Menu(several)
    menu.insert("l")
    assert texts(menu) == ["*localscheduler", "slurmscheduler", "broken"]
    assert menu.shown == 2
    assert all(isinstance(line, Item) and line.foreign for line in menu.lines)
    menu.press("backspace")
    assert isinstance(menu.current, Submenu)


def test_recent_ones_win_where_the_fit_is_the_same(several: list[Entry]) -> None:
    menu = Menu(several, ["scheduler:slurmscheduler"])
    menu.insert("sch")
    assert texts(menu)[:2] == ["*slurmscheduler", "localscheduler"]


def test_nothing_is_picked_where_nothing_fits_and_arrows_reach_what_is_broken(several: list[Entry]) -> None:
    menu = Menu(several)
    menu.insert("zzz")
    assert texts(menu) == ["broken"]
    assert menu.current is None
    menu.move(1)
    assert menu.entry is not None


def test_a_row_changes_in_place_when_its_file_breaks_and_is_mended(make: Make, listed: Listed) -> None:
    names = ["a", "farm", "z"]
    menu = Menu(listed(*(make(f"{name}scheduler", f"{name} scheduler") for name in names)))
    menu.insert("sch")
    menu.move(1)
    before = texts(menu)
    # A file that cannot be executed is known by its own name only, and sorts last when somebody types anew.
    broken = [make(f"{n}scheduler", f"{n} scheduler") for n in ("a", "z")]
    broken.insert(0, make("farm_v2", state="failed", path="/types/farmscheduler.py"))
    menu.replace(listed(*broken))
    assert texts(menu) == [before[0], "*farm_v2", before[2]]
    menu.replace(listed(*(make(f"{name}scheduler", f"{name} scheduler") for name in names)))
    assert texts(menu) == before


def test_the_picked_line_stays_on_its_row_when_lines_come_above_it(make: Make, listed: Listed) -> None:
    menu = Menu(listed(*(make(f"m{number:02}") for number in range(30))), room=5)
    menu.move(12)
    row, picked = menu.at - menu.top, menu.entry
    menu.replace(listed(*(make(name) for name in ("a1", "a2", *(f"m{n:02}" for n in range(30))))))
    assert picked is not None
    assert menu.entry is not None
    assert (menu.entry.key, menu.at - menu.top) == (picked.key, row)


def test_the_neighbour_takes_over_from_a_type_that_is_gone(make: Make, listed: Listed) -> None:
    menu = Menu(listed(make("a"), make("b"), make("c")))
    menu.move(1)
    menu.replace(listed(make("a"), make("c")))
    assert texts(menu) == ["[Schedulers]", "a", "*c"]
    menu.replace(listed(make("a")))
    assert texts(menu) == ["[Schedulers]", "*a"]
    menu.replace([])
    assert menu.current is None
    menu.replace(listed(make("a")))
    assert menu.entry is not None


# Whatever is pressed, and whatever changes meanwhile

_NAMES = ["local", "slurm", "deadline", "農場 Farm", "🎬 render", "e\u0301tage", "x" * 90, "a\x1b[2Jb"]
_STATES = ["ok", "invalid", "failed", "needs houdini", "disabled", "not probed", "edit broken"]
_CATEGORIES = ["Schedulers", "Generators", "Ge\u0301ne\u0301r 農"]
_KEYS = [
    "up",
    "down",
    "left",
    "right",
    "home",
    "end",
    "pageup",
    "pagedown",
    "tab",
    "backspace",
    "delete",
    "ctrl-u",
    "ctrl-w",
    "ctrl-k",
    "enter",
    "esc",
    "alt-p",
]
_record = st.tuples(st.sampled_from(_NAMES), st.sampled_from(_STATES), st.sampled_from(_CATEGORIES))
_records = st.lists(_record, max_size=20, unique_by=lambda row: row[0])
_press = st.one_of(
    st.sampled_from(_KEYS).map(Press),
    st.text(max_size=6).map(lambda text: Press("paste", text)),
    st.sampled_from("lsdxe?py農 ").map(lambda text: Press("text", text)),
)
_step = st.one_of(_press, _press, _press, _records)
_size = st.tuples(st.integers(1, 170), st.integers(1, 60))


@given(_records, st.lists(_step, max_size=30), _size, st.booleans(), st.booleans())
def test_any_keys_and_changes_leave_a_menu_that_holds(
    make: Make, listed: Listed, rows: list[Any], steps: list[Any], size: tuple[int, int], plain: bool, full: bool
) -> None:
    def entries(rows: list[Any]) -> list[Entry]:
        return listed(*(make(name, name, state, category) for name, state, category in rows))

    session, painter = Session(Menu(entries(rows), ["scheduler:slurm"])), Painter(Look(plain=plain), "local")
    shape = Shape.of(*size, full=full)
    for step in steps:
        if isinstance(step, Press):
            session.press(step)
        else:
            rows = step
            session.replace(entries(rows))
        menu = session.menu
        menu.resize(shape.list_rows)
        if menu.current is not None:
            assert not isinstance(menu.current, Heading)
            assert menu.top <= menu.at < menu.top + menu.room
        if menu.filtering:
            listed_now = {line.entry.row.name for line in menu.lines if isinstance(line, Item)}
            assert {each.row.name for each in menu.entries if each.broken} <= listed_now
        assert len({id(line) for line in menu.lines}) == len(menu.lines)
        frame = painter.frame(session, shape)
        assert len(frame.rows) == shape.height or not shape.ruled
        assert len(frame.rows) <= max(size[1], 2)
        for row in frame.rows:
            assert all(span.text.isprintable() and "\x1b" not in span.text for span in row)
            assert max((span.end for span in row), default=0) <= shape.width
            ends = [span.end for span in row]
            assert all(end <= after.column for end, after in zip(ends, row[1:], strict=False))
            assert not plain or not any(span.style for span in row)
        assert frame.caret[1] <= shape.width
