"""What happens to files, as authors and their editors do it, and what a live registry makes of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MakeDesk = Callable[..., Any]


def plain(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def vim(path: Path, text: str) -> None:
    """backupcopy=no: the file becomes the backup, a new one is written, the backup goes."""
    (path.parent / "4913").touch()
    (path.parent / "4913").unlink()
    backup = path.with_name(path.name + "~")
    path.rename(backup)
    path.write_text(text, encoding="utf-8")
    backup.unlink()


def emacs(path: Path, text: str) -> None:
    """A lock that is a dangling link, the old file as a backup, then a write."""
    lock = path.with_name(".#" + path.name)
    lock.symlink_to("author@machine.4711:1")
    path.rename(path.with_name(path.name + "~"))
    path.write_text(text, encoding="utf-8")
    lock.unlink()


def jetbrains(path: Path, text: str) -> None:
    """Safe write: a temporary file, the old one aside, the new one in its place, the old one deleted."""
    new, old = path.with_name(path.name + "___jb_tmp___"), path.with_name(path.name + "___jb_old___")
    new.write_text(text, encoding="utf-8")
    path.rename(old)
    new.rename(path)
    old.unlink()


def vscode(path: Path, text: str) -> None:
    """Truncate and write through the same descriptor, flushed."""
    with path.open("r+", encoding="utf-8") as stream:
        stream.truncate(0)
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def replaced(path: Path, text: str) -> None:
    """As kate, gedit, sed -i and rsync do: a hidden temporary file takes the name."""
    new = path.with_name(f".{path.name}.Xy12")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def from_elsewhere(path: Path, text: str) -> None:
    """A file moved in from outside the types path."""
    new = path.parent.parent / "outside.txt"
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def deleted_first(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text, encoding="utf-8")


def linked(path: Path, text: str) -> None:
    """Unlink and hard link, as git and some build tools do."""
    new = path.parent.parent / "object"
    new.write_text(text, encoding="utf-8")
    path.unlink()
    os.link(new, path)
    new.unlink()


SAVES = [plain, vim, emacs, jetbrains, vscode, replaced, from_elsewhere, deleted_first, linked]


@pytest.mark.parametrize("save", SAVES)
def test_a_save_of_any_editor_is_seen(desk: MakeDesk, save: Callable[[Path, str], None]) -> None:
    author = desk(farm=1)
    for version in (2, 3):
        save(author.file("farm"), author.text("farm", version))
        assert author.shows("farm", version)


def test_sed_in_place_is_seen(desk: MakeDesk) -> None:
    author = desk(farm=1)
    subprocess.run(["sed", "-i", "s/farm 1/farm 2/", str(author.file("farm"))], check=True)
    assert author.shows("farm", 2)


@pytest.mark.skipif(shutil.which("rsync") is None, reason="no rsync here")
@pytest.mark.parametrize("how", [["-t"], ["--inplace"], ["-t", "--inplace"]])
def test_rsync_is_seen_with_a_time_that_goes_backwards_too(desk: MakeDesk, tmp_path: Path, how: list[str]) -> None:
    author = desk(farm=1)
    source = tmp_path / "farm.py"
    source.write_text(author.text("farm", 2), encoding="utf-8")
    os.utime(source, (1e9, 1e9))
    subprocess.run(["rsync", *how, str(source), str(author.file("farm"))], check=True)
    assert author.shows("farm", 2)


def test_a_time_set_backwards_hides_no_edit(desk: MakeDesk) -> None:
    author = desk(farm=1)
    plain(author.file("farm"), author.text("farm", 2))
    os.utime(author.file("farm"), (1e9, 1e9))
    assert author.shows("farm", 2)


def test_two_edits_of_the_same_size_within_a_second_are_two_versions(desk: MakeDesk) -> None:
    author = desk(farm=1)
    path = author.file("farm")
    before = path.stat()
    for version in (2, 3, 4, 5):
        plain(path, author.text("farm", version))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert author.shows("farm", version)


def test_a_new_file_appears_and_a_deleted_one_goes(desk: MakeDesk) -> None:
    author = desk(farm=1)
    plain(author.file("other"), author.text("other"))
    assert author.shows("other", 1)
    author.file("farm").unlink()
    assert author.loses("farm")


def test_a_renamed_file_changes_its_place(desk: MakeDesk) -> None:
    author = desk(farm=1)
    author.file("farm").rename(author.file("moved"))
    assert author.live.wait(lambda: (found := author.record("farm")) and found.origin.path.endswith("moved.py"), 10)


def test_a_rename_that_changes_only_the_case_is_a_rename(desk: MakeDesk) -> None:
    author = desk(farm=1)
    author.file("farm").rename(author.file("Farm"))
    assert author.live.wait(lambda: (found := author.record("farm")) and found.origin.path.endswith("Farm.py"), 10)


def test_a_file_moved_out_of_the_path_goes(desk: MakeDesk, tmp_path: Path) -> None:
    author = desk(farm=1)
    author.file("farm").rename(tmp_path / "away.py")
    assert author.loses("farm")


def test_a_broken_edit_leaves_the_last_good_version_serving_and_says_so(desk: MakeDesk) -> None:
    author = desk(farm=1)
    plain(author.file("farm"), "def registerTypes(type_registry)\n    pass\n")
    assert author.breaks("farm")
    record = author.record("farm")
    assert record.label == "farm 1"
    assert [problem.code for problem in record.edit.problems] == ["syntax-error"]
    assert record.edit.problems[0].line == 1
    assert record.edit.told.startswith("edit broken, serving the version of ")
    assert author.live.factory.load(record).VERSION == 1
    [row] = [row for row in author.live.rows("schedulers") if row.name == "farm"]
    assert (row.look, row.note) == ("edit broken", record.edit.told)


def test_a_second_broken_edit_still_names_the_version_that_serves(desk: MakeDesk) -> None:
    author = desk(farm=1)
    plain(author.file("farm"), "raise ValueError('one') # registerTypes=1")
    assert author.breaks("farm")
    first = author.record("farm").edit
    plain(author.file("farm"), "raise ValueError('two') # registerTypes=1")
    assert author.live.wait(lambda: "two" in author.record("farm").edit.problems[0].message, 10)
    assert author.record("farm").edit.serving_of == first.serving_of
    plain(author.file("farm"), author.text("farm", 3))
    assert author.shows("farm", 3)


def test_an_edit_that_is_taken_back_is_mended(desk: MakeDesk) -> None:
    author = desk(farm=1)
    plain(author.file("farm"), "")
    assert author.breaks("farm")
    plain(author.file("farm"), author.text("farm", 1))
    assert author.shows("farm", 1)


def test_a_file_that_was_broken_from_the_start_is_kept_an_eye_on(desk: MakeDesk) -> None:
    author = desk(farm=1)
    plain(author.file("late"), "import nowhere_to_be_found # registerTypes=1")
    assert author.live.wait(lambda: any(each.name == "late" for each in author.live.records()), 10)
    plain(author.file("late"), author.text("late", 2))
    assert author.shows("late", 2)


def test_a_new_process_never_serves_the_last_good_version_of_another(desk: MakeDesk) -> None:
    author = desk(farm=1)
    plain(author.file("farm"), "(")
    assert author.breaks("farm")
    assert desk().record("farm") is None


def test_a_file_written_in_two_steps_with_a_pause_ends_right(desk: MakeDesk) -> None:
    author = desk(farm=1)
    text = author.text("farm", 2)
    with author.file("farm").open("w", encoding="utf-8") as stream:
        stream.write(text[: len(text) // 2])
        stream.flush()
        # Long enough for what is merely quiet, not for a file that is still open.
        assert not author.live.wait(lambda: author.record("farm").edit is not None, 0.15)
        stream.write(text[len(text) // 2 :])
    assert author.shows("farm", 2)


def test_a_directory_removed_and_made_again_is_followed(desk: MakeDesk) -> None:
    author = desk(farm=1)
    for version in (2, 3):
        shutil.rmtree(author.root)
        assert author.loses("farm")
        author.root.mkdir()
        plain(author.file("farm"), author.text("farm", version))
        assert author.shows("farm", version)


def test_a_directory_swapped_for_another_is_followed(desk: MakeDesk, tmp_path: Path) -> None:
    author = desk(farm=1)
    shutil.copytree(author.root, tmp_path / "next")
    author.root.rename(tmp_path / "old")
    (tmp_path / "next").rename(author.root)
    plain(author.file("farm"), author.text("farm", 2))
    assert author.shows("farm", 2)


def test_a_directory_that_does_not_exist_yet_is_waited_for(desk: MakeDesk) -> None:
    author = desk("not/yet/there")
    author.root.mkdir(parents=True)
    plain(author.file("farm"), author.text("farm"))
    assert author.shows("farm", 1)


def test_subdirectories_and_packages_are_followed_from_their_making_on(desk: MakeDesk) -> None:
    author = desk(farm=1)
    below = author.root / "below"
    below.mkdir()
    plain(below / "inner.py", author.text("inner"))
    assert author.shows("inner", 1)
    package = author.root / "pack"
    (package / "deep" / "deeper").mkdir(parents=True)
    for folder in (package / "deep", package / "deep" / "deeper"):
        (folder / "__init__.py").touch()
    plain(package / "deep" / "deeper" / "kinds.py", author.text("pack"))
    plain(package / "__init__.py", "from .deep.deeper.kinds import registerTypes")
    assert author.shows("pack", 1)
    plain(package / "deep" / "deeper" / "kinds.py", author.text("pack", 2))
    assert author.shows("pack", 2)


def test_a_helper_that_is_edited_makes_a_new_version_of_who_imports_it(desk: MakeDesk) -> None:
    author = desk(farm=1)
    plain(author.file("helper"), "LABEL = 'farm 1'")
    text = "import helper\n" + author.text("farm").replace('label="farm 1"', "label=helper.LABEL")
    plain(author.file("farm"), text)
    assert author.live.wait(lambda: author.live.factory.records, 10)
    plain(author.file("helper"), "LABEL = 'farm 7'")
    assert author.shows("farm", 7)


def test_a_file_behind_links_is_followed_where_it_lies(desk: MakeDesk, tmp_path: Path) -> None:
    author = desk(other=1)
    target = tmp_path / "repository" / "farm_v1.py"
    target.parent.mkdir()
    plain(target, author.text("farm"))
    current = tmp_path / "repository" / "current.py"
    current.symlink_to("farm_v1.py")
    author.file("farm").symlink_to(current)
    assert author.shows("farm", 1)
    plain(target, author.text("farm", 2))
    assert author.shows("farm", 2)
    newer = tmp_path / "repository" / "farm_v2.py"
    plain(newer, author.text("farm", 3))
    current.unlink()
    current.symlink_to("farm_v2.py")
    assert author.shows("farm", 3)


def test_a_types_path_that_is_a_link_is_followed_to_wherever_it_leads(desk: MakeDesk, tmp_path: Path) -> None:
    for version in (1, 2):
        (tmp_path / f"v{version}").mkdir()
    author = desk("types")
    plain(tmp_path / "v1" / "farm.py", author.text("farm", 1))
    author.root.symlink_to("v1")
    assert author.shows("farm", 1)
    plain(tmp_path / "v1" / "farm.py", author.text("farm", 11))
    assert author.shows("farm", 11)
    plain(tmp_path / "v2" / "farm.py", author.text("farm", 2))
    link = tmp_path / "link"
    link.symlink_to("v2")
    link.replace(author.root)
    assert author.shows("farm", 2)


def test_a_checkout_of_many_files_at_once_ends_right(desk: MakeDesk) -> None:
    author = desk(**{f"farm{number}": 1 for number in range(60)})
    for number in range(60):
        replaced(author.file(f"farm{number}"), author.text(f"farm{number}", 2))
    author.file("farm7").unlink()
    assert author.loses("farm7")
    assert all(author.shows(f"farm{number}", 2) for number in range(60) if number != 7)


def test_a_directory_that_the_program_added_is_followed_too(desk: MakeDesk, tmp_path: Path) -> None:
    author = desk(farm=1)
    (tmp_path / "more").mkdir()
    plain(tmp_path / "more" / "extra.py", author.text("extra"))
    author.live.factory.add_path(str(tmp_path / "more"))
    author.live.look()
    plain(tmp_path / "more" / "extra.py", author.text("extra", 2))
    assert author.shows("extra", 2)


def test_what_the_program_registered_itself_stays_before_all_others(desk: MakeDesk) -> None:
    author = desk(farm=1)
    cls = author.live.factory.load(author.record("farm"))
    author.live.factory.registry.registerScheduler(cls, name="farm", label="farm of the program")
    plain(author.file("farm"), author.text("farm", 2))
    assert author.live.wait(lambda: any(each.label == "farm 2" for each in author.live.records()), 10)
    assert author.label("farm") == "farm of the program"


def test_a_file_that_was_refused_is_found_when_its_permissions_are_mended(desk: MakeDesk) -> None:
    author = desk(farm=1, other=1)
    author.file("farm").chmod(0o666)
    assert author.live.wait(lambda: author.record("farm") is None, 10)
    assert author.record("other") is not None
    author.file("farm").chmod(0o644)
    assert author.shows("farm", 1)


def git(folder: Path, *args: str) -> None:
    environ = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ["-c", "user.name=author", "-c", "user.email=author@example.com"]
    subprocess.run(["git", *who, *args], cwd=folder, env=environ, check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
def test_a_change_of_branches_is_seen_there_and_back(desk: MakeDesk) -> None:
    author = desk(**{f"farm{number}": 1 for number in range(30)}, gone=1)
    git(author.root, "init", "--initial-branch=one")
    git(author.root, "add", ".")
    git(author.root, "commit", "--message=one")
    git(author.root, "checkout", "-b", "two")
    for number in range(30):
        plain(author.file(f"farm{number}"), author.text(f"farm{number}", 2))
    author.file("gone").unlink()
    git(author.root, "commit", "--all", "--message=two")
    for branch, version in (("one", 1), ("two", 2), ("one", 1)):
        git(author.root, "checkout", branch)
        assert all(author.shows(f"farm{number}", version) for number in range(30))
        assert author.live.wait(lambda version=version: (author.record("gone") is None) == (version == 2), 10)


def test_a_single_file_on_the_types_path_is_followed(desk: MakeDesk, tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    path = tmp_path / "alone" / "farm.py"
    author = desk("alone/farm.py")
    for version, save in enumerate([plain, vim, replaced, deleted_first, jetbrains], start=1):
        if version == 1:
            plain(path, "")
        save(path, author.text("farm", version))
        assert author.shows("farm", version)


def test_names_that_are_no_text_disturb_nobody(desk: MakeDesk) -> None:
    author = desk(farm=1)
    odd = os.path.join(os.fsencode(author.root), b"caf\xe9 \n.py")
    with open(odd, "w", encoding="utf-8") as stream:
        stream.write(author.text("odd", 1))
    assert author.shows("odd", 1)
    plain(author.file("farm"), author.text("farm", 2))
    assert author.shows("farm", 2)
