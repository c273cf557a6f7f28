from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = "turntable"
FOLDER = Path(__file__).parents[2] / "examples" / SCRIPTS

Load = Callable[[str], ModuleType]


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FOLDER / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_knot_is_seen_and_turns(script: Load, tmp_path: Path) -> None:
    for number, angle in enumerate([0, 90]):
        ended = run("render.py", "--angle", angle, "--out", tmp_path / f"angle.{number:04d}.png")
        assert ended.returncode == 0, ended.stderr
    image, render = script("image"), script("render")
    width, front = image.load(tmp_path / "angle.0000.png")
    _, side = image.load(tmp_path / "angle.0001.png")
    assert (width, len(front)) == (render.SIZE, render.SIZE)
    assert front != side
    assert front[0] == side[0], "the backdrop above the knot stays as it is"
    assert max(max(row) for row in front) > 200


def test_the_sheet_holds_every_picture_in_order(script: Load, tmp_path: Path) -> None:
    image = script("image")
    for number in range(3):
        image.save(tmp_path / f"angle.{number:04d}.png", 30, [bytes([number + 1, 0, 0]) * 30] * 10)
    arguments = ("--frames", tmp_path / "angle.%04d.png", "--count", 3, "--columns", 2)
    ended = run("sheet.py", *arguments, "--out", tmp_path / "sheet.png")
    assert ended.returncode == 0, ended.stderr
    sheet = script("sheet")
    width, rows = image.load(tmp_path / "sheet.png")
    assert width == sheet.GAP + 2 * (30 + sheet.GAP)
    assert len(rows) == sheet.GAP + 2 * (10 + sheet.LABEL + sheet.GAP)
    left, right = 3 * sheet.GAP, 3 * (2 * sheet.GAP + 30)
    second_line = 2 * sheet.GAP + 10 + sheet.LABEL
    assert rows[sheet.GAP][left] == 1
    assert rows[sheet.GAP][right] == 2
    assert rows[second_line][left] == 3
    assert rows[second_line][right : right + 3] == sheet.PAPER


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    ended = run("sheet.py", "--frames", tmp_path / "angle.%04d.png", "--count", 1, "--out", tmp_path / "sheet.png")
    assert ended.returncode != 0
    assert "angle.0000.png" in ended.stderr


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(40)])
def test_what_is_no_picture_is_refused(script: Load, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"p\.png"):
        script("image").load(tmp_path / "p.png")
