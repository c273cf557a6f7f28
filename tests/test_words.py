"""What must not stand in the tree: unfinished work, and the paths of somebody's machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Spelled in pieces, so that this file passes its own test.
MACHINE_PATH = re.compile(
    r"(?<![\w.*}>\])])/" + r"(home/(?!user\b|username\b|me\b|you\b)\w+|Users/(?!me\b|you\b)\w+|root|work)/\w"
)
UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + "ME|X" + "XX)\b")
TEXT = {".py", ".toml", ".md", ".sh", ".json", ".yml", ".yaml", ".cfg", ".txt", ""}


def tracked_files() -> list[Path]:
    """What git keeps; without git (an unpacked archive) what lies in the folders that it would keep."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("no git checkout: the list of our own files comes from git")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.suffix in TEXT and path.is_file() and path.name != "LICENSE"]


@pytest.mark.parametrize(
    ("pattern", "what"),
    [(MACHINE_PATH, "the path of a machine"), (UNFINISHED, "unfinished work")],
    ids=["path", "todo"],
)
def test_tree_is_free_of(pattern: re.Pattern[str], what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {what}: {match.group()}"
        for path in tracked_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if (match := pattern.search(line))
    ]
    assert not found, "\n".join(found)
