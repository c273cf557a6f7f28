"""Light a checkpoint and take its picture.

The coral is seen from above. Where it stands high it shows its own color, around it the water glows, and a lamp at
the upper left gives each branch a bright and a dark side, and a shadow.

    python render.py --dish dishes/brain.0012.dish --color ff7f50 --out frames/brain.0012.png
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

from dish import Dish, Rows, load_dish
from pictures import Color, Picture, blend, parse_color, save_png
from smooth import enlarged

SCALE = 3  # pixels along a cell
TOWARD_LAMP = 3  # pixels between a point and the one up left that it is compared with, for light and shadow
STEPS_OF_HEIGHT = 100  # from deep water to the tips of the coral, which stand 1.25 high
STEPS_OF_LIGHT = 48  # from even light to a full gleam, and as many to full shadow
TALLEST = 1.25
BRIGHTEST = 0.62

ABYSS: Color = (1, 3, 10)
DEEP: Color = (5, 16, 34)
SEA: Color = (24, 120, 160)
WHITE: Color = (255, 255, 255)


def heights_of(dish: Dish) -> Rows:
    """How high each cell stands: 0 in clear water, some 0.3 where food is scarce near the coral, about 1 on it."""
    whole = dish.in_window(dish.size)
    return [[v + v + 0.6 * (1.0 - u) for u, v in zip(*rows)] for rows in zip(whole.u, whole.v)]


def shades(color: Color) -> list[list[bytes]]:
    """The pixel for every height and light: `table[height][light]`, where a negative light is shadow.

    Python counts negative places from the end of a list, so a row holds the even light, the gleams from dim to bright,
    and then the shadows from dark to faint. Both lists are long enough for whatever a dish can hold.
    """
    glow = blend(DEEP, blend(color, SEA, 0.7), 0.5)
    ramp = [
        (0.0, DEEP),
        (0.2, blend(DEEP, glow, 0.5)),
        (0.4, glow),
        (0.55, blend(color, DEEP, 0.6)),
        (0.85, color),
        (1.0, blend(color, WHITE, 0.35)),
    ]
    table = []
    for step in range(STEPS_OF_HEIGHT):
        height = step / (STEPS_OF_HEIGHT - 1)
        body = on_ramp(ramp, height)
        gleams = [bytes(lit(body, height, light / STEPS_OF_LIGHT)) for light in range(STEPS_OF_LIGHT)]
        shadows = [bytes(shaded(body, light / STEPS_OF_LIGHT)) for light in range(STEPS_OF_LIGHT, 0, -1)]
        spare = 3 * STEPS_OF_LIGHT
        table.append([*gleams, *[gleams[-1]] * spare, *[shadows[0]] * spare, *shadows])
    return [*table, *[table[-1]] * (2 * STEPS_OF_HEIGHT)]


def on_ramp(ramp: list[tuple[float, Color]], place: float) -> Color:
    """The color at a place between 0 and 1, blended from the two nearest on the ramp."""
    for (start, one), (end, other) in pairwise(ramp):
        if place <= end:
            return blend(one, other, (place - start) / (end - start))
    return ramp[-1][1]


def lit(body: Color, height: float, light: float) -> Color:
    """A color in so much light more than even: coral gleams, water hardly."""
    coral = max(0.0, 2 * height - 1)
    return blend(blend(body, WHITE, 0.2 * light * coral), (255, 246, 230), 0.75 * light**3 * (0.1 + 0.9 * coral))


def shaded(body: Color, shadow: float) -> Color:
    """A color in so much shadow."""
    return blend(body, ABYSS, min(1.0, 0.95 * shadow**0.8))


def photograph(dish: Dish, color: Color) -> Picture:
    """The picture of a dish. Light is the difference to the height a little way toward the lamp."""
    rows = enlarged(heights_of(dish), SCALE)
    table = shades(color)
    high, bright = STEPS_OF_HEIGHT / TALLEST, STEPS_OF_LIGHT / BRIGHTEST
    pixels = bytearray()
    for y, row in enumerate(rows):
        nearer = [*[0.0] * TOWARD_LAMP, *rows[max(0, y - TOWARD_LAMP)]]
        pixels += b"".join([table[int(high * here)][int(bright * (here - lamp))] for here, lamp in zip(row, nearer)])
    return Picture(len(rows[0]), len(rows), pixels)


def main() -> None:
    parser = argparse.ArgumentParser(description="Light a checkpoint and take its picture.")
    parser.add_argument("--dish", type=Path, required=True, help="the checkpoint")
    parser.add_argument("--color", default="ff7f50", help="the color of the coral, six hexadecimal digits")
    parser.add_argument("--out", type=Path, required=True, help="the PNG file to write")
    options = parser.parse_args()
    save_png(options.out, [photograph(load_dish(options.dish), parse_color(options.color))])
    print(f"{options.out}: lit")


if __name__ == "__main__":
    main()
