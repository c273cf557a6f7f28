"""Put all pictures of the turntable on one contact sheet, each with its number of degrees.

python sheet.py --frames 'frames/angle.%04d.png' --count 24 --out sheet.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import image

GAP = 8
LABEL = 18  # pixels for the number under a picture
DOT = 2  # pixels along a dot of a digit
PAPER, INK = bytes((10, 11, 16)), bytes((150, 158, 176))

# Five rows of three dots for each digit, as the bits of a number from 0 to 7.
DIGITS = ["75557", "26227", "71747", "71717", "55711", "74717", "74757", "71122", "75757", "75717"]


def sheet(pictures: list[tuple[int, list[bytes]]], columns: int) -> tuple[int, list[bytes]]:
    """Width and rows of the sheet. Raises ValueError when the pictures differ in size."""
    width, height = pictures[0][0], len(pictures[0][1])
    if any((wide, len(rows)) != (width, height) for wide, rows in pictures):
        raise ValueError("a contact sheet takes pictures of one size")
    between = PAPER * GAP
    empty = PAPER * (GAP + columns * (width + GAP))
    lines = [empty] * GAP
    for first in range(0, len(pictures), columns):
        cells = [
            [*rows, *label(str(360 * number // len(pictures)), width)]
            for number, (_, rows) in enumerate(pictures[first : first + columns], start=first)
        ]
        cells += [[PAPER * width] * (height + LABEL)] * (columns - len(cells))
        lines += [between + between.join(across) + between for across in zip(*cells, strict=True)]
        lines += [empty] * GAP
    return len(empty) // 3, lines


def label(number: str, width: int) -> list[bytes]:
    """Rows of pixels with a number in the middle."""
    rows = [PAPER * width] * ((LABEL - 5 * DOT) // 2)
    for line in range(5):
        dots = "0".join(f"{int(DIGITS[int(digit)][line]):03b}" for digit in number)
        ink = b"".join((INK if dot == "1" else PAPER) * DOT for dot in dots)
        left = (width - len(ink) // 3) // 2
        rows += [PAPER * left + ink + PAPER * (width - left - len(ink) // 3)] * DOT
    return [*rows, *[PAPER * width] * (LABEL - len(rows))]


def main() -> None:
    parser = argparse.ArgumentParser(description="Put all pictures of the turntable on one contact sheet.")
    parser.add_argument("--frames", required=True, help="the pictures, with %%04d where the number stands")
    parser.add_argument("--count", type=int, required=True, help="how many there are; the first is 0")
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--out", type=Path, required=True, help="the PNG file to write")
    options = parser.parse_args()
    pictures = [image.load(Path(options.frames % number)) for number in range(options.count)]
    image.save(options.out, *sheet(pictures, options.columns))
    print(f"{options.out}: {options.count} pictures")


if __name__ == "__main__":
    main()
