"""Serve the heights of a landscape, which is made once and asked for by many.

    python landscape.py PORT

GET /tile?column=1&row=2 answers with JSON: rows of heights between 0 and 1.
"""

from __future__ import annotations

import json
import random
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

COLUMNS, ROWS, TILE = 4, 3, 64
STEPS = 8  # the landscape has 2 to the power of this, plus one, points on each side


def heights(seed: int = 7) -> list[list[float]]:
    """A square landscape by midpoint displacement: each step halves the grid and the roughness."""
    size, chance = 1 << STEPS, random.Random(seed)
    field = [[0.0] * (size + 1) for _ in range(size + 1)]
    step, rough = size, 0.5
    while step > 1:
        half = step // 2
        for y in range(half, size, step):
            for x in range(half, size, step):
                corners = [field[y + dy][x + dx] for dy in (-half, half) for dx in (-half, half)]
                field[y][x] = sum(corners) / 4 + chance.uniform(-rough, rough)
        for y in range(0, size + 1, half):
            for x in range((y + half) % step, size + 1, step):
                around = [(y - half, x), (y + half, x), (y, x - half), (y, x + half)]
                near = [field[j][i] for j, i in around if 0 <= j <= size and 0 <= i <= size]
                field[y][x] = sum(near) / len(near) + chance.uniform(-rough, rough)
        step, rough = half, rough * 0.55
    low, high = min(map(min, field)), max(map(max, field))
    return [[(value - low) / (high - low) for value in row] for row in field]


class Tiles(BaseHTTPRequestHandler):
    """Answers with one tile."""

    land: list[list[float]]

    def do_GET(self) -> None:
        """The tile that the query names."""
        asked = parse_qs(urlsplit(self.path).query)
        column, row = (int(asked[name][0]) for name in ("column", "row"))
        rows = [line[column * TILE : (column + 1) * TILE] for line in self.land[row * TILE : (row + 1) * TILE]]
        body = json.dumps(rows).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Into the log that the cook names."""
        print(format % args, flush=True)


if __name__ == "__main__":
    Tiles.land = heights()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Tiles).serve_forever()
