"""A span of decided time: the pieces of all ways in it, and what every kind of meeting needs to become an event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tocsin.agreement.watchlist import Rule
from tocsin.kernels.detect.meetings import where_at
from tocsin.kernels.tables import FOUND, NEVER, NONE

Rows = NDArray[Any]


class Span(Struct, frozen=True, kw_only=True):
    """What one rule sees of a span of time.

    Attributes
    ----------
    legs, pieces, parts : ndarray of LEG, PIECE, PART
    inside : ndarray, int64
        The pieces at whose ends the rule's zone counts, ascending.
    place : int
        The rule's place in the watchlist.
    rule : Rule
    names : sequence of str
        Ids of the tracks by code.
    """

    legs: Rows
    pieces: Rows
    parts: Rows
    inside: NDArray[np.int64]
    place: int
    rule: Rule
    names: Sequence[str]

    def is_inside(self, piece: int) -> bool:
        """Return True if the rule's zone counts where a piece ends."""
        at = int(np.searchsorted(self.inside, piece))
        return at < len(self.inside) and int(self.inside[at]) == piece

    def leg_of(self, piece: int) -> Any:
        """Return the leg that a piece is a part of."""
        return self.legs[self.parts[piece]["leg"]]

    def order(self, turn: Any) -> tuple[int, int, int, list[str]]:
        """Return what turns are ordered by: the beat first, so that spans do not matter; what is over comes first."""
        who = sorted(self.names[turn[end]] for end in ("a", "b"))
        return int(turn["beat"]), int(turn["at_us"]), int(turn["kind"]), who

    def finding(self, turn: Any, piece: int, code: int) -> Rows:
        """Return one row of FOUND about the track of a piece, at the instant of a turn; values are left NaN.

        Parameters
        ----------
        turn : TURN
        piece : int
        code : int
            Of the kind, such as `tables.PROXIMITY`.
        """
        leg, at_us = self.leg_of(piece), int(turn["at_us"])
        row = np.zeros(1, FOUND)
        row["code"], row["rule"], row["zone"], row["other"] = code, self.place, self.rule.zone, NONE
        for name in ("track", "feed", "party", "category", "accuracy_m"):
            row[name] = leg[name]
        row["at_us"], row["visit_us"] = at_us, turn["began_us"]
        row["known_us"] = max(int(self.leg_of(turn["p"])["to_us"]), int(self.leg_of(turn["q"])["to_us"]))
        row["lat_deg"], row["lon_deg"] = where_at(leg, at_us)
        for end, of_leg in (("before", "from"), ("after", "to")):
            row[f"{end}_us"] = leg[f"{of_leg}_us"]
            for axis in ("lat_deg", "lon_deg"):
                row[f"{end}_{axis}"] = leg[f"{of_leg}_{axis}"]
        row["exemption"] = self.parts[piece]["exemption"] if turn["exempt"] else NONE
        row["value"] = np.nan
        assert leg["from_us"] != NEVER
        return row
