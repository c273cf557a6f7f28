"""Write and read plain PNG files: 8 bits each of red, green and blue, rows as they are."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def save(path: Path, width: int, rows: list[bytes]) -> None:
    """Write rows of pixels, three bytes each. The file gets its name when it is whole."""
    header = struct.pack(">II5B", width, len(rows), 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    part.replace(path)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A piece of a PNG file: length, kind, data and their checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def load(path: Path) -> tuple[int, list[bytes]]:
    """Width and rows of a file that `save` wrote. Raises ValueError for any other file."""
    content = path.read_bytes()
    width, height, *form = struct.unpack(">II5B", content[16:29].ljust(13, b"\0"))
    if not content.startswith(SIGNATURE) or form != [8, 2, 0, 0, 0]:
        raise ValueError(f"{path} is no picture of this example")
    (length,) = struct.unpack(">I", content[33:37])
    raw, step = zlib.decompress(content[41 : 41 + length]), 1 + 3 * width
    return width, [raw[start + 1 : start + step] for start in range(0, height * step, step)]
