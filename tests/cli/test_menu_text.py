"""The menu as columns: on a narrow terminal, on a wide one, in a pipe."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.cli.menu_text import Page, details_text, rows_text
from topcook.cli.problems import problem_text
from topcook.errors import Problem
from topcook.factory import GLYPHS, Kind, Origin, Record, State, Tier, menu_rows
from topcook.factory.details import details_of
from topcook.model.cells import cell_width
from topcook.model.parms import ParmSpec

ENDLESS = Page(sys.maxsize, plain=False, coloured=False)


def page(columns: int, *, plain: bool = False) -> Page:
    return Page(columns, plain, coloured=False)


def record(name: str, label: str = "", state: State = State.OK, path: str = "/types/farm.py", **more: object) -> Record:
    return Record(name, Origin(Tier.PATH, path), state, Kind.SCHEDULER, label or name, "Schedulers", **more)  # type: ignore[arg-type]


BROKEN = Problem(
    "missing-callback", '"onSchedule" is missing in class "Farm"', "/types/bad.py", 41, 5, "did you mean it?"
)


def test_in_a_pipe_nothing_is_cut_and_a_broken_one_has_its_line_problem_and_file() -> None:
    text = rows_text(menu_rows([record("bad", state=State.INVALID, path="/types/bad.py", problems=[BROKEN])]), ENDLESS)
    assert text == 'Schedulers ▸\n  ✗ bad  bad  invalid  l.41 "onSchedule" is missing in class "Farm" - /types/bad.py\n'


def test_a_path_that_has_no_room_is_shown_by_its_end() -> None:
    long = "/mnt/projects/studio/pipeline/pdg/types/slurm.py"
    text = rows_text(menu_rows([record("slurmscheduler", "Slurm Scheduler", path=long)]), page(60))
    assert text.splitlines()[1].endswith("types/slurm.py")
    assert "…" in text


def test_what_is_wrong_gets_a_line_of_its_own_where_it_does_not_fit() -> None:
    rows = menu_rows([record("bad", state=State.INVALID, path="/types/bad.py", problems=[BROKEN])])
    assert rows_text(rows, page(60)).splitlines()[1:] == [
        "  ✗ bad  bad  invalid",
        '      l.41 "onSchedule" is missing in class "Farm" - /types…',
    ]


def test_wide_labels_keep_the_columns_in_line() -> None:
    rows = menu_rows([record("a", "農場"), record("b", "Farm"), record("c", "e\u0301clair")])
    lines = rows_text(rows, ENDLESS).splitlines()[1:]
    assert len({cell_width(line.partition("ok")[0]) for line in lines}) == 1


def test_a_plain_page_is_ascii_and_says_each_state_in_words() -> None:
    records = [record(f"x{number}", state=state, reason="so") for number, state in enumerate(State)]
    text = rows_text(menu_rows(records, show_all=True), page(80, plain=True))
    assert text.isascii()
    assert all(GLYPHS[state.value][2] in text for state in State)


def test_colours_only_add_to_the_words() -> None:
    rows = menu_rows([record("good"), record("bad", state=State.INVALID, problems=[BROKEN])])
    coloured = rows_text(rows, Page(80, plain=False, coloured=True))
    assert "\x1b[31m" in coloured
    import click

    assert click.unstyle(coloured) == rows_text(rows, page(80))


@given(
    st.lists(st.tuples(st.text(max_size=50), st.text(min_size=1, max_size=30), st.sampled_from(State)), max_size=8),
    st.integers(70, 200),
    st.booleans(),
)
def test_no_line_is_wider_than_the_terminal_and_no_name_is_cut(
    given_rows: list[tuple[str, str, State]], columns: int, plain: bool
) -> None:
    records = [record(name, label, state, reason=label) for label, name, state in given_rows]
    rows = menu_rows(records, show_all=True)
    text = rows_text(rows, page(columns, plain=plain))
    lines = [line for line in text.splitlines() if not line.startswith("      ")]
    assert len(lines) == len(rows) + bool(rows)
    assert all(cell_width(line) <= columns for line in text.splitlines() if line.startswith("      "))
    for row, line in zip(rows, lines[1:], strict=True):
        assert row.name.strip() in line
        assert cell_width(line) <= columns + max(0, cell_width(row.name) - 30)


def test_details_show_parms_with_defaults_and_mark_those_that_nodes_may_override() -> None:
    parms = (
        ParmSpec("partition", label="Partition", default=("anim",), tags=frozenset({"pdg::scheduler"})),
        ParmSpec("password", secret=True),
    )
    shown = details_text(details_of(record("farm", "Farm", parms=parms, about="Sends items.")), page(80), problem_text)
    assert "Farm  farm\n  Sends items.\n  state      ● ok\n" in shown
    assert '◆ partition  "anim"    Partition' in shown
    assert "(secret)" in shown


def test_details_of_a_broken_one_end_with_every_problem() -> None:
    found = details_of(record("bad", state=State.INVALID, problems=[BROKEN, BROKEN]))
    shown = details_text(found, page(80, plain=True), problem_text)
    assert shown.count("is missing in class") == 2
    assert "did you mean it?" in shown
    assert "x invalid" in shown


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_asks_for_plain_text_gets_ascii(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert Page.of(io.StringIO()).plain
