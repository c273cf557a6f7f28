"""What was chosen lately, and the editor that is opened."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.cli.tab.editor import editor_command
from topcook.cli.tab.recent import KEPT, read_recent, recent_path, remember


def test_the_last_choice_comes_first_and_each_is_kept_once(tmp_path: Path) -> None:
    path = str(tmp_path / "state" / "recent.json")
    for choice in ["scheduler:a", "scheduler:b", "node:c", "scheduler:a"]:
        remember(path, choice)
    assert read_recent(path) == ["scheduler:a", "node:c", "scheduler:b"]
    for number in range(50):
        remember(path, f"scheduler:{number}")
    assert len(read_recent(path)) == KEPT
    assert os.listdir(tmp_path / "state") == ["recent.json"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"recent": 3}', '{"recent": {"a": 1}}', "\x00", "[" * 100000])
def test_a_file_that_is_not_ours_any_more_only_means_that_nothing_is_remembered(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recent.json"
    path.write_text(text, encoding="utf-8")
    assert read_recent(str(path)) in ([], ["a"])
    remember(str(path), "scheduler:a")
    assert read_recent(str(path))[0] == "scheduler:a"


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda part: st.lists(part) | st.dictionaries(st.text(max_size=3), part),
    )
)
def test_any_json_is_read(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("recent") / "recent.json"
    path.write_text(json.dumps({"recent": value}), encoding="utf-8")
    assert all(isinstance(each, str) for each in read_recent(str(path)))


def test_a_place_that_cannot_be_written_to_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    remember(str(tmp_path / "file" / "recent.json"), "scheduler:a")
    remember("", "scheduler:a")
    assert read_recent("") == []
    assert os.listdir(tmp_path) == ["file"]


def test_the_file_lies_in_the_users_state_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOPCOOK_STATE_DIR", str(tmp_path))
    assert recent_path() == str(tmp_path / "recent.json")
    monkeypatch.delenv("TOPCOOK_STATE_DIR")
    assert os.path.basename(os.path.dirname(recent_path())) == "topcook"


@pytest.mark.parametrize(
    ("editor", "command"),
    [
        ("vim", ["vim", "+7", "a b.py"]),
        ("/usr/bin/nvim -u NONE", ["/usr/bin/nvim", "-u", "NONE", "+7", "a b.py"]),
        ("code", ["code", "--goto", "a b.py:7", "--wait"]),
        ("emacsclient -nw", ["emacsclient", "-nw", "+7", "a b.py"]),
        ("my-editor --fast", ["my-editor", "--fast", "a b.py"]),
    ],
)
def test_the_editor_is_told_the_line_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch, editor: str, command: list[str]
) -> None:
    monkeypatch.setenv("VISUAL", editor)
    monkeypatch.setenv("EDITOR", "ed")
    assert editor_command("a b.py", 7) == command


def test_without_an_editor_a_usual_one_is_taken_or_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert editor_command("a.py", 1) is None
    (tmp_path / "vi").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "vi").chmod(0o755)
    assert editor_command("a.py", 1) == ["vi", "+1", "a.py"]
