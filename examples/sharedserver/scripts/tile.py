"""Draw one tile of the landscape that the shared server has.

python tile.py INDEX OUT.png
"""

from __future__ import annotations

import itertools
import json
import os
import struct
import sys
import zlib
from pathlib import Path
from urllib.request import urlopen

COLUMNS = 4
#: From the sea's ground to the snow: height, and the colour there.
COLOURS = [
    (0.0, (8, 28, 66)),
    (0.42, (38, 110, 158)),
    (0.46, (222, 206, 150)),
    (0.6, (66, 126, 64)),
    (0.78, (110, 98, 88)),
    (1.0, (250, 250, 252)),
]

Color = tuple[int, int, int]


def colour(height: float) -> Color:
    """The colour of a height, between those of the table."""
    for (low, below), (high, above) in itertools.pairwise(COLOURS):
        if height <= high:
            part = (height - low) / (high - low)
            red, green, blue = (round(a + (b - a) * part) for a, b in zip(below, above, strict=True))
            return red, green, blue
    return COLOURS[-1][1]


def png(rows: list[list[Color]]) -> bytes:
    """A PNG of rows of pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    lines = b"".join(b"\0" + bytes(part for pixel in row for part in pixel) for row in rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def main(index: int, out: Path) -> None:
    """Ask the server and write the picture."""
    sys.path.insert(0, os.environ["PDG_SCRIPTDIR"])
    from pdgjob import sharedserver

    server = sharedserver.find("landscape", timeout=10)
    row, column = divmod(index, COLUMNS)
    with urlopen(f"http://{server['host']}:{server['port']}/tile?column={column}&row={row}", timeout=30) as answer:
        heights = json.load(answer)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(png([[colour(height) for height in line] for line in heights]))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
