"""Make an animated PNG of a coral's frames, with its name and its values written under it.

It rests at the whole coral, then shows it grow:

    python strip.py --frames 'frames/brain.%04d.png' --count 12 --title brain --feed 0.0545 --kill 0.062 --out brain.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lettering import write
from pictures import Color, Picture, blend, load_png, parse_color, plain, save_png

PAPER: Color = (2, 7, 16)
QUIET: Color = (126, 148, 168)
MARGIN = 12
CAPTION = 66  # pixels under the picture
SECONDS = 0.13
SECONDS_AT_END = 2.2


def mounted(pictures: list[Picture], title: str, values: str, color: Color) -> list[Picture]:
    """Every picture above the same caption, and between the two a line that grows as the coral does."""
    width, height = pictures[0].width, pictures[0].height
    mount = plain(width, height + CAPTION, PAPER)
    write(mount, title, MARGIN, height + 12, 3, color)
    write(mount, values, MARGIN, height + 42, 2, QUIET)
    mount.fill(0, height, width, 2, blend(PAPER, color, 0.25))
    frames = []
    for number, picture in enumerate(pictures, start=1):
        if (picture.width, picture.height) != (width, height):
            raise ValueError(f"picture {number} is {picture.width} x {picture.height}, the first {width} x {height}")
        frame = mount.copy()
        frame.paste(picture, 0, 0)
        frame.fill(0, height, width * number // len(pictures), 2, color)
        frames.append(frame)
    return frames


def save_loop(path: Path, frames: list[Picture]) -> None:
    """Save frames as a loop that rests at the last one.

    The file begins with that last one: what does not play animations shows the whole coral.
    """
    delays = [SECONDS_AT_END, *[SECONDS] * (len(frames) - 1)]
    save_png(path, [frames[-1], *frames[:-1]], delays)


def load_loop(path: Path) -> list[Picture]:
    """The frames that `save_loop` wrote, in their own order again."""
    last, *others = load_png(path)
    return [*others, last]


def main() -> None:
    parser = argparse.ArgumentParser(description="Make an animated PNG of a coral's frames.")
    parser.add_argument("--frames", required=True, help="the pictures, with %%04d where the frame's number stands")
    parser.add_argument("--count", type=int, required=True, help="the number of the last frame; the first is 1")
    parser.add_argument("--title", required=True)
    parser.add_argument("--feed", type=float, required=True)
    parser.add_argument("--kill", type=float, required=True)
    parser.add_argument("--color", default="ff7f50", help="the color of the title, six hexadecimal digits")
    parser.add_argument("--out", type=Path, required=True, help="the PNG file to write")
    options = parser.parse_args()
    pictures = [load_png(Path(options.frames % number))[0] for number in range(1, options.count + 1)]
    values = f"feed {options.feed:g}  kill {options.kill:g}".replace(" 0.", " .")
    save_loop(options.out, mounted(pictures, options.title, values, parse_color(options.color)))
    print(f"{options.out}: {len(pictures)} frames")


if __name__ == "__main__":
    main()
