"""Labels: names on a map that neither overlap nor leave it.

Greedy: the larger zone first, each at the best of the places around it; what finds no place is left out, and the caller
falls back to numbers with a key. Widths are estimated, on the wide side, since the reader's font is not known.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from msgspec import Struct

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

EM = 12.5
"""Font size, sheet units."""
WIDE_EM, NARROW_EM = 1.05, 0.6
"""Advance of a full-width character and of any other, as shares of the font size; generous for a sans serif."""
LINE_EM = 1.35
GAP = 3.0
"""Least distance between two labels, sheet units."""


class Wanted(Struct, frozen=True):
    """A label that wants a place.

    Attributes
    ----------
    text : str
    box : Box
        What it names, on the sheet.
    at : tuple of float
        A point inside what it names.
    """

    text: str
    box: Box
    at: tuple[float, float]


class Placed(Struct, frozen=True):
    """A label with its place.

    Attributes
    ----------
    text : str
    anchor : tuple of float
        The point it belongs to, which moves when the map is zoomed.
    offset : tuple of float
        From the anchor to the text's middle, which does not.
    has_leader : bool
        Whether a line leads from the anchor to it.
    """

    text: str
    anchor: tuple[float, float]
    offset: tuple[float, float]
    has_leader: bool


def text_width(text: str) -> float:
    """Return an upper estimate of a text's width, sheet units."""
    return EM * sum(WIDE_EM if unicodedata.east_asian_width(c) in "WF" else NARROW_EM for c in text)


def place_labels(wanted: Sequence[Wanted], *, sheet: Box, taken: Sequence[Box] = ()) -> list[Placed | None]:
    """Return a place for each label, or None where there is none.

    Parameters
    ----------
    wanted : sequence of Wanted
    sheet : Box
        No label leaves it.
    taken : sequence of Box
        No label covers these.
    """
    used = list(taken)
    found: list[Placed | None] = [None] * len(wanted)
    for index in sorted(range(len(wanted)), key=lambda i: (-_area(wanted[i].box), i)):
        label = wanted[index]
        width, height = text_width(label.text), EM * LINE_EM
        for x, y, has_leader in _candidates(label, width, height):
            box = (x - width / 2 - GAP, y - height / 2 - GAP, x + width / 2 + GAP, y + height / 2 + GAP)
            inside = sheet[0] <= box[0] and sheet[1] <= box[1] and box[2] <= sheet[2] and box[3] <= sheet[3]
            if inside and not any(_overlap(box, other) for other in used):
                used.append(box)
                anchor = label.at if has_leader else (x, y)
                found[index] = Placed(label.text, anchor, (x - anchor[0], y - anchor[1]), has_leader)
                break
    return found


def _candidates(label: Wanted, width: float, height: float) -> list[tuple[float, float, bool]]:
    left, top, right, bottom = label.box
    x, y = label.at
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    found = []
    if right - left > width + 2 * GAP and bottom - top > 3 * height:
        # a wide zone carries its name just inside its upper or lower edge, clear of what goes on in its middle
        found += [(middle_x, top + height * 1.2, False), (middle_x, bottom - height * 1.2, False)]
    away_x, away_y = width / 2 + 6, height / 2 + 5
    sides = [
        (middle_x, top - away_y),
        (middle_x, bottom + away_y),
        (right + away_x, middle_y),
        (left - away_x, middle_y),
    ]
    found += [(*side, True) for side in sides]
    for far in (22, 44, 70, 100, 140):
        found += [
            (x + sx * (far + width / 2), y + sy * far, True)
            for sx, sy in ((0.7, -0.8), (-0.7, -0.8), (0.7, 0.8), (-0.7, 0.8), (1, 0), (-1, 0), (0, -1.2), (0, 1.2))
        ]
    return found


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
