"""Render a knot on a turntable, seen from one side.

    python render.py --angle 30 --out frames/angle.0002.png

The knot is a tube around a closed curve, cut into small flat pieces. Those that face the camera are painted from the
farthest to the nearest, on a canvas twice as wide and high as the picture, which is then averaged down.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import image

Vector = tuple[float, float, float]

SIZE = 176  # pixels along a side of the picture
SMOOTH = 2  # so many canvas pixels make one along a side
ALONG, AROUND = 240, 30  # pieces of the tube
THICKNESS = 0.6
TILT = math.radians(24)  # how far the camera looks down
DISTANCE = 13.0
ZOOM = 1.62
LAMP: Vector = (-0.46, 0.68, 0.57)
HALFWAY: Vector = (-0.26, 0.385, 0.886)  # between the lamp and the camera: where highlights stand

TOP, BOTTOM = (38, 42, 58), (14, 15, 22)  # the backdrop
COPPER, TEAL = (238, 126, 72), (46, 176, 172)


def knot(t: float) -> Vector:
    """A point of the curve, a trefoil; t goes round from 0 to 1."""
    a = math.tau * t
    return (
        math.sin(a) + 2 * math.sin(2 * a),
        math.cos(a) - 2 * math.cos(2 * a),
        -1.35 * math.sin(3 * a),
    )


def tube() -> list[list[tuple[Vector, Vector]]]:
    """Rings of points on the tube, each with the direction the surface faces there."""
    rings = []
    for step in range(ALONG):
        center, ahead = knot(step / ALONG), knot((step + 0.01) / ALONG)
        forward = unit(minus(ahead, center))
        side = unit(cross(forward, (0.0, 0.0, 1.0)))
        up = cross(side, forward)
        ring = []
        for turn in range(AROUND):
            a = math.tau * turn / AROUND
            out = plus(times(side, math.cos(a)), times(up, math.sin(a)))
            ring.append((plus(center, times(out, THICKNESS)), out))
        rings.append(ring)
    return rings


def turned(point: Vector, angle: float) -> Vector:
    """A point of the knot as the camera sees it: turned with the table, then tilted; +z comes nearer."""
    x, y, z = point
    x, z = x * math.cos(angle) + z * math.sin(angle), z * math.cos(angle) - x * math.sin(angle)
    return x, y * math.cos(TILT) - z * math.sin(TILT), y * math.sin(TILT) + z * math.cos(TILT)


def render(angle: float) -> list[bytes]:
    """The rows of the picture at an angle in radians."""
    side = SIZE * SMOOTH
    canvas = [bytearray(bytes(mixed(TOP, BOTTOM, row / side)) * side) for row in range(side)]
    rings = [[(turned(point, angle), turned(out, angle)) for point, out in ring] for ring in tube()]
    pieces = []
    for step, ring in enumerate(rings):
        following = rings[(step + 1) % ALONG]
        for turn in range(AROUND):
            corners = [ring[turn], ring[turn - 1], following[turn - 1], following[turn]]
            depth = sum(point[2] for point, _ in corners)
            facing = unit(sums([out for _, out in corners]))
            pieces.append((depth, facing, step / ALONG, [on_canvas(point, side) for point, _ in corners]))
    for _, facing, place, outline in sorted(pieces):
        if facing[2] > -0.2:
            fill(canvas, outline, bytes(shade(facing, place)))
    return [averaged(canvas[row : row + SMOOTH]) for row in range(0, side, SMOOTH)]


def on_canvas(point: Vector, side: int) -> tuple[float, float]:
    """Where a point stands on the canvas, in perspective."""
    x, y, z = point
    scale = ZOOM * side / (DISTANCE - z)
    return side / 2 + scale * x, side / 2 - scale * y


def shade(facing: Vector, place: float) -> tuple[int, int, int]:
    """The color of a piece: copper and teal flow into each other along the knot; lamp, highlight and a cool rim."""
    body = mixed(COPPER, TEAL, 0.5 - 0.5 * math.cos(3 * math.tau * place))
    light = 0.2 + 0.85 * max(0.0, dot(facing, LAMP))
    gleam = 190 * max(0.0, dot(facing, HALFWAY)) ** 38
    rim = 0.55 * (1 - max(0.0, facing[2])) ** 3
    red, green, blue = (value * light + gleam for value in body)
    return clamped(red + 40 * rim), clamped(green + 70 * rim), clamped(blue + 120 * rim)


def fill(canvas: list[bytearray], outline: list[tuple[float, float]], color: bytes) -> None:
    """Paint a convex outline: in each row, from its leftmost edge to its rightmost."""
    edges = list(zip(outline, [*outline[1:], outline[0]], strict=True))
    heights = [y for _, y in outline]
    for row in range(max(0, math.floor(min(heights))), min(len(canvas), math.ceil(max(heights)) + 1)):
        crossings = [
            x0 + (x1 - x0) * min(1.0, max(0.0, (row - y0) / (y1 - y0))) if y0 != y1 else x0
            for (x0, y0), (x1, y1) in edges
            if min(y0, y1) <= row + 0.5 and max(y0, y1) >= row - 0.5
        ]
        if crossings:
            left, right = max(0, math.floor(min(crossings))), min(len(canvas), math.ceil(max(crossings)))
            canvas[row][3 * left : 3 * right] = color * (right - left)


def averaged(rows: list[bytearray]) -> bytes:
    """One row of the picture from the canvas rows that it covers."""
    picture = bytearray(3 * SIZE)
    for channel in range(3):
        columns = [row[3 * shift + channel :: 3 * SMOOTH] for row in rows for shift in range(SMOOTH)]
        picture[channel::3] = bytes(sum(values) // len(columns) for values in zip(*columns, strict=True))
    return bytes(picture)


def mixed(one: tuple[int, ...], other: tuple[int, ...], share: float) -> tuple[int, ...]:
    """So much of the other color in the one."""
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))


def clamped(value: float) -> int:
    """A value as a byte."""
    return min(255, max(0, round(value)))


def plus(a: Vector, b: Vector) -> Vector:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def times(a: Vector, factor: float) -> Vector:
    return a[0] * factor, a[1] * factor, a[2] * factor


def dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def unit(a: Vector) -> Vector:
    return times(a, 1 / math.sqrt(dot(a, a)))


def sums(vectors: list[Vector]) -> Vector:
    total = (0.0, 0.0, 0.0)
    for vector in vectors:
        total = plus(total, vector)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description="Render a knot on a turntable.")
    parser.add_argument("--angle", type=float, required=True, help="how far the table has turned, in degrees")
    parser.add_argument("--out", type=Path, required=True, help="the PNG file to write")
    options = parser.parse_args()
    image.save(options.out, SIZE, render(math.radians(options.angle)))
    print(f"{options.out}: the knot from {options.angle:g} degrees")


if __name__ == "__main__":
    main()
