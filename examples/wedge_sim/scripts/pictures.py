"""Pictures in red, green and blue, still or moving, and their PNG files."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
RGB_8_BITS = (8, 2, 0, 0, 0)
FILTER_UP = 2  # PNG's name for "each byte is stored as the difference to the byte above it"

Color = tuple[int, int, int]


@dataclass
class Picture:
    """Width times height pixels of three bytes, row after row."""

    width: int
    height: int
    pixels: bytearray

    @property
    def stride(self) -> int:
        """Bytes in a row."""
        return 3 * self.width

    def paste(self, other: Picture, left: int, top: int) -> None:
        """Put another picture onto this one. It has to fit."""
        for row in range(other.height):
            start = (top + row) * self.stride + 3 * left
            self.pixels[start : start + other.stride] = other.pixels[row * other.stride : (row + 1) * other.stride]

    def copy(self) -> Picture:
        """The same pixels, to paint on without changing these."""
        return Picture(self.width, self.height, self.pixels[:])

    def fill(self, left: int, top: int, width: int, height: int, color: Color) -> None:
        """Paint a rectangle."""
        self.paste(plain(width, height, color), left, top)


def plain(width: int, height: int, color: Color) -> Picture:
    """A picture of one color."""
    return Picture(width, height, bytearray(bytes(color) * (width * height)))


def parse_color(text: str) -> Color:
    """A color from six hexadecimal digits, as `ff7f50`. Raises ValueError when it is none."""
    if len(text) != 6:
        raise ValueError(f"a color has six hexadecimal digits, {text!r} has not")
    red, green, blue = bytes.fromhex(text)
    return red, green, blue


def blend(one: Color, other: Color, share: float) -> Color:
    """So much of the other color in the one."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other))
    return red, green, blue


def save_png(path: Path, frames: Sequence[Picture], delays: Sequence[float] = ()) -> None:
    """Write one frame as a PNG, several as an animated one: frame by frame, each shown for its delay in seconds.

    Viewers that cannot play an animation show the first frame. The file gets its name when it is whole.
    """
    first = frames[0]
    chunks = [(b"IHDR", struct.pack(">II5B", first.width, first.height, *RGB_8_BITS))]
    if len(frames) == 1:
        chunks.append((b"IDAT", packed(first)))
    else:
        chunks += animation(frames, delays)
    chunks.append((b"IEND", b""))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(SIGNATURE)
        for kind, data in chunks:
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
    part.replace(path)


def animation(frames: Sequence[Picture], delays: Sequence[float]) -> Iterator[tuple[bytes, bytes]]:
    """The chunks that make a PNG move: how many frames, then for each its control and its data, all numbered."""
    yield b"acTL", struct.pack(">II", len(frames), 0)
    number = 0
    for frame, delay in zip(frames, delays, strict=True):
        timing = (round(delay * 1000), 1000)
        yield b"fcTL", struct.pack(">5IHHBB", number, frame.width, frame.height, 0, 0, *timing, 0, 0)
        data = packed(frame)
        yield (b"fdAT", struct.pack(">I", number + 1) + data) if number else (b"IDAT", data)
        number += 2 if number else 1


def load_png(path: Path) -> list[Picture]:
    """Read the frames of a file that `save_png` wrote. Raises ValueError for any other file."""
    content = path.read_bytes()
    if not content.startswith(SIGNATURE):
        raise ValueError(f"{path} is no PNG file")
    width = height = 0
    frames = []
    for kind, data in chunks_of(content):
        if kind == b"IHDR":
            width, height, *form = struct.unpack(">II5B", data)
            if tuple(form) != RGB_8_BITS:
                raise ValueError(f"{path} is no picture of ours: its pixels are not 8-bit RGB")
        elif kind in {b"IDAT", b"fdAT"}:
            frames.append(unpacked(width, height, data if kind == b"IDAT" else data[4:]))
    if not frames:
        raise ValueError(f"{path} holds no picture")
    return frames


def chunks_of(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and the data of each chunk of a PNG file."""
    at = len(SIGNATURE)
    while at + 8 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        yield content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        at += 12 + length


def packed(picture: Picture) -> bytes:
    """The pixels as a PNG stores them: each byte less the byte above it, and compressed.

    All bytes are subtracted at once, as two very long numbers. The top bit of each byte is kept out of it, so that
    no byte can borrow from its neighbour, and put right afterwards.
    """
    size, stride = len(picture.pixels), picture.stride
    tops = int.from_bytes(b"\x80" * size, "big")
    here = int.from_bytes(picture.pixels, "big")
    above = here >> (8 * stride)
    less = ((here | tops) - (above & ~tops)) ^ ((here ^ above ^ tops) & tops)
    rows = less.to_bytes(size, "big")
    marked = (bytes([FILTER_UP]) + rows[start : start + stride] for start in range(0, size, stride))
    return zlib.compress(b"".join(marked), level=6)


def unpacked(width: int, height: int, data: bytes) -> Picture:
    """The inverse of `packed`: a row is added to the row above it."""
    raw, stride = zlib.decompress(data), 3 * width
    tops = int.from_bytes(b"\x80" * stride, "big")
    above, pixels = 0, bytearray()
    for start in range(0, len(raw), stride + 1):
        if raw[start] != FILTER_UP:
            raise ValueError("no picture of ours: its rows are stored in another way")
        less = int.from_bytes(raw[start + 1 : start + 1 + stride], "big")
        above = ((above & ~tops) + (less & ~tops)) ^ ((above ^ less) & tops)
        pixels += above.to_bytes(stride, "big")
    return Picture(width, height, pixels)
