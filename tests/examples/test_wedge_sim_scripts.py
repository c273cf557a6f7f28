from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

SCRIPTS = "wedge_sim/scripts"
FOLDER = Path(__file__).parents[2] / "examples" / SCRIPTS
FEED, KILL = 0.0545, 0.062

Load = Callable[[str], ModuleType]


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FOLDER / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_coral_grown_over_checkpoints_is_the_one_grown_at_a_stretch(script: Load, tmp_path: Path) -> None:
    simulate, dish = script("simulate"), script("dish")
    at_a_stretch = simulate.grow(simulate.sow(40, 3), FEED, KILL, 48)
    growing = simulate.sow(40, 3)
    for _ in range(3):
        dish.save_dish(simulate.grow(growing, FEED, KILL, 16), tmp_path / "dish")
        growing = dish.load_dish(tmp_path / "dish")
    assert growing == at_a_stretch


def test_the_window_changes_nothing_that_can_be_seen(script: Load) -> None:
    simulate = script("simulate")
    small = simulate.sow(64, 3)
    windowed = simulate.grow(small, FEED, KILL, 200).in_window(64)
    whole = simulate.grow(small.in_window(64), FEED, KILL, 200)
    assert small.side < windowed.side
    assert max(max(row) for row in whole.v) > 0.2
    for one, other in zip(windowed.v, whole.v, strict=True):
        assert one == pytest.approx(other, abs=1e-2)


def test_a_coral_grows_and_stays_within_bounds(script: Load) -> None:
    simulate = script("simulate")
    young = simulate.grow(simulate.sow(64, 3), FEED, KILL, 80)
    old = simulate.grow(young, FEED, KILL, 320)

    def living(dish: object) -> int:
        return sum(cell > 0.1 for row in dish.v for cell in row)  # type: ignore[attr-defined]

    assert living(old) > 1.5 * living(young)
    assert all(0.0 <= cell <= 1.0 for rows in (old.u, old.v) for row in rows for cell in row)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "gives no size and side"),
        (b"[1, 2]\n", "gives no size and side"),
        (b'{"size": 8}\n', "gives no size and side"),
        (b'{"size": 8, "side": 4}\n' + bytes(255), "is cut off: 255 bytes of numbers, a window of 4 has 256"),
    ],
)
def test_what_is_no_whole_checkpoint_is_refused(script: Load, tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "bad.dish").write_bytes(content)
    with pytest.raises(ValueError, match=says):
        script("dish").load_dish(tmp_path / "bad.dish")


@settings(max_examples=50)
@given(width=st.integers(1, 9), height=st.integers(1, 9), data=st.data())
def test_pixels_come_back_from_a_file(
    script: Load, tmp_path: Path, width: int, height: int, data: st.DataObject
) -> None:
    pictures = script("pictures")
    size = 3 * width * height
    frames = [
        pictures.Picture(width, height, bytearray(data.draw(st.binary(min_size=size, max_size=size))))
        for _ in range(data.draw(st.integers(1, 3)))
    ]
    pictures.save_png(tmp_path / "p.png", frames, [0.1] * len(frames))
    assert pictures.load_png(tmp_path / "p.png") == frames


def test_a_png_is_as_the_standard_says(script: Load, tmp_path: Path) -> None:
    pictures = script("pictures")
    frames = [pictures.plain(3, 2, color) for color in [(9, 8, 7), (1, 2, 3)]]
    pictures.save_png(tmp_path / "p.png", frames, [0.5, 0.25])
    content = (tmp_path / "p.png").read_bytes()
    chunks = []
    at = 8
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", content, at + 8 + length) == (zlib.crc32(kind + body),)
        chunks.append((kind, body))
        at += 12 + length
    assert [kind for kind, _ in chunks] == [b"IHDR", b"acTL", b"fcTL", b"IDAT", b"fcTL", b"fdAT", b"IEND"]
    assert struct.unpack(">II", chunks[1][1]) == (2, 0)
    assert [struct.unpack(">I", chunks[place][1][:4]) for place in (2, 4, 5)] == [(0,), (1,), (2,)]
    assert [struct.unpack(">HH", chunks[place][1][20:24]) for place in (2, 4)] == [(500, 1000), (250, 1000)]
    # A row: how it is stored (2: each byte less the one above), then its bytes.
    assert zlib.decompress(chunks[3][1]) == bytes([2, *[9, 8, 7] * 3, 2, *[0] * 9])


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(script: Load, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"p\.png"):
        script("pictures").load_png(tmp_path / "p.png")


@pytest.mark.parametrize("color", ["", "ff7f5", "ff7f500", "coral!"])
def test_what_is_no_color_is_refused(script: Load, color: str) -> None:
    with pytest.raises(ValueError, match=r"hex"):
        script("pictures").parse_color(color)


def test_every_letter_of_the_font_has_seven_rows_of_five_dots(script: Load) -> None:
    for letter, rows in script("lettering").GLYPHS.items():
        assert len(rows) == 7, letter
        assert all(int(row, 32) < 32 for row in rows), letter


def test_a_mosaic_of_strips_that_differ_is_refused(script: Load, tmp_path: Path) -> None:
    pictures, strip = script("pictures"), script("strip")
    for name, width in [("one.png", 4), ("two.png", 5)]:
        strip.save_loop(tmp_path / name, [pictures.plain(width, 4, (0, 0, 0))] * 2)
    with pytest.raises(ValueError, match="one size and length"):
        script("mosaic").hang([tmp_path / "one.png", tmp_path / "two.png"], tmp_path / "out.png")


def test_the_scripts_work_hand_in_hand_and_always_give_the_same(script: Load, tmp_path: Path) -> None:
    made = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        dishes, frames = folder / "dishes" / "a.%04d.dish", folder / "frames" / "a.%04d.png"
        for number in (1, 2):
            grown = run(
                "simulate.py", "--feed", FEED, "--kill", KILL, "--steps", 40, "--size", 30, "--frame", number,
                "--file", dishes,
            )  # fmt: skip
            assert grown.returncode == 0, grown.stderr
            lit = run("render.py", "--dish", str(dishes) % number, "--color", "4fd1c5", "--out", str(frames) % number)
            assert lit.returncode == 0, lit.stderr
        strip = run(
            "strip.py", "--frames", frames, "--count", 2, "--title", "a", "--feed", FEED, "--kill", KILL,
            "--out", folder / "strip.png",
        )  # fmt: skip
        assert strip.returncode == 0, strip.stderr
        hung = run("mosaic.py", folder / "strip.png", folder / "strip.png", "--out", folder / "mosaic.png")
        assert hung.returncode == 0, hung.stderr
        made.append((folder / "mosaic.png").read_bytes())
    assert made[0] == made[1]
    last, first = script("pictures").load_png(tmp_path / "first" / "mosaic.png")
    assert (last.width, last.height) == (10 + 4 * (90 + 10), 10 + 90 + 66 + 10)
    assert last != first


def test_a_frame_without_the_one_before_it_fails_and_names_the_file(tmp_path: Path) -> None:
    ended = run(
        "simulate.py", "--feed", FEED, "--kill", KILL, "--steps", 8, "--frame", 2, "--file", tmp_path / "a.%04d.dish"
    )
    assert ended.returncode != 0
    assert "a.0001.dish" in ended.stderr
    assert not list(tmp_path.iterdir())
