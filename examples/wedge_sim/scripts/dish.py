"""A dish of two substances, and its checkpoint file."""

from __future__ import annotations

import json
import sys
from array import array
from dataclasses import dataclass
from pathlib import Path

WATER_U, WATER_V = 1.0, 0.0
RIM = 2  # so many cells of water stay between the coral and the edge of its window

Rows = list[list[float]]


@dataclass
class Dish:
    """A square window in the middle of a dish of `size` cells; outside the window there is only water.

    `u` and `v` are the rows of the window. Its outermost cells are always water.
    """

    size: int
    u: Rows
    v: Rows

    @property
    def side(self) -> int:
        """The width and height of the window, in cells."""
        return len(self.u)

    def in_window(self, side: int) -> Dish:
        """The same dish in a larger window."""
        left = (side - self.side) // 2
        right = side - self.side - left
        return Dish(self.size, framed(self.u, WATER_U, left, right), framed(self.v, WATER_V, left, right))

    def with_room(self, living: float) -> Dish:
        """The same dish, in a larger window if more V than `living` has come near the edge of this one."""
        edge = [*self.v[1 : 1 + RIM], *self.v[-1 - RIM : -1]]
        sides = [cell for row in self.v for cell in (*row[1 : 1 + RIM], *row[-1 - RIM : -1])]
        if self.side >= self.size or max(*sides, *map(max, edge)) <= living:
            return self
        return self.in_window(min(self.size, self.side + 2 * RIM))


def water(size: int, side: int) -> Dish:
    """A dish without coral, and a window of `side` cells in the middle of it."""
    return Dish(size, [[WATER_U] * side for _ in range(side)], [[WATER_V] * side for _ in range(side)])


def framed(rows: Rows, value: float, before: int, after: int) -> Rows:
    """The rows with cells of one value around them."""
    wide = before + len(rows[0]) + after
    inside = [[*[value] * before, *row, *[value] * after] for row in rows]
    return [*([value] * wide for _ in range(before)), *inside, *([value] * wide for _ in range(after))]


def save_dish(dish: Dish, path: Path) -> None:
    """Write a line of JSON, then the rows of U and V as little-endian doubles: they come back exactly as they were.

    The file gets its name only when it is whole, so a job that is killed while it writes leaves no half checkpoint
    for the next frame to trip over.
    """
    numbers = array("d", [cell for rows in (dish.u, dish.v) for row in rows for cell in row])
    if sys.byteorder == "big":
        numbers.byteswap()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(json.dumps({"size": dish.size, "side": dish.side}).encode() + b"\n" + numbers.tobytes())
    part.replace(path)


def load_dish(path: Path) -> Dish:
    """Read a checkpoint. Raises ValueError when the file is not a whole one."""
    header, _, body = path.read_bytes().partition(b"\n")
    try:
        size, side = (int(json.loads(header)[key]) for key in ("size", "side"))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is not a checkpoint: its first line gives no size and side") from error
    cells = side * side
    if len(body) != 16 * cells:
        raise ValueError(f"{path} is cut off: {len(body)} bytes of numbers, a window of {side} has {16 * cells}")
    numbers = array("d", body)
    if sys.byteorder == "big":
        numbers.byteswap()
    rows = [list(numbers[start : start + side]) for start in range(0, 2 * cells, side)]
    return Dish(size, rows[:side], rows[side:])
