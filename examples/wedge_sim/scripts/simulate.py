"""Grow a coral from one checkpoint to the next, by the Gray-Scott reaction-diffusion model.

Two substances share a dish of water. U is food, and comes in everywhere; V is coral, which turns U into more V and
slowly dies off. Both spread, U faster than V, and nothing more is needed for branches, mazes, polyps and sponges:

    dU/dt = 0.10 lap(U) - U V V + feed (1 - U)
    dV/dt = 0.05 lap(V) + U V V - (feed + kill) V

Every frame is a job of its own and starts from the checkpoint of the frame before.

    python simulate.py --feed 0.0545 --kill 0.062 --steps 92 --frame 1 --file 'dishes/brain.%04d.dish'
    python simulate.py --feed 0.0545 --kill 0.062 --steps 92 --frame 2 --file 'dishes/brain.%04d.dish'
"""

from __future__ import annotations

import argparse
import math
import random
from pathlib import Path

from dish import WATER_U, WATER_V, Dish, load_dish, save_dish, water

SPREAD_U = 0.10
SPREAD_V = 0.05
TIME_STEP = 3.0
POLYPS = 7
LIVING = 1e-4  # less V than this is water: the window need not hold it
STEPS_BETWEEN_LOOKS = 8


def sow(size: int, number: int) -> Dish:
    """A dish of water with a few polyps in its middle, set in a spiral like the seeds of a sunflower."""
    chance = random.Random(number)
    dish = water(size, side=size * 2 // 5)
    middle = dish.side // 2
    for polyp in range(POLYPS):
        turn, away = polyp * math.pi * (3 - math.sqrt(5)), 0.055 * size * math.sqrt(polyp)
        x0, y0 = middle + away * math.cos(turn), middle + away * math.sin(turn)
        radius, strength = chance.uniform(2.0, 3.6), chance.uniform(0.25, 0.35)
        for y in range(dish.side):
            for x in range(dish.side):
                if math.hypot(x - x0, y - y0) <= radius:
                    dish.u[y][x], dish.v[y][x] = 0.5, strength
    return dish


def grow(dish: Dish, feed: float, kill: float, steps: int) -> Dish:
    """The dish so many steps later. Only the window around the coral is computed; it widens as the coral grows."""
    for step in range(steps):
        if step % STEPS_BETWEEN_LOOKS == 0:
            dish = dish.with_room(LIVING)
        dish = one_step(dish, feed, kill)
    return dish


def one_step(dish: Dish, feed: float, kill: float) -> Dish:
    """One step of time, a row at once: in plain Python, zip over shifted rows is much faster than indices.

    The Laplacian weighs a cell's neighbours so that no direction is favoured and colonies grow round:

         1   4   1
         4 -20   4   / 6
         1   4   1

    That is (1 4 1) along the row times (1 4 1) down the column, less 36 in the middle. `across` does the row.
    """
    spread_u, spread_v = TIME_STEP * SPREAD_U / 6, TIME_STEP * SPREAD_V / 6
    keep_u = 1 - 36 * spread_u - TIME_STEP * feed
    keep_v = 1 - 36 * spread_v - TIME_STEP * (feed + kill)
    inflow = TIME_STEP * feed

    new_u, new_v = [dish.u[0]], [dish.v[0]]
    here_u, down_u = across(dish.u[0]), across(dish.u[1])
    here_v, down_v = across(dish.v[0]), across(dish.v[1])
    for row in range(1, dish.side - 1):
        u, v = dish.u[row][1:-1], dish.v[row][1:-1]
        up_u, here_u, down_u = here_u, down_u, across(dish.u[row + 1])
        up_v, here_v, down_v = here_v, down_v, across(dish.v[row + 1])
        eaten = [TIME_STEP * a * b * b for a, b in zip(u, v)]
        inside_u = [
            keep_u * old + spread_u * (a + 4 * b + c) - gone + inflow
            for old, a, b, c, gone in zip(u, up_u, here_u, down_u, eaten)
        ]
        inside_v = [
            keep_v * old + spread_v * (a + 4 * b + c) + come
            for old, a, b, c, come in zip(v, up_v, here_v, down_v, eaten)
        ]
        new_u.append([WATER_U, *inside_u, WATER_U])
        new_v.append([WATER_V, *inside_v, WATER_V])
    return Dish(dish.size, [*new_u, dish.u[-1]], [*new_v, dish.v[-1]])


def across(row: list[float]) -> list[float]:
    """Left + 4 here + right, for every cell but the two at the ends."""
    return [a + 4 * b + c for a, b, c in zip(row, row[1:], row[2:])]


def main() -> None:
    parser = argparse.ArgumentParser(description="Grow a coral from one checkpoint to the next.")
    parser.add_argument("--feed", type=float, required=True, help="how fast food comes in")
    parser.add_argument("--kill", type=float, required=True, help="how fast coral dies")
    parser.add_argument("--steps", type=int, required=True, help="steps of time to this checkpoint")
    parser.add_argument("--frame", type=int, required=True, help="the checkpoint to write; 1 begins with a new dish")
    parser.add_argument("--file", required=True, help="the checkpoints, with %%04d where the frame's number stands")
    parser.add_argument("--size", type=int, default=92, help="cells along a side of a new dish")
    parser.add_argument("--seed", type=int, default=7, help="another number sows other polyps in a new dish")
    options = parser.parse_args()
    before, out = Path(options.file % (options.frame - 1)), Path(options.file % options.frame)
    dish = sow(options.size, options.seed) if options.frame == 1 else load_dish(before)
    save_dish(grow(dish, options.feed, options.kill, options.steps), out)
    print(f"{out}: {options.steps} steps at feed {options.feed:g}, kill {options.kill:g}")


if __name__ == "__main__":
    main()
