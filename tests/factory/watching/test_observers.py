"""Who hears of types that change, and what becomes of a listener that raises."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from topcook.factory.watching import Change
from topcook.factory.watching.observers import OBSERVER_GROUP, hookimpl

MakeDesk = Callable[..., Any]
LONG = 10.0


class Diary:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @hookimpl
    def types_changed(self, added: Any, changed: Any, removed: Any) -> None:
        for sign, records in (("+", added), ("~", changed), ("-", removed)):
            self.lines += [f"{sign}{each.label}" for each in records]

    @hookimpl
    def type_failed(self, record: Any, path: str, problems: Any) -> None:
        self.lines.append(f"!{record.label} {path.rpartition('/')[2]} {problems[0].code}")

    @hookimpl
    def type_removed(self, record: Any) -> None:
        self.lines.append(f"gone {record.label}")


class Bomb:
    """Raises what no exception handler for mere exceptions catches."""

    def __init__(self) -> None:
        self.called = 0

    @hookimpl
    def types_changed(self, added: Any) -> None:
        self.called += 1
        raise SystemExit(3)


def test_an_observer_hears_of_all_that_happens_in_order(desk: MakeDesk) -> None:
    author = desk(farm=1)
    diary = Diary()
    author.live.observe(diary)
    author.file("other").write_text(author.text("other"))
    assert author.live.wait(lambda: "+other 1" in diary.lines, LONG)
    author.file("farm").write_text(author.text("farm", 2))
    assert author.shows("farm", 2)
    author.file("farm").write_text("(")
    assert author.breaks("farm")
    author.file("farm").write_text(author.text("farm", 3))
    assert author.shows("farm", 3)
    author.file("farm").unlink()
    assert author.loses("farm")
    author.live.close()
    assert diary.lines == [
        "+other 1",
        "~farm 2",
        "!farm 2 farm.py syntax-error",
        "~farm 3",
        "-farm 3",
        "gone farm 3",
    ]


def test_an_observer_that_ends_the_program_is_logged_and_dropped(
    desk: MakeDesk, caplog: pytest.LogCaptureFixture
) -> None:
    author = desk(farm=1)
    bomb, diary = Bomb(), Diary()
    author.live.observe(bomb)
    author.live.observe(diary)
    for version in (2, 3):
        author.file("farm").write_text(author.text("farm", version))
        assert author.shows("farm", version)
    author.live.close()
    assert bomb.called == 1
    assert diary.lines == ["~farm 2", "~farm 3"]
    assert any("hears no more" in each.getMessage() for each in caplog.records if each.levelno == logging.ERROR)


def test_a_subscriber_hears_of_changes_until_it_ends_that(desk: MakeDesk) -> None:
    author = desk(farm=1)
    heard: list[Change] = []
    end = author.live.subscribe(heard.append)
    author.file("farm").write_text(author.text("farm", 2))
    assert author.live.wait(lambda: bool(heard), LONG)
    assert [each.label for each in heard[0].changed] == ["farm 2"]
    end()
    author.file("farm").write_text(author.text("farm", 3))
    assert author.shows("farm", 3)
    author.live.close()
    assert len(heard) == 1


def test_a_subscriber_that_raises_is_dropped_and_the_rest_hears_on(desk: MakeDesk) -> None:
    author = desk(farm=1)
    heard: list[Change] = []

    def bad(_change: Change) -> None:
        raise RuntimeError("oh")

    author.live.subscribe(bad)
    author.live.subscribe(heard.append)
    for version in (2, 3):
        author.file("farm").write_text(author.text("farm", version))
        assert author.shows("farm", version)
    author.live.close()
    assert len(heard) == 2


class Entry:
    """An entry point, as far as an observer needs one."""

    def __init__(self, name: str, found: Any) -> None:
        self.name, self.value, self._found = name, f"module:{name}", found

    def load(self) -> Any:
        if isinstance(self._found, BaseException):
            raise self._found
        return self._found


def test_installed_observers_are_added_and_a_bad_one_is_named(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Entry("diary", Diary), Entry("gone", ImportError("no module")), Entry("exits", SystemExit(1))]

    def installed(group: str) -> list[Entry]:
        return entries if group == OBSERVER_GROUP else []

    monkeypatch.setattr("importlib_metadata.entry_points", installed)
    author = desk(farm=1)
    assert author.live.wait(lambda: bool(author.live.notes()), LONG)
    assert [each.partition(" cannot")[0] for each in author.live.notes()] == [
        'the types observer "gone" (module:gone)',
        'the types observer "exits" (module:exits)',
    ]
    author.file("farm").write_text(author.text("farm", 2))
    assert author.shows("farm", 2)
    author.live.close()
    [diary] = author.live.observers.manager.get_plugins()
    assert diary.lines == ["~farm 2"]
