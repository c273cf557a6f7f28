"""Problems as a good compiler prints them."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.cli.problems import counted, excerpt, print_error, problem_text
from topcook.errors import Problem, ProblemsError


def plain(problem: Problem) -> list[str]:
    return click.unstyle(problem_text(problem)).splitlines()


def test_a_problem_shows_its_line_with_the_word_underlined(tmp_path: Path) -> None:
    path = tmp_path / "farm.py"
    path.write_text("class Farm:\n    def onShedule(self, item):\n        pass\n")
    problem = Problem("mistyped-callback", 'there is no callback "onShedule"', str(path), 2, 9, "rename it: onSchedule")
    assert plain(problem) == [
        f'{path}:2:9: error: there is no callback "onShedule"',
        "  2 |     def onShedule(self, item):",
        "    |         ^^^^^^^^^",
        "    rename it: onSchedule",
    ]


def test_the_underline_stands_right_behind_tabs(tmp_path: Path) -> None:
    path = tmp_path / "farm.py"
    path.write_text("if x:\n\treturn nonsense\n")
    shown = [click.unstyle(line) for line in excerpt(Problem("x", "y", str(path), 2, 9))]
    assert shown == ["  2 |     return nonsense", "    |            ^^^^^^^^"]


def test_of_a_very_long_line_only_what_stands_around_the_place_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    path.write_text("x" * 50_000 + " wrong " + "y" * 50_000)
    line, mark = (click.unstyle(each) for each in excerpt(Problem("x", "y", str(path), 1, 50_002)))
    assert len(line) < 200
    assert line[mark.index("^") : mark.rindex("^") + 1] == "wrong"
    assert line.startswith("  1 | …x")
    assert line.endswith("y…")
    whole = click.unstyle(excerpt(Problem("x", "y", str(path), 1))[1])
    assert len(whole) < 200


def test_without_a_column_the_whole_line_is_underlined(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text("  key = 1\n")
    assert click.unstyle(excerpt(Problem("x", "y", str(path), 1))[1]) == "    |   ^^^^^^^"


@pytest.mark.parametrize(
    "problem", [Problem("x", "y"), Problem("x", "y", "/no/file", 3), Problem("x", "y", __file__, 10**6)]
)
def test_a_place_that_cannot_be_shown_is_only_named(problem: Problem) -> None:
    assert excerpt(problem) == []


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
        "error: first",
        "error: second",
        "    mend it",
        "error: two mistakes",
    ]


def test_nouns_are_counted() -> None:
    assert [counted(n, "item") for n in (0, 1, 2, 1234)] == ["0 items", "1 item", "2 items", "1,234 items"]
