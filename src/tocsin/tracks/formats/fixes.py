"""Fixes: reports gathered one by one, for the formats that are read one by one (AIS, GPX, SBS).

The same checks and flags as `cells.py`. A kind of mover that was declared anywhere in the file holds for the reports
before the declaration too, as far back as there is no other: the archive knows what the live watch learned later.
Live, what was declared before is remembered from one part to the next (`Declared`).
"""

from __future__ import annotations

from array import array
from math import isnan

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tocsin.tracks.formats.cells import optional_floats
from tocsin.tracks.formats.part import Part, coded
from tocsin.tracks.formats.times import EARLIEST_US, LATEST_US
from tocsin.tracks.quality import FLAG_SCHEMA, Flag, Reject, RejectReason, clip, reject_table
from tocsin.tracks.report import CODED_SCHEMA, INSTANT

NAN = float("nan")

MAX_DECLARED = 100_000
"""Tracks of a live feed whose kind is remembered (P11); about as many ships as are at sea at a time."""

_UNKNOWN_US = np.iinfo(np.int64).min
_OPTIONAL = {
    "alt": "alt_m",
    "sog": "speed_mps",
    "cog": "course_deg",
    "heading": "heading_deg",
    "accuracy": "accuracy_m",
}


class Declared:
    """What tracks said they are, remembered with a bound: the track that has been silent longest is forgotten."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}

    def learn(self, track: str, category: str) -> None:
        """Note what a track says it is."""
        self._kinds.pop(track, None)
        self._kinds[track] = category
        if len(self._kinds) > MAX_DECLARED:
            del self._kinds[next(iter(self._kinds))]

    def recall(self, track: str) -> str | None:
        """Return what a track last said, or None."""
        return self._kinds.get(track)


class Fixes:
    """Reports and rejects of one file or of one piece of a live feed, in order.

    Parameters
    ----------
    file, feed : str
        The file's name for messages; the feed of every report.
    party : str, optional
        The party of every report, where the feed is known to carry one party's movers alone.
    declared : Declared, optional
        Of a live feed: what earlier pieces said.
    """

    def __init__(self, *, file: str, feed: str, party: str | None = None, declared: Declared | None = None) -> None:
        self._file = file
        self._feed = feed
        self._party = party
        self._memory = declared
        self._doubts: dict[tuple[Flag, str], list[int]] = {}
        self._rejects: list[Reject] = []
        self._ints = {name: array("q") for name in ("line", "track", "observed", "received", "category")}
        self._floats = {name: array("d") for name in ("lat", "lon", *_OPTIONAL)}
        self._tracks: dict[str, int] = {}
        self._words: dict[str, int] = {}
        self._declared: dict[int, list[tuple[int, int]]] = {}

    def reject(self, line: int, reason: RejectReason, raw: bytes | str, detail: str = "") -> None:
        """Add a record that gives no report."""
        self._rejects.append(Reject(file=self._file, line=line, reason=reason, raw=clip(raw), detail=detail))

    def declare(self, track: str, category: str | None) -> None:
        """Note that a track says what it is; None says nothing."""
        if category is not None:
            if self._memory is not None:
                self._memory.learn(track, category)
            at = (len(self._ints["line"]), _code(self._words, category))
            self._declared.setdefault(_code(self._tracks, track), []).append(at)

    def accept(
        self,
        line: int,
        raw: bytes | str,
        *,
        track: str,
        observed_us: int,
        received_us: int | None,
        lat: float,
        lon: float,
        category: str | None = None,
        alt: float = NAN,
        sog: float = NAN,
        cog: float = NAN,
        heading: float = NAN,
        accuracy: float = NAN,
        doubt: tuple[Flag, str] | None = None,
    ) -> None:
        """Add a report, or a reject if its position or time is none.

        Parameters
        ----------
        line : int
        raw : bytes or str
            The record, kept only if it is refused.
        track : str
            With its prefix.
        observed_us : int
        received_us : int or None
        lat, lon : float
            Degrees.
        category : str, optional
        alt, sog, cog, heading, accuracy : float
            Metres, m/s and degrees, NaN where missing.
        doubt : (Flag, str), optional
            What is doubtful about it, and the detail.
        """
        reason = position_reason(lat, lon)
        if reason is not None:
            self.reject(line, reason, raw, f"lat {lat}, lon {lon}")
            return
        if not EARLIEST_US <= observed_us < LATEST_US:
            self.reject(line, RejectReason.IMPLAUSIBLE_TIME, raw, f"{observed_us} µs")
            return
        if category is None and self._memory is not None:
            category = self._memory.recall(track)
        if doubt is not None:
            self._doubts.setdefault(doubt, []).append(len(self._ints["line"]))
        ints = (
            line,
            _code(self._tracks, track),
            observed_us,
            _UNKNOWN_US if received_us is None else received_us,
            -1 if category is None else _code(self._words, category),
        )
        for column, number in zip(self._ints.values(), ints, strict=True):
            column.append(number)
        for place, value in zip(self._floats.values(), (lat, lon, alt, sog, cog, heading, accuracy), strict=True):
            place.append(value)

    def __len__(self) -> int:
        return len(self._ints["line"]) + len(self._rejects)

    def part(self, *, joined: int = 0) -> Part:
        """Return everything gathered as one part."""
        ints = {name: np.array(column, np.int64) for name, column in self._ints.items()}
        floats = {name: np.array(column, np.float64) for name, column in self._floats.items()}
        n = len(ints["line"])
        received = ints["received"]
        party = self._party
        one, nobody = np.zeros(n, np.int32), np.full(n, -1, np.int32)
        columns = {
            "track_id": coded(ints["track"], [*self._tracks]),
            "observed": pa.array(ints["observed"]).cast(INSTANT),
            "received": pa.array(received, mask=received == _UNKNOWN_US).cast(INSTANT),
            "lat_deg": pa.array(floats["lat"] + 0.0),
            "lon_deg": pa.array(floats["lon"] + 0.0),
            "feed": coded(one, [self._feed]),
            "party": coded(nobody, []) if party is None else coded(one, [party]),
            "category": coded(self._categories(ints["track"], ints["category"]), [*self._words]),
        }
        flagged = [(Flag.NULL_ISLAND, (floats["lat"] == 0) & (floats["lon"] == 0), "")]
        for name, column in _OPTIONAL.items():
            values, bad = optional_floats(name, floats[name], m1371=False)
            columns[column] = pa.array(values.astype(np.float32))
            flagged.append((Flag.BAD_OPTIONAL, bad, column))
        for (flag, detail), rows in self._doubts.items():
            mask = np.zeros(n, bool)
            mask[rows] = True
            flagged.append((flag, mask, detail))
        return Part(
            read=n + len(self._rejects),
            table=pa.table([columns[name] for name in CODED_SCHEMA.names], schema=CODED_SCHEMA),
            rejects=reject_table(sorted(self._rejects, key=lambda r: r.line)),
            flags=pa.concat_tables([FLAG_SCHEMA.empty_table(), *self._flags(flagged, ints["line"], columns)]),
            joined=joined,
        )

    def _flags(
        self,
        flagged: list[tuple[Flag, NDArray[np.bool_], str]],
        line: NDArray[np.int64],
        columns: dict[str, pa.Array],
    ) -> list[pa.Table]:
        tables = []
        for flag, mask, detail in flagged:
            rows = np.flatnonzero(mask)
            at, n = pa.array(rows), len(rows)
            file, name, about = (pa.repeat(pa.scalar(t), n) for t in (self._file, flag.value, detail))
            arrays = [
                file,
                pa.array(line[rows]),
                name,
                columns["track_id"].take(at).cast(pa.string()),
                columns["observed"].take(at),
                about,
            ]
            tables.append(pa.table(arrays, schema=FLAG_SCHEMA))
        return tables

    def _categories(self, track: NDArray[np.int64], given: NDArray[np.int64]) -> NDArray[np.int64]:
        kinds = given.copy()
        order = np.argsort(track, kind="stable")
        sorted_tracks = track[order]
        for code, said in self._declared.items():
            first, last = np.searchsorted(sorted_tracks, [code, code + 1])
            rows = order[first:last]
            since, words = np.array(said, np.int64).T
            # The declaration in force at each row; before the first, the first.
            at = np.maximum(np.searchsorted(since, rows, side="right") - 1, 0)
            kinds[rows] = np.where(kinds[rows] < 0, words[at], kinds[rows])
        return kinds


def position_reason(lat: float, lon: float) -> RejectReason | None:
    """Return why a position is none, by the rules of `cells.position_reasons`; None if it is one."""
    if isnan(lat) or isnan(lon) or lat == 91.0 or lon == 181.0:
        return RejectReason.NOT_A_POSITION
    if abs(lat) > 90.0:
        return RejectReason.BAD_LATITUDE
    return RejectReason.BAD_LONGITUDE if abs(lon) > 180.0 else None


def _code(names: dict[str, int], name: str) -> int:
    return names.setdefault(name, len(names))
