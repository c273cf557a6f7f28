"""Write on pictures, in a font of our own: capitals, digits and a few signs, five dots wide and seven high."""

from __future__ import annotations

from pictures import Color, Picture, blend
from smooth import enlarged

# Seven rows of five dots for each letter; a row's dots are the bits of a number in base 32, the left one worth 16.
GLYPHS = {
    " ": "0000000",
    "A": "EHHVHHH",
    "B": "UHHUHHU",
    "C": "EHGGGHE",
    "D": "UHHHHHU",
    "E": "VGGUGGV",
    "F": "VGGUGGG",
    "G": "EHGNHHF",
    "H": "HHHVHHH",
    "I": "E44444E",
    "J": "72222IC",
    "K": "HIKOKIH",
    "L": "GGGGGGV",
    "M": "HRLLHHH",
    "N": "HHPLJHH",
    "O": "EHHHHHE",
    "P": "UHHUGGG",
    "Q": "EHHHLID",
    "R": "UHHUKIH",
    "S": "FGGE11U",
    "T": "V444444",
    "U": "HHHHHHE",
    "V": "HHHHHA4",
    "W": "HHHLLRH",
    "X": "HHA4AHH",
    "Y": "HHHA444",
    "Z": "V1248GV",
    "0": "EHJLPHE",
    "1": "4C4444E",
    "2": "EH1248V",
    "3": "V2421HE",
    "4": "26AIV22",
    "5": "VGU11HE",
    "6": "68GUHHE",
    "7": "V124888",
    "8": "EHHEHHE",
    "9": "EHHF12C",
    ".": "00000CC",
    ",": "00000C8",
    ":": "0CC0CC0",
    "-": "000V000",
    "/": "01248G0",
    "?": "EH12404",
}
WIDE, HIGH = 5, 7
ADVANCE = WIDE + 1


def width_of(text: str, scale: int) -> int:
    """How many pixels wide a line of text is."""
    return scale * ADVANCE * len(text)


def write(picture: Picture, text: str, left: int, top: int, scale: int, color: Color) -> None:
    """Write one line in letters seven times `scale` pixels high; small letters become capitals.

    The dots are enlarged smoothly and cut off where they fade, which turns them into rounded strokes with soft edges.
    """
    dots = [[0.0] * (ADVANCE * len(text) + 2) for _ in range(HIGH + 2)]
    for place, letter in enumerate(text.upper()):
        for row, digit in enumerate(GLYPHS.get(letter, GLYPHS["?"])):
            bits = int(digit, 32)
            for column in range(WIDE):
                dots[row + 1][place * ADVANCE + column + 1] = float(bits >> (WIDE - 1 - column) & 1)
    for y, line in enumerate(enlarged(dots, scale)):
        for x, ink in enumerate(line):
            share = min(1.0, max(0.0, 3.2 * ink - 0.8))
            if share:
                put(picture, left - scale + x, top - scale + y, color, share)


def put(picture: Picture, x: int, y: int, color: Color, share: float) -> None:
    """Lay so much of a color over one pixel; outside the picture nothing happens."""
    if 0 <= x < picture.width and 0 <= y < picture.height:
        at = y * picture.stride + 3 * x
        red, green, blue = picture.pixels[at : at + 3]
        picture.pixels[at : at + 3] = bytes(blend((red, green, blue), color, share))
