"""Make a field of numbers larger, as smooth as a cubic B-spline."""

from __future__ import annotations

from functools import cache

Rows = list[list[float]]
Weights = tuple[float, float, float, float]


def enlarged(rows: Rows, scale: int) -> Rows:
    """The field `scale` times as wide and as high: first along the rows, then down the columns."""
    wide = [stretched(row, scale) for row in rows]
    padded = [wide[0], *wide, wide[-1], wide[-1]]
    high = []
    for above, here, below, next_below in zip(padded, padded[1:], padded[2:], padded[3:]):
        for p, q, r, s in weights_of(scale):
            high.append([p * a + q * b + r * c + s * d for a, b, c, d in zip(above, here, below, next_below)])
    return high


def stretched(row: list[float], scale: int) -> list[float]:
    """One row, `scale` times as long."""
    padded = [row[0], *row, row[-1], row[-1]]
    wide = [0.0] * (scale * len(row))
    for phase, (p, q, r, s) in enumerate(weights_of(scale)):
        neighbours = zip(padded, padded[1:], padded[2:], padded[3:])
        wide[phase::scale] = [p * a + q * b + r * c + s * d for a, b, c, d in neighbours]
    return wide


@cache
def weights_of(scale: int) -> list[Weights]:
    """For each new point between two old ones, what it takes from the two before it and the two after it."""
    return [spline(step / scale) for step in range(scale)]


def spline(t: float) -> Weights:
    """The four pieces of a cubic B-spline, at `t` between 0 and 1."""
    return (1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (1 + 3 * t + 3 * t**2 - 3 * t**3) / 6, t**3 / 6
