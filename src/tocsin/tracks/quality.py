"""Every line accounted for: why a record was refused, what was doubtful, and how many there were of each.

Implements promise P5 (read = accepted + duplicate + late + rejected) and the principle of integrity of
positions: flag, never delete; a flag has a reason. What is refused is kept, with its place and its text.
It judges single records; jumps, circles and shared identities need a track and are not found here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from os import PathLike
from typing import TypeVar

import pyarrow as pa
from msgspec import Struct, field

from tocsin.canon import canonical_line
from tocsin.tracks.report import INSTANT

_K = TypeVar("_K")

RAW_LIMIT = 200
"""Characters kept of a refused record; a longer one ends in "…" (P11: bounded)."""


class RejectReason(StrEnum):
    """Why a record gave no report. Described in `MEANING` and docs/format/reports.md; a test compares the three."""

    NOT_A_POSITION = "not_a_position"
    BAD_LATITUDE = "bad_latitude"
    BAD_LONGITUDE = "bad_longitude"
    BAD_NUMBER = "bad_number"
    NO_TIME = "no_time"
    NAIVE_TIME = "naive_time"
    BAD_TIME = "bad_time"
    AMBIGUOUS_TIME = "ambiguous_time"
    IMPLAUSIBLE_TIME = "implausible_time"
    NO_IDENTITY = "no_identity"
    BAD_IDENTITY = "bad_identity"
    BAD_TEXT = "bad_text"
    WRONG_COLUMNS = "wrong_columns"
    BAD_QUOTES = "bad_quotes"
    BAD_CHECKSUM = "bad_checksum"
    TRUNCATED = "truncated"
    INCOMPLETE = "incomplete"
    WRONG_LENGTH = "wrong_length"
    UNKNOWN_TYPE = "unknown_type"
    UNPARSABLE = "unparsable"
    PARKED = "parked"
    NO_POSITION = "no_position"
    OTHER_SENTENCE = "other_sentence"
    NOT_A_TRACK = "not_a_track"


MEANING: dict[RejectReason, str] = {
    RejectReason.NOT_A_POSITION: "latitude or longitude is missing, NaN, or the standard's word for "
    "not available (91° and 181°)",
    RejectReason.BAD_LATITUDE: "the latitude is outside -90 to 90",
    RejectReason.BAD_LONGITUDE: "the longitude is outside -180 to 180",
    RejectReason.BAD_NUMBER: "the latitude or longitude is no number",
    RejectReason.NO_TIME: "nothing says when",
    RejectReason.NAIVE_TIME: "the time has no zone and none was stated for the file",
    RejectReason.BAD_TIME: "the time cannot be read, or is no date of the calendar",
    RejectReason.AMBIGUOUS_TIME: "the local time happened twice, or never, when the clocks changed",
    RejectReason.IMPLAUSIBLE_TIME: "the time is before 1990 or after 2099: a clock that was never set",
    RejectReason.NO_IDENTITY: "nothing says who",
    RejectReason.BAD_IDENTITY: "the identity is not one of its kind, such as an MMSI that has ten digits",
    RejectReason.BAD_TEXT: "a name is not UTF-8",
    RejectReason.WRONG_COLUMNS: "the row has fewer or more cells than the header",
    RejectReason.BAD_QUOTES: "the row's quotes do not pair (RFC 4180)",
    RejectReason.BAD_CHECKSUM: "the checksum is not that of the text",
    RejectReason.TRUNCATED: "the record or the file ends too early",
    RejectReason.INCOMPLETE: "a part of a message whose other parts never came",
    RejectReason.WRONG_LENGTH: "the message is not as long as its type is (ITU-R M.1371)",
    RejectReason.UNKNOWN_TYPE: "a message of a type that the standard does not define",
    RejectReason.UNPARSABLE: "the record does not have the format's form",
    RejectReason.PARKED: "a broker's message that could not be handed over, set aside after several tries",
    RejectReason.NO_POSITION: "a sound message of a type that carries no position",
    RejectReason.OTHER_SENTENCE: "a comment, or a sentence of another kind; it may have told the time",
    RejectReason.NOT_A_TRACK: "a place that is no part of a track: a waypoint, a planned route, an area",
}
"""What each reason says, for people."""

EXPECTED_REASONS = frozenset({RejectReason.NO_POSITION, RejectReason.OTHER_SENTENCE, RejectReason.NOT_A_TRACK})
"""Reasons with which nothing is wrong: such records never had a position to give."""


class Flag(StrEnum):
    """What is doubtful about a report that was kept."""

    NULL_ISLAND = "null_island"
    CONFLICT = "conflict"
    BAD_OPTIONAL = "bad_optional"
    UNKNOWN_CATEGORY = "unknown_category"
    UNENDED_LINE = "unended_line"
    ARRIVAL_TIME = "arrival_time"
    RETAINED = "retained"


FLAG_MEANING: dict[Flag, str] = {
    Flag.NULL_ISLAND: "the position is exactly 0° N 0° E, which receivers without a fix report",
    Flag.CONFLICT: "the same track is elsewhere, or moves otherwise, at the same microsecond",
    Flag.BAD_OPTIONAL: "an altitude, speed, course, heading or accuracy could not be used and is missing",
    Flag.UNKNOWN_CATEGORY: "the declared kind of mover is not a word of the list and is missing",
    Flag.UNENDED_LINE: "the last line of the file has no end: it may have been cut",
    Flag.ARRIVAL_TIME: "nothing in a live message says when; its arrival here stands for it",
    Flag.RETAINED: "a broker had kept it and gave it again on subscription: it may be old",
}
"""What each flag says, for people."""

REJECT_SCHEMA = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("raw", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
    ]
)
"""The columns of a table of rejects; `line` is the line, row, point or feature, from 1."""

FLAG_SCHEMA = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
        pa.field("flag", pa.string(), nullable=False),
        pa.field("track_id", pa.string()),
        pa.field("observed", INSTANT),
        pa.field("detail", pa.string(), nullable=False),
    ]
)
"""The columns of a table of flags."""


class Reject(Struct, frozen=True, kw_only=True):
    """One record that gave no report.

    Attributes
    ----------
    file : str
    line : int
        The line, row, point or feature, from 1; 0 for the file as a whole.
    reason : RejectReason
    raw : str
        The record as it stood, up to `RAW_LIMIT` characters; bytes that are no UTF-8 as escapes.
    detail : str
        What exactly was found.
    """

    file: str
    line: int
    reason: RejectReason
    raw: str = ""
    detail: str = ""


def clip(raw: bytes | str) -> str:
    r"""Return a record as bounded text: at most `RAW_LIMIT` characters, undecodable bytes as `\xNN`.

    Examples
    --------
    >>> clip(b"\xc5land")
    '\\xc5land'
    """
    if isinstance(raw, bytes):
        raw = raw[: RAW_LIMIT * 4 + 4].decode("utf-8", "backslashreplace")
    elif not raw.isascii():
        raw = raw.encode("utf-8", "backslashreplace").decode()
    return raw if len(raw) <= RAW_LIMIT else raw[: RAW_LIMIT - 1] + "…"


def reject_table(rejects: Iterable[Reject]) -> pa.Table:
    """Return rejects as a table of `REJECT_SCHEMA`, their texts bounded."""
    rows = list(rejects)
    columns = [
        pa.array([r.file for r in rows], pa.string()),
        pa.array([r.line for r in rows], pa.int64()),
        pa.array([r.reason.value for r in rows], pa.string()),
        pa.array([clip(r.raw) for r in rows], pa.string()),
        pa.array([clip(r.detail) for r in rows], pa.string()),
    ]
    return pa.table(columns, schema=REJECT_SCHEMA)


def iter_rejects(table: pa.Table) -> Iterator[Reject]:
    """Yield the rows of a table of `REJECT_SCHEMA` as records."""
    for batch in table.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            yield Reject(**{**row, "reason": RejectReason(row["reason"])})


def write_rejects(table: pa.Table, path: str | PathLike[str]) -> None:
    """Write rejects as JSON lines, one canonical object a record, in the table's order."""
    with open(path, "wb") as out:
        for batch in table.to_batches(max_chunksize=10_000):
            out.writelines(canonical_line(row) for row in batch.to_pylist())


class Counts(Struct, frozen=True, kw_only=True):
    """How many records were read and what became of them; the identity of P5 holds or it cannot be made.

    Attributes
    ----------
    read : int
        Records: a CSV or Parquet row, a GeoJSON position, a GPX point, an AIS message or other line.
    accepted, duplicate, late : int
        Kept; said before in every number; too late for the watermark (always 0 in an archive).
    rejected : mapping of RejectReason to int
    flagged : mapping of Flag to int
        Of the accepted and the duplicate; they are counted above as well.
    joined : int
        Lines beyond the first of a record that has several: part of it, and not counted in `read`.
    """

    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    late: int = 0
    rejected: Mapping[RejectReason, int] = field(default_factory=dict)
    flagged: Mapping[Flag, int] = field(default_factory=dict)
    joined: int = 0

    def __post_init__(self) -> None:
        total = self.accepted + self.duplicate + self.late + sum(self.rejected.values())
        if self.read != total:
            raise ValueError(f"read {self.read} records but accounted for {total}: {self}")

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            read=self.read + other.read,
            accepted=self.accepted + other.accepted,
            duplicate=self.duplicate + other.duplicate,
            late=self.late + other.late,
            rejected=_sum(self.rejected, other.rejected),
            flagged=_sum(self.flagged, other.flagged),
            joined=self.joined + other.joined,
        )

    @property
    def faults(self) -> int:
        """Rejected records with which something was wrong (all but `EXPECTED_REASONS`)."""
        return sum(n for reason, n in self.rejected.items() if reason not in EXPECTED_REASONS)

    def as_json(self) -> dict[str, object]:
        """Return the counts as a JSON object, reasons and flags by name, zeros left out of both."""
        return {
            "read": self.read,
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "late": self.late,
            "rejected": {str(k): n for k, n in sorted(self.rejected.items()) if n},
            "flagged": {str(k): n for k, n in sorted(self.flagged.items()) if n},
            "joined": self.joined,
        }


def _sum(one: Mapping[_K, int], other: Mapping[_K, int]) -> dict[_K, int]:
    return {k: one.get(k, 0) + other.get(k, 0) for k in [*one, *(k for k in other if k not in one)]}
