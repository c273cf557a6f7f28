"""What a walk sees of an entry, and which directories are listened to for it."""

from __future__ import annotations

import os
from pathlib import Path

from topcook.factory.watching.survey import EVERY, plan_of, survey


def names(found: dict[str, tuple[int, ...]], root: Path) -> set[str]:
    return {os.path.relpath(path, root) for path in found}


def test_a_walk_sees_files_one_level_and_whole_packages(tmp_path: Path) -> None:
    for file in ["a.py", "b.txt", "sub/c.py", "sub/deep/d.py", "pack/__init__.py", "pack/x/y/z.py"]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    for file in [".git/e.py", "__pycache__/f.py", "pack/__pycache__/g.py"]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    found = survey(str(tmp_path))
    assert names(found.files, tmp_path) == {"a.py", "sub/c.py", "pack/__init__.py", "pack/x/y/z.py"}
    assert names(found.directories, tmp_path) == {".", "sub", "pack", "pack/x", "pack/x/y"}


def test_every_kind_of_change_makes_a_difference(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("1")
    before = survey(str(tmp_path))
    assert not survey(str(tmp_path)).differs(before)
    path.write_text("2")
    os.utime(path, (1, 1))
    edited = survey(str(tmp_path))
    assert edited.differs(before)
    path.chmod(0o600)
    changed = survey(str(tmp_path))
    assert changed.differs(edited)
    (tmp_path / "b").mkdir()
    assert survey(str(tmp_path)).differs(changed)


def test_links_are_followed_and_their_circles_end(tmp_path: Path) -> None:
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "round.py").symlink_to("round.py")
    (tmp_path / "types" / "self").symlink_to(".")
    (tmp_path / "types" / "away.py").symlink_to(tmp_path / "gone" / "away.py")
    found = survey(str(tmp_path / "types"))
    assert "away.py" in names(found.files, tmp_path / "types")
    assert str(tmp_path) in plan_of([found])


def test_above_a_missing_directory_the_name_is_waited_for_that_leads_there(tmp_path: Path) -> None:
    entry = str(tmp_path / "a" / "b" / "c")
    assert plan_of([survey(entry)]) == {os.path.realpath(tmp_path): {"a": {entry}}}


def test_the_directory_above_is_listened_to_for_one_name_only(tmp_path: Path) -> None:
    entry = tmp_path / "types"
    entry.mkdir()
    plan = plan_of([survey(str(entry))])
    assert plan == {os.path.realpath(entry): {EVERY: {str(entry)}}, os.path.realpath(tmp_path): {"types": {str(entry)}}}


def test_a_walk_that_fails_is_no_proof_that_nothing_is_there(tmp_path: Path) -> None:
    entry = tmp_path / ("x" * 300)
    assert survey(str(entry)).error is not None
