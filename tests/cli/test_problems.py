"""Problems as a good compiler prints them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.cli.excerpt import Quoted, quoted_lines
from topcook.cli.problems import counted, print_error, problem_text
from topcook.errors import Problem, ProblemsError
from topcook.model.cells import cell_width, printable


def plain(problem: Problem, **options: Any) -> list[str]:
    return click.unstyle(problem_text(problem, **options)).splitlines()


def shown(text: str, line: int, column: int | None = None, message: str = "y") -> list[str]:
    """What is printed of the line itself: from the place on, without the help."""
    problem = Problem("x", message, "farm.py", line, column)
    return plain(problem, contents={"farm.py": text.encode("utf-8", "surrogatepass")})[2:]


def test_a_problem_shows_its_line_with_the_word_underlined(tmp_path: Path) -> None:
    path = tmp_path / "farm.py"
    path.write_text("class Farm:\n    def onShedule(self, item):\n        pass\n")
    problem = Problem("wrong", 'there is no callback "onShedule"', str(path), 2, 9, "rename it:\nonSchedule")
    assert plain(problem) == [
        'error[wrong]: there is no callback "onShedule"',
        f" --> {path}:2:9",
        "  |",
        "2 |     def onShedule(self, item):",
        "  |         ^^^^^^^^^",
        "help: rename it:",
        "      onSchedule",
    ]


def test_what_was_found_and_expected_stands_at_the_place() -> None:
    lines = shown("def onStop(self, why):", 1, 5, '"onStop" takes (self, why), too many; expected onStop(self)')
    assert lines[-1] == "  |     ^^^^^^ expected onStop(self)"
    without_a_line = plain(Problem("x", "it is async, expected a method", "farm.py", 3), contents={})
    assert without_a_line == ["error[x]: it is async, expected a method", " --> farm.py:3"]


def test_a_label_without_room_beside_the_carets_goes_below_them() -> None:
    lines = shown("x" * 150, 1, 149, "wrong; found a thing; expected something else")
    assert lines[-3].endswith("^^")
    assert [line.strip(" |") for line in lines[-2:]] == ["found a thing", "expected something else"]


def test_what_a_type_lives_with_is_a_warning() -> None:
    assert plain(Problem("mistyped-callback", "y"))[0] == "warning[mistyped-callback]: y"


def test_what_was_checked_is_quoted_and_not_what_is_on_disk_by_then(tmp_path: Path) -> None:
    path = tmp_path / "farm.py"
    path.write_text("newer\n")
    assert "1 | older" in plain(Problem("x", "y", str(path), 1), contents={str(path): b"older\n"})


def test_the_underline_stands_right_behind_tabs() -> None:
    assert shown("if x:\n\treturn nonsense\n", 2, 9)[1:] == ["2 |     return nonsense", "  |            ^^^^^^^^"]


def test_wide_characters_take_two_cells_and_their_carets_too() -> None:
    assert shown("名前 = 誤り\n", 1, 6)[1:] == ["1 | 名前 = 誤り", "  |        ^^^^"]


def test_a_place_behind_the_end_of_a_line_is_shown_there() -> None:
    assert shown("x = (\n", 1, 6)[1:] == ["1 | x = (", "  |      ^"]


def test_nothing_in_a_file_or_message_steers_the_terminal() -> None:
    lines = shown("x = '\x1b[2J\x07\u202e'; wrong\n", 1, 15, "said \x1b[31m; found \x9b1m")
    assert lines[1] == "1 | x = '\\x1b[2J\\x07\\u202e'; wrong"
    assert lines[2].startswith(" " * 2 + "|" + " " * 26 + "^^^^^ found \\x9b1m")
    assert not [line for line in lines if not line.isprintable()]


def test_a_byte_order_mark_and_windows_line_ends_are_not_shown() -> None:
    problem = Problem("x", "y", "farm.py", 2, 1)
    lines = plain(problem, contents={"farm.py": b"\xef\xbb\xbffirst\r\nsecond\r\n"})
    assert lines[-2:] == ["2 | second", "  | ^^^^^^"]


def test_of_a_very_long_line_only_what_stands_around_the_place_is_shown() -> None:
    text = "x" * 50_000 + " wrong " + "y" * 50_000
    _, line, mark = shown(text, 1, 50_002)
    assert len(line) <= 160
    assert line[mark.index("^") : mark.rindex("^") + 1] == "wrong"
    assert line.startswith("1 | …x")
    assert line.endswith("y…")
    assert len(shown(text, 1)[-1]) <= 160


@given(
    st.text(max_size=300),
    st.none() | st.integers(1, 320),
    st.none() | st.integers(1, 320),
    st.lists(st.text(max_size=40), max_size=2),
    st.integers(1, 120),
)
def test_no_line_is_wider_than_the_terminal_and_the_carets_stay_below_it(
    text: str, column: int | None, end: int | None, labels: list[str], width: int
) -> None:
    labels = [printable(each) for each in labels]
    quoted = Quoted(text, 7, column, end, tuple(labels))
    lines = [click.unstyle(line) for line in quoted_lines(quoted, width=width)]
    assert all(line.isprintable() for line in lines)
    assert cell_width(lines[1]) <= max(width, 30)
    assert "^" in lines[2]
    assert len(lines[2].split("^")[0]) <= max(width, 30)


def test_without_a_column_the_whole_line_is_underlined() -> None:
    assert shown("  key = 1\n", 1)[-1] == "  |   ^^^^^^^"


@pytest.mark.parametrize(
    "problem", [Problem("x", "y"), Problem("x", "y", "/no/file", 3), Problem("x", "y", __file__, 10**6)]
)
def test_a_place_that_cannot_be_shown_is_only_named(problem: Problem) -> None:
    assert "^" not in problem_text(problem)


@given(st.text(), st.integers(1, 5), st.none() | st.integers(1, 200), st.text(), st.none() | st.text())
def test_any_problem_of_any_file_can_be_printed(
    tmp_path_factory: pytest.TempPathFactory, text: str, line: int, column: int | None, said: str, hint: str | None
) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_text(text, encoding="utf-8", errors="replace")
    assert problem_text(Problem("x", said, str(path), line, column, hint))


def test_an_error_with_problems_prints_all_of_them_then_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(ProblemsError([Problem("a", "first"), Problem("b", "second", hint="mend it")], "two mistakes"))
    assert capsys.readouterr().err.splitlines() == [
        "error[a]: first",
        "",
        "error[b]: second",
        "help: mend it",
        "",
        "error: two mistakes",
    ]


def test_nouns_are_counted() -> None:
    assert [counted(n, "item") for n in (0, 1, 2, 1234)] == ["0 items", "1 item", "2 items", "1,234 items"]
