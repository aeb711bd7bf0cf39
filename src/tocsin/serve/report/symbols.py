"""Symbols: one shape for each kind of event and each outcome of an attempt, told apart by shape before colour.

The colours are Okabe and Ito's (2008), for readers who see colours differently; every one is doubled by a shape, a dash
or a word.
"""

from __future__ import annotations

from msgspec import Struct

from tocsin.warn.states import MessageState
from tocsin.watch.event import EventKind


class Symbol(Struct, frozen=True):
    """A shape about the origin, within ±6 units.

    Attributes
    ----------
    path : str
        SVG path data.
    is_filled : bool
    """

    path: str
    is_filled: bool


def _disc(r: float) -> str:
    return f"M{-r} 0a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z"


_SQUARE = "M-4-4h8v8h-8z"
_TRIANGLE = "M-4.4-5L5.4 0L-4.4 5z"
_PAIR = "".join(f"M{x} 0a2.4 2.4 0 1 0 4.8 0a2.4 2.4 0 1 0-4.8 0z" for x in (-5.5, 0.7))
_DIAMOND = "M0-5.6L5.6 0L0 5.6L-5.6 0z"

EVENT_SYMBOLS: dict[EventKind, Symbol] = {
    EventKind.APPROACH: Symbol(_TRIANGLE, is_filled=True),
    EventKind.APPROACH_ENDED: Symbol(_TRIANGLE, is_filled=False),
    EventKind.FIRST_SEEN_INSIDE: Symbol(_disc(5) + _disc(2), is_filled=False),
    EventKind.ENTRY: Symbol(_disc(4.8), is_filled=True),
    EventKind.EXIT: Symbol(_disc(4.6), is_filled=False),
    EventKind.CROSSING: Symbol("M-4.5-4.5L4.5 4.5M-4.5 4.5L4.5-4.5", is_filled=False),
    EventKind.LOITER: Symbol(_SQUARE, is_filled=False),
    EventKind.STOPPED: Symbol(_SQUARE, is_filled=True),
    EventKind.PROBING: Symbol(_DIAMOND, is_filled=True),
    EventKind.GAP: Symbol("M-5 0h3M2 0h3M-1-4v8M1-4v8", is_filled=False),
    EventKind.GAP_ENDED: Symbol("M-5 0h10M-1-4v8M1-4v8", is_filled=False),
    EventKind.PROXIMITY: Symbol(_PAIR, is_filled=True),
    EventKind.BUILDUP: Symbol("M0-5.5V5.5M-5.5 0H5.5M-3.5-3.5v7M3.5-3.5v7", is_filled=False),
    EventKind.ZONE_BEGAN: Symbol("M-5 4h10M-5 0h10", is_filled=False),
    EventKind.ZONE_ENDED: Symbol("M-5-4h10M-5 0h10M-4-4L4 4", is_filled=False),
    EventKind.ZONE_CHANGED: Symbol("M-5 4h10M-5 0h10M-5-4h4", is_filled=False),
    EventKind.DWELL: Symbol(_SQUARE + "M0-2.5V0H2", is_filled=False),
    EventKind.VOID: Symbol("M-5.5 0H-2M2 0H5.5M0-5.5V-2M0 2V5.5", is_filled=False),
}  # fmt: skip
"""Every kind's shape; a test compares the list with `EventKind`."""

OUTCOME_SYMBOLS: dict[MessageState | None, Symbol] = {
    None: Symbol("M-1.5-2.5c0-3 3-3 3-.6c0 1.8-1.5 1.6-1.5 3.4M0 3.6v.6", is_filled=False),
    MessageState.QUEUED: Symbol(_disc(2.2), is_filled=False),
    MessageState.FAILED_FOR_NOW: Symbol("M-3.5-3.5L3.5 3.5M-3.5 3.5L3.5-3.5", is_filled=False),
    MessageState.FAILED_FOR_GOOD: Symbol(_disc(5.2) + "M-2.6-2.6L2.6 2.6M-2.6 2.6L2.6-2.6", is_filled=False),
    MessageState.UNKNOWN: Symbol(_disc(5.2) + "M-1.5-2c0-2.6 3-2.6 3-.5c0 1.6-1.5 1.4-1.5 2.9M0 3v.5", is_filled=False),
    MessageState.HANDED_OVER: Symbol("M-4.5 0H4M.8-3.4L4.4 0L.8 3.4", is_filled=False),
    MessageState.DELIVERED: Symbol("M-4.4.4L-1.2 3.6L4.6-3.6", is_filled=False),
    MessageState.READ: Symbol("M-5.6.4L-3 3.2L1.6-3.2M-1.4 1.6L0 3.2L5-3.2", is_filled=False),
    MessageState.ACKNOWLEDGED: Symbol(_disc(5.4) + "M-2.8.2L-.8 2.4L3-2.2", is_filled=False),
    MessageState.PASSED_ON: Symbol("M-5.6 0H1.4M-1.6-3L1.4 0L-1.6 3M4.6-3.6v7.2", is_filled=False),
    MessageState.ANSWERED: Symbol("M-5-4.4h10v7h-5l-3 2.6v-2.6h-2z", is_filled=True),
}
"""Every outcome's shape; None while nobody knows it."""

OUTCOME_WORDS: dict[MessageState | None, str] = {
    None: "outcome not known",
    MessageState.QUEUED: "decided, not tried",
    MessageState.FAILED_FOR_NOW: "failed, to be tried again",
    MessageState.FAILED_FOR_GOOD: "failed for good",
    MessageState.UNKNOWN: "cut off: nobody knows whether it went out",
    MessageState.HANDED_OVER: "handed over: no proof of arrival",
    MessageState.DELIVERED: "delivered, on proof",
    MessageState.READ: "read, on proof",
    MessageState.ACKNOWLEDGED: "acknowledged: received, and nothing more",
    MessageState.PASSED_ON: "passed on, says who was asked to",
    MessageState.ANSWERED: "answered in words",
}
"""What each outcome says, for the legend."""
