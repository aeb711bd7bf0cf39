"""The event: what the watch found, with the fixes that prove it. The one list of kinds and columns.

An event says what was measured, never why, and never who is to blame: equipment, weather and intent
look alike from here. Its id is the same on every machine, at every replay and after every restart
(DESIGN §4, P2): the hash of what the event *is*, not of when it was found.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from math import nan
from os import PathLike
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from tocsin.canon import canonical_line
from tocsin.ids import ID_BYTES
from tocsin.tracks.report import INSTANT
from tocsin.units import format_instant, parse_instant_us


class EventKind(StrEnum):
    """What can be found. Terms by docs/guide/events.md, which a test compares with this list."""

    FIRST_SEEN_INSIDE = "first_seen_inside"
    """The first fix of a track lies in the zone: it is inside, and nobody saw it enter."""
    ENTRY = "entry"
    """From outside to inside between two fixes."""
    EXIT = "exit"
    """From inside to outside between two fixes."""
    CROSSING = "crossing"
    """In and out again between two fixes, both outside."""
    APPROACH = "approach"
    """If it goes on as it goes, it enters within the look-ahead."""
    APPROACH_ENDED = "approach_ended"
    """The approach is over: it turned away, stopped, or entered."""
    LOITER = "loiter"
    """Slow, or confined, inside for the agreed time."""
    STOPPED = "stopped"
    """Stationary inside for the agreed time."""
    PROBING = "probing"
    """Approach and retreat, again and again, within the agreed window."""
    GAP = "gap"
    """No report for longer than agreed."""
    GAP_ENDED = "gap_ended"
    """The silence is over."""
    PROXIMITY = "proximity"
    """Two tracks of different parties closer than agreed."""
    BUILDUP = "buildup"
    """As many tracks as agreed, or more, in one place over the agreed time."""
    DWELL = "dwell"
    """Inside for the agreed time, at any speed."""
    VOID = "void"
    """Fewer tracks than agreed in a place that held them, over the agreed time."""
    ZONE_BEGAN = "zone_began"
    """The zone came into force around a track: the zone caused the change, not the track."""
    ZONE_ENDED = "zone_ended"
    """The zone ended around a track."""
    ZONE_CHANGED = "zone_changed"
    """A new version of the agreement drew the zone anew, over a track or away from it."""


class Standing(StrEnum):
    """Whether later reports may still change the event."""

    PROVISIONAL = "provisional"
    FINAL = "final"


class Revision(StrEnum):
    """What this line does to the event of the same id."""

    OPENED = "opened"
    AMENDED = "amended"
    WITHDRAWN = "withdrawn"


MEASURES: dict[str, str] = {
    "time_to_entry_s": "seconds until the predicted entry, counted from `known`",
    "time_to_entry_lo_s": "lower end of the interval that holds the entry 8 times in 10",
    "time_to_entry_hi_s": "upper end of that interval",
    "probability": "share of such predictions that came true, 0 to 1",
    "separation_m": "geodesic distance of two tracks at `at`",
    "separation_error_m": "95 % of the error of that distance: the root of the sum of both accuracies' squares",
    "closest_m": "least distance of two tracks so far, over ground or through the air where both altitudes are known",
    "cpa_m": "closest point of approach: how near two tracks come if both go on as at `at`",
    "tcpa_s": "seconds from `at` until that; negative where it has passed",
    "together_s": "time since two tracks came within the agreed distance",
    "distance_m": "geodesic distance from the last fix to the zone's edge",
    "speed_mps": "speed over ground used in the decision",
    "course_deg": "course over ground used in the decision, from true north",
    "dwell_s": "time inside, or slow inside, when the event was raised; of an exit or a zone's end, the whole visit",
    "inside_s": "time inside between a crossing's two interpolated points",
    "chord_m": "length of the way inside of a crossing",
    "gap_s": "length of the silence",
    "needed_mps": "least speed at which the track could have gone into the zone and back during a silence",
    "threshold_s": "the agreed time that was exceeded",
    "alt_m": "altitude used in the decision, above the ellipsoid",
    "count": "how many: cycles of a probing, tracks of a build-up, tracks left in a void",
}
"""What an event may have measured: the name ends in its unit. NaN in the table, absent in JSON, where not measured."""


class Fix(Struct, frozen=True, kw_only=True):
    """One end of an event's bracket: the position and time inside a report."""

    observed_us: int
    lat_deg: float
    lon_deg: float

    def as_json(self) -> dict[str, Any]:
        """Return the fix as a JSON object."""
        return {
            "observed": format_instant(self.observed_us),
            "lat_deg": self.lat_deg,
            "lon_deg": self.lon_deg,
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Fix:
        """Return the fix of a JSON object that `as_json` made."""
        observed_us = parse_instant_us(told["observed"])
        return cls(observed_us=observed_us, lat_deg=told["lat_deg"], lon_deg=told["lon_deg"])


class Event(Struct, frozen=True, kw_only=True):
    """One event; a row of `EVENT_SCHEMA`.

    Attributes
    ----------
    event_id : str
        32 hexadecimal digits; see `event_id`.
    kind, standing, revision : EventKind, Standing, Revision
    agreement_id, agreement_version : str, int
    rule_id, clause : str
        The rule that raised it and the place of its clause in the agreement.
    zone_id : str
    track_id : str
    other_track : str or None
        The track it was found with: the partner of a proximity.
    party, category : str or None
        As declared by the report; None when nobody said.
    feed : str
    at_us : int
        When it happened: for an entry, the interpolated crossing time.
    known_us : int
        Event time at which it could first be known: the later fix, or the end of a waiting time.
    lat_deg, lon_deg : float
        Where it happened, interpolated like `at_us`.
    accuracy_m : float
        95 % radius of that place; NaN when no report gave one.
    before, after : Fix or None
        The two fixes that bracket it; None where there is none.
    visit_us : int
        Start of the episode it belongs to: the part of the id that makes two visits two.
    unobserved : bool
        True when the two fixes lie further apart than the gap threshold: what happened between is inferred.
    exemption : str or None
        The exemption that covers the track here, if any; the ladder is not climbed for it.
    measured : dict of str to float
        Keys from `MEASURES`.
    """

    event_id: str
    kind: EventKind
    standing: Standing = Standing.FINAL
    revision: Revision = Revision.OPENED
    agreement_id: str
    agreement_version: int
    rule_id: str
    clause: str
    zone_id: str
    track_id: str
    other_track: str | None = None
    party: str | None
    category: str | None
    feed: str
    at_us: int
    known_us: int
    lat_deg: float
    lon_deg: float
    accuracy_m: float
    before: Fix | None
    after: Fix | None
    visit_us: int
    unobserved: bool
    exemption: str | None
    measured: dict[str, float]

    @property
    def leaves_outside(self) -> bool:
        """True if the track is outside the zone from this event on: it left, or the zone did."""
        changed_away = self.kind is EventKind.ZONE_CHANGED and "dwell_s" in self.measured
        return self.kind in {EventKind.EXIT, EventKind.ZONE_ENDED} or changed_away

    @property
    def order(self) -> tuple[int, str, str, str, str]:
        """The one order of events: time, track, rule, kind, id (FAULTS §3.3)."""
        return (self.at_us, self.track_id, self.rule_id, self.kind, self.event_id)

    def as_json(self) -> dict[str, Any]:
        """Return the event as a JSON object; instants as RFC 3339, missing values as null."""
        return {
            "event_id": self.event_id,
            "kind": str(self.kind),
            "standing": str(self.standing),
            "revision": str(self.revision),
            "agreement": {"id": self.agreement_id, "version": self.agreement_version},
            "rule": self.rule_id,
            "clause": self.clause,
            "zone": self.zone_id,
            "track": self.track_id,
            "other_track": self.other_track,
            "party": self.party,
            "category": self.category,
            "feed": self.feed,
            "at": format_instant(self.at_us),
            "known": format_instant(self.known_us),
            "lat_deg": self.lat_deg,
            "lon_deg": self.lon_deg,
            "accuracy_m": None if self.accuracy_m != self.accuracy_m else self.accuracy_m,
            "before": self.before.as_json() if self.before else None,
            "after": self.after.as_json() if self.after else None,
            "visit_start": format_instant(self.visit_us),
            "unobserved": self.unobserved,
            "exemption": self.exemption,
            "measured": self.measured,
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Event:
        """Return the event of a JSON object that `as_json` made."""
        return cls(
            event_id=told["event_id"],
            kind=EventKind(told["kind"]),
            standing=Standing(told["standing"]),
            revision=Revision(told["revision"]),
            agreement_id=told["agreement"]["id"],
            agreement_version=told["agreement"]["version"],
            rule_id=told["rule"],
            clause=told["clause"],
            zone_id=told["zone"],
            track_id=told["track"],
            other_track=told["other_track"],
            party=told["party"],
            category=told["category"],
            feed=told["feed"],
            at_us=parse_instant_us(told["at"]),
            known_us=parse_instant_us(told["known"]),
            lat_deg=told["lat_deg"],
            lon_deg=told["lon_deg"],
            accuracy_m=nan if told["accuracy_m"] is None else told["accuracy_m"],
            before=Fix.from_json(told["before"]) if told["before"] else None,
            after=Fix.from_json(told["after"]) if told["after"] else None,
            visit_us=parse_instant_us(told["visit_start"]),
            unobserved=told["unobserved"],
            exemption=told["exemption"],
            measured=told["measured"],
        )

    def as_line(self) -> bytes:
        """Return the event as one canonical line of `events.jsonl`."""
        return canonical_line(self.as_json())


_FIX = [("observed", INSTANT), ("lat_deg", pa.float64()), ("lon_deg", pa.float64())]

EVENT_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("standing", pa.string(), nullable=False),
        pa.field("revision", pa.string(), nullable=False),
        pa.field("agreement_id", pa.string(), nullable=False),
        pa.field("agreement_version", pa.int32(), nullable=False),
        pa.field("rule_id", pa.string(), nullable=False),
        pa.field("clause", pa.string(), nullable=False),
        pa.field("zone_id", pa.string(), nullable=False),
        pa.field("track_id", pa.string(), nullable=False),
        pa.field("other_track", pa.string()),
        pa.field("party", pa.string()),
        pa.field("category", pa.string()),
        pa.field("feed", pa.string(), nullable=False),
        pa.field("at", INSTANT, nullable=False),
        pa.field("known", INSTANT, nullable=False),
        pa.field("lat_deg", pa.float64(), nullable=False),
        pa.field("lon_deg", pa.float64(), nullable=False),
        pa.field("accuracy_m", pa.float64()),
        *(pa.field(f"before_{name}", kind) for name, kind in _FIX),
        *(pa.field(f"after_{name}", kind) for name, kind in _FIX),
        pa.field("visit_start", INSTANT, nullable=False),
        pa.field("unobserved", pa.bool_(), nullable=False),
        pa.field("exemption", pa.string()),
        *(pa.field(name, pa.float64()) for name in MEASURES),
    ]
)
"""The columns of `events.parquet`: an `Event` laid flat, its measures as columns of their own."""


WORDS = [field.name for field in EVENT_SCHEMA if pa.types.is_string(field.type) and field.name != "event_id"]
"""The columns whose words come again and again."""

CODED_EVENT_SCHEMA = pa.schema(
    [f.with_type(pa.dictionary(pa.int32(), f.type)) if f.name in WORDS else f for f in EVENT_SCHEMA]
)
"""The same as it is written fastest: every such word once, and its number in each row."""

WRITTEN_TOGETHER = 65_536
"""Rows of a column that are handed to its writer at a time: of each lot it finds out which words there are."""


def write_events(table: pa.Table, file: str | PathLike[str]) -> None:
    """Write events as Parquet: words once, what is never twice the same as it is, compressed by zstd.

    Parameters
    ----------
    table : Table
        Of `CODED_EVENT_SCHEMA`, or of `EVENT_SCHEMA`, which the file is of in either case.
    file : path
    """
    pq.write_table(
        table,
        file,
        compression="zstd",
        use_dictionary=WORDS,
        write_batch_size=WRITTEN_TOGETHER,
        store_schema=False,  # Parquet's own says all of it, and not that words came as numbers
    )


def event_id(
    *, agreement: bytes, rule: bytes, zone: bytes, track: bytes, other: bytes = b"", kind: EventKind, visit_us: int
) -> str:
    """Return the id of an event: the same wherever and however often it is found.

    Parameters
    ----------
    agreement : bytes, length 32
        Digest of the agreement version.
    rule, zone, track : bytes, length 16
        `ids.text_key` of the three names.
    other : bytes, length 16 or 0
        That of `other_track`; it makes no difference which of the two is which.
    kind : EventKind
    visit_us : int
        Start of the episode.

    Returns
    -------
    str
        32 hexadecimal digits: the first half of the SHA-256 of them, in this order, each at its fixed
        length, the two tracks' keys in ascending order, the kind as its key and the instant as 8 big-endian bytes.
    """
    who = b"".join(sorted((track, other)))
    head = agreement + rule + zone + who + KIND_KEYS[kind]
    return hashlib.sha256(head + visit_us.to_bytes(8, "big", signed=True)).digest()[:ID_BYTES].hex()


KIND_KEYS: dict[EventKind, bytes] = {
    kind: hashlib.sha256(kind.value.encode()).digest()[:ID_BYTES] for kind in EventKind
}
"""`ids.text_key` of every kind."""
