"""Every file of ``bad/`` has one thing wrong with it, and beside it stands what is told of it, word for word.

All are executed as ``topcook check`` does, in worker processes. ``TOPCOOK_BLESS=1`` writes the reports anew, for a look
at the difference; ``[...]`` in a report stands for any text of a line (what another Python says otherwise, say).
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import pytest

from topcook.cli.problems import problem_text
from topcook.errors import Problem
from topcook.factory import Kind, State
from topcook.factory.examination import Examined, candidates_of, examine
from topcook.factory.probing import WorkerPool

BAD = Path(__file__).parent / "bad"
NAMES = sorted(path.stem for path in BAD.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file())
#: The traits of the issue that each have a file, and more than these.
FEWEST = 60
ANY = "[...]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files: one of them deletes itself."""
    copy = tmp_path_factory.mktemp("types") / "bad"
    shutil.copytree(BAD, copy, ignore=shutil.ignore_patterns("__pycache__", "*.expected"))
    return copy


@pytest.fixture(scope="module")
def found(folder: Path) -> Iterator[dict[str, Examined]]:
    """All of them examined side by side."""
    places = {name: folder / name if (folder / name).is_dir() else folder / f"{name}.py" for name in NAMES}
    candidates = [candidate for place in places.values() for candidate in candidates_of(str(place))]
    assert len(candidates) == len(NAMES)
    pool = WorkerPool(limit=3.0, flood=1 << 20)
    try:
        yield dict(zip(NAMES, examine(candidates, pool), strict=True))
    finally:
        pool.close()


def report(examined: Examined, folder: Path) -> str:
    """The states of the records, then the problems as they are printed."""

    def public(text: str) -> str:
        text = text.replace(f"{folder}{os.sep}", "").replace(sys.executable, "python")
        return text.replace("Python {}.{}".format(*sys.version_info), "Python 3.x")

    def shown(problem: Problem) -> Problem:
        return replace(problem, path=public(problem.path or ""), message=public(problem.message))

    contents = {public(path): content for path, content in examined.contents.items()}
    lines = [": ".join(filter(None, (each.name, each.state.value, each.reason))) for each in examined.records]
    for problem in examined.problems:
        lines += ["", click.unstyle(problem_text(shown(problem), contents=contents))]
    return public("\n".join(lines)) + "\n"


def matches(text: str, expected: str) -> bool:
    pattern = ".*".join(re.escape(piece) for piece in expected.split(ANY))
    return re.fullmatch(pattern, text) is not None


def test_there_is_a_file_for_every_trait() -> None:
    assert len(NAMES) >= FEWEST
    assert sorted(path.stem for path in BAD.glob("*.expected")) == NAMES


@pytest.mark.skipif(sys.platform == "win32", reason="forks, signals and modes are POSIX's")
@pytest.mark.parametrize("name", NAMES)
def test_a_bad_file_is_told_of_word_for_word(name: str, found: dict[str, Examined], folder: Path) -> None:
    told = report(found[name], folder)
    path = BAD / f"{name}.expected"
    if os.environ.get("TOPCOOK_BLESS") and not (path.is_file() and matches(told, path.read_text(encoding="utf-8"))):
        path.write_text(told, encoding="utf-8")
    expected = path.read_text(encoding="utf-8")
    if not matches(told, expected):
        assert told == expected


FINE = {
    "a byte order mark": b"\xef\xbb\xbf" + (BAD / "hook_missing.py").read_bytes(),
    "a coding comment": "# coding: latin-1\nLABEL = 'K\u00fcche'\n".encode("latin-1")
    + (BAD / "hook_missing.py").read_bytes(),
    "Windows line ends": (BAD / "hook_missing.py").read_bytes().replace(b"\n", b"\r\n"),
    "line ends of old": (BAD / "hook_missing.py").read_bytes().replace(b"\n", b"\r"),
    "a form feed": (BAD / "hook_missing.py").read_bytes().replace(b"\n\n\n", b"\n\x0c\n"),
    "no line end at the end": (BAD / "hook_missing.py").read_bytes().rstrip(),
    "wide characters": "名前 = '東京'\n".encode() + (BAD / "hook_missing.py").read_bytes(),
    "habits of scripts": b"import logging, os, sys\nlogging.basicConfig()\nos.environ['FARM_SEEN'] = '1'\n"
    b"sys.path.append(os.path.dirname(__file__))\nprint('loading')\n" + (BAD / "hook_missing.py").read_bytes(),
}
HOOK = b"\ndef registerTypes(type_registry):\n    type_registry.registerScheduler(Farm)"


def test_what_is_odd_and_right_is_fine(tmp_path: Path) -> None:
    for number, content in enumerate(FINE.values()):
        end = b"\r\n" if b"\r\n" in content else b"\r" if b"\r" in content else b"\n"
        (tmp_path / f"farm_{number}.py").write_bytes(content + HOOK.replace(b"\n", end))
    for name, examined in zip(FINE, examine(candidates_of(str(tmp_path))), strict=True):
        assert [(each.name, each.state) for each in examined.records] == [("farm", State.OK)], name
        assert examined.problems == [], name


def test_each_is_listed_and_says_what_to_type(found: dict[str, Examined]) -> None:
    for name, examined in found.items():
        assert examined.records, name
        assert all(record.state is not State.NOT_PROBED for record in examined.records), name
        for problem in examined.problems:
            assert problem.hint, f"{name}: {problem}"
            assert problem.path, f"{name}: {problem}"
            assert click.unstyle(problem_text(problem)).replace("\n", "").isprintable(), name
    assert any(record.kind is Kind.NODE for examined in found.values() for record in examined.records)
