"""Hang all strips side by side into one moving picture.

In the network this runs inside the cook, as a Python function; by hand it is a command:

    python mosaic.py work/strips/*.png --out work/mosaic.png
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pictures import Color, plain
from strip import load_loop, save_loop

WALL: Color = (10, 18, 30)
GAP = 10


def hang(strips: Sequence[Path], out: Path, columns: int = 4) -> None:
    """Write the mosaic of the strips, row after row. Raises ValueError when they differ in size or length."""
    loops = [load_loop(strip) for strip in strips]
    shapes = {(loop[0].width, loop[0].height, len(loop)) for loop in loops}
    if len(shapes) != 1:
        raise ValueError(f"a mosaic takes strips of one size and length, not of {len(shapes)}: {sorted(shapes)}")
    [(width, height, length)] = shapes
    lines = -(-len(loops) // columns)
    wall = plain(GAP + columns * (width + GAP), GAP + lines * (height + GAP), WALL)
    frames = []
    for number in range(length):
        for place, loop in enumerate(loops):
            line, column = divmod(place, columns)
            wall.paste(loop[number], GAP + column * (width + GAP), GAP + line * (height + GAP))
        frames.append(wall.copy())
    save_loop(out, frames)


def main() -> None:
    parser = argparse.ArgumentParser(description="Hang all strips side by side into one moving picture.")
    parser.add_argument("strips", nargs="+", type=Path)
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--out", type=Path, required=True, help="the PNG file to write")
    options = parser.parse_args()
    hang(options.strips, options.out, options.columns)
    print(f"{options.out}: {len(options.strips)} strips")


if __name__ == "__main__":
    main()
