"""Excursion: a notified mover outside what its notice told, measured by the budget of `agreement/notices/budget.py`.

The words and records alone; `conformance.py` finds them.

References
----------
ASTM F3548-21, conformance monitoring for situational awareness.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from tocsin.canon import canonical_line
from tocsin.clock import US_PER_S
from tocsin.units import format_instant


class ExcursionKind(StrEnum):
    """Which bound was left."""

    PLACE = "place"
    """Outside the notified route or area."""
    BEFORE_WINDOW = "before_window"
    """In a zone of the agreement before the notified start, and still at it."""
    AFTER_WINDOW = "after_window"
    """In a zone of the agreement at the notified end, and on."""


class Over(StrEnum):
    """Which part of the budget was passed."""

    SINGLE = "single"
    NOT_RECOVERED = "not_recovered"
    TOO_MANY = "too_many"
    SHARE = "share"


class Excursion(Struct, frozen=True, kw_only=True):
    """One time outside.

    Attributes
    ----------
    kind : ExcursionKind
    from_us, to_us : int
        Half-open, interpolated between the fixes.
    worst_m : float
        The greatest distance from the edge of the place, metres, as measured; negative if it stayed inside, as a mover
        may that only kept no time.
    worst_us, worst_lat_deg, worst_lon_deg : int, float, float
        When and where that was.
    is_open : bool
        True if the mover was not seen to come back: silence, or the end of what was recorded.
    over : tuple of Over
        What of the budget it passes by itself.
    """

    kind: ExcursionKind
    from_us: int
    to_us: int
    worst_m: float
    worst_us: int
    worst_lat_deg: float
    worst_lon_deg: float
    is_open: bool
    over: tuple[Over, ...]

    @property
    def outside_s(self) -> float:
        """How long it was outside, seconds."""
        return (self.to_us - self.from_us) / US_PER_S

    def as_json(self) -> dict[str, Any]:
        """Return the excursion as a JSON object."""
        return {
            "kind": str(self.kind),
            "from": format_instant(self.from_us),
            "to": format_instant(self.to_us),
            "outside_s": round(self.outside_s, 3),
            "worst_m": round(self.worst_m, 1),
            "worst_at": format_instant(self.worst_us),
            "worst_lat_deg": round(self.worst_lat_deg, 7),
            "worst_lon_deg": round(self.worst_lon_deg, 7),
            "open": self.is_open,
            "over": [str(over) for over in self.over],
        }


class Conformance(Struct, frozen=True, kw_only=True):
    """How one track kept to one notice.

    Attributes
    ----------
    notice_id, party, track_id : str
    until_us : int
        The end of the window that was judged.
    seen : bool
        False if no report of the track came inside the window.
    inside_s, outside_s : float
        Time judged; silence and what is neither (not yet begun, past the route's end) are in neither.
    excursions : tuple of Excursion
        In order of time, those within the budget too.
    over : tuple of Over
        What of the budget was passed; empty if it was kept.
    """

    notice_id: str
    party: str
    track_id: str
    until_us: int
    seen: bool
    inside_s: float = 0.0
    outside_s: float = 0.0
    excursions: tuple[Excursion, ...] = ()
    over: tuple[Over, ...] = ()

    @property
    def is_finding(self) -> bool:
        """True if the budget was passed."""
        return bool(self.over)

    def as_json(self) -> dict[str, Any]:
        """Return the conformance as a JSON object."""
        judged_s = self.inside_s + self.outside_s
        return {
            "notice": self.notice_id,
            "party": self.party,
            "track": self.track_id,
            "until": format_instant(self.until_us),
            "seen": self.seen,
            "inside_s": round(self.inside_s, 3),
            "outside_s": round(self.outside_s, 3),
            "inside_share": round(self.inside_s / judged_s, 4) if judged_s else None,
            "over": [str(over) for over in self.over],
            "excursions": [excursion.as_json() for excursion in self.excursions],
        }

    def as_line(self) -> bytes:
        """Return the conformance as one canonical line of `conformance.jsonl`."""
        return canonical_line(self.as_json())
