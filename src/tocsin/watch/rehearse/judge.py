"""Judge: which class each warning falls into, by what the track did afterwards.

Implements the table of classes of docs/guide/warning-quality.md, in its order. A warning claims that its track
enters its zone in (t, t + H]; each horizon is judged by itself. Adds nothing up; `score.py` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray

from tocsin.clock import US_PER_S
from tocsin.tracks.report import INSTANT
from tocsin.watch.rehearse.truth import NEVER, Truth, halve, signed_distances_m

PATIENCE = 1.1
"""A warning is right up to this many horizons, and one reporting interval, after it."""

EARLY_HORIZONS = 3.0
"""An entry within this many horizons after a warning makes it early, not false."""

NEAR_BANDS, NEAR_SHARE = 3.0, 0.05
"""Nearer than so many bands, or this share of the distance when warned, a track that did not enter came near."""

NONE = -1


class Class(StrEnum):
    """What became of a warning."""

    RIGHT = "right"
    """The entry came within 1.1 horizons and one reporting interval; first such warning of that entry."""
    REPEAT = "repeat"
    """As right, but that entry had been warned of."""
    EARLY = "early"
    """The entry came later than that, within 3 horizons."""
    NEAR = "near"
    """No entry, but the track came near."""
    FALSE = "false"
    """None of these."""
    CENSORED = "censored"
    """The observation of the track ended before the answer; left out."""
    GRAZE = "graze"
    """The track touched the edge without certainly entering; left out."""
    IDLE = "idle"
    """The track was inside, or had just left; left out."""


CLASSES: tuple[Class, ...] = tuple(Class)

WARNING_SCHEMA = pa.schema(
    [
        pa.field("track_id", pa.string(), nullable=False),
        pa.field("zone_id", pa.string(), nullable=False),
        pa.field("t_issued", INSTANT, nullable=False),
        pa.field("horizon_s", pa.float64(), nullable=False),
        pa.field("predicted_entry_t", INSTANT),
        pa.field("entry_lo_t", INSTANT),
        pa.field("entry_hi_t", INSTANT),
        pa.field("probability", pa.float64()),
    ]
)
"""The columns of a warnings file; the last four may be missing or null."""

NEEDED = 4
"""How many of the columns must be there."""


class Warnings(Struct, frozen=True, kw_only=True, eq=False):
    """n warnings, column by column, in any order.

    Attributes
    ----------
    track, zone : ndarray, shape (n,), int64
        Index into the tracks and the zones that they are judged by.
    at_us : ndarray, shape (n,), int64, microseconds UTC
    horizon_s : ndarray, shape (n,), float64, seconds
    probability : ndarray, shape (n,), float64, 0 to 1, NaN where not said
    lo_us, hi_us : ndarray, shape (n,), int64, microseconds UTC
        The interval said to hold the entry; NEVER where not said.
    """

    track: NDArray[np.int64]
    zone: NDArray[np.int64]
    at_us: NDArray[np.int64]
    horizon_s: NDArray[np.float64]
    probability: NDArray[np.float64]
    lo_us: NDArray[np.int64]
    hi_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.track)

    @classmethod
    def from_table(cls, table: pa.Table, *, tracks: Sequence[str], zones: Sequence[str]) -> Warnings:
        """Return the warnings of a table.

        Parameters
        ----------
        table : Table
            Columns of `WARNING_SCHEMA`; the last four may be missing.
        tracks, zones : sequence of str
            What indices mean.

        Raises
        ------
        ValueError
            If a column is missing, a value null, or a track or zone unknown.
        """
        missing = [name for name in WARNING_SCHEMA.names[:NEEDED] if name not in table.column_names]
        if missing:
            raise ValueError(
                f"found no column {', '.join(missing)}, expected {', '.join(WARNING_SCHEMA.names[:NEEDED])}"
            )
        blank = [name for name in WARNING_SCHEMA.names[:NEEDED] if table[name].null_count]
        if blank:
            raise ValueError(f"found nulls in {', '.join(blank)}, expected none")
        fields = [field for field in WARNING_SCHEMA if field.name in table.column_names]
        table = table.select([field.name for field in fields]).cast(pa.schema(fields))
        n, given = table.num_rows, set(table.column_names)

        def instants(name: str) -> NDArray[np.int64]:
            if name not in given:
                return np.full(n, NEVER)
            return np.asarray(table[name].cast(pa.int64()).fill_null(NEVER).to_numpy())

        probability = table["probability"].to_numpy() if "probability" in given else np.full(n, np.nan)
        return cls(
            track=_places(table["track_id"], tracks, "track"),
            zone=_places(table["zone_id"], zones, "zone"),
            at_us=instants("t_issued"),
            horizon_s=table["horizon_s"].to_numpy(),
            probability=np.asarray(probability, np.float64),
            lo_us=instants("entry_lo_t"),
            hi_us=instants("entry_hi_t"),
        )

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Warnings:
        """Return the warnings at these places, in this order."""
        return Warnings(**{name: getattr(self, name)[index] for name in self.__struct_fields__})


def _places(column: pa.ChunkedArray, names: Sequence[str], what: str) -> NDArray[np.int64]:
    place = {name: i for i, name in enumerate(names)}
    unknown = [name for name in column.unique().to_pylist() if name not in place]
    if unknown:
        raise ValueError(f"found a warning of {what} {unknown[0]!r}, expected one of the {len(place)} that were judged")
    return np.array([place[name] for name in column.to_pylist()], np.int64)


class Judged(Struct, frozen=True, kw_only=True, eq=False):
    """Warnings of one horizon, by time, each with its class.

    Attributes
    ----------
    warnings : Warnings
        By track, zone and time.
    verdict : ndarray, shape (n,), int64
        Index into `CLASSES`.
    entry : ndarray, shape (n,), int64
        The entry it was about, as index into `Truth.entries`: the next one within 3 horizons; NONE if there is none.
    horizon_s : float, seconds
    truth : Truth
    """

    warnings: Warnings
    verdict: NDArray[np.int64]
    entry: NDArray[np.int64]
    horizon_s: float
    truth: Truth

    def of(self, *classes: Class) -> NDArray[np.bool_]:
        """Return which warnings fell into one of some classes."""
        return np.isin(self.verdict, [CLASSES.index(name) for name in classes])

    def said(self, times: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return what the warnings that count said, and whether it came true.

        Parameters
        ----------
        times : ndarray, int64
            How often each warning counts, shape (n,), or each track, shape (tracks,).

        Returns
        -------
        said : ndarray, shape (k,), float64
            Probabilities; warnings that said none, or fell into a class that is left out, are not among them.
        came : ndarray, shape (k,), bool
        """
        times = times if len(times) == len(self.warnings) else times[self.warnings.track]
        probability = self.warnings.probability
        use = self.of(Class.RIGHT, Class.REPEAT, Class.EARLY, Class.NEAR, Class.FALSE) & ~np.isnan(probability)
        index = np.repeat(np.flatnonzero(use), times[use])
        return probability[index], self.of(Class.RIGHT, Class.REPEAT)[index]


def judge(truth: Truth, warnings: Warnings, horizon_s: float) -> Judged:
    """Return the class of every warning of one horizon.

    Parameters
    ----------
    truth : Truth
    warnings : Warnings
        Of all horizons; those of this one are judged.
    horizon_s : float, seconds

    Raises
    ------
    ValueError
        If the horizon is not positive.
    """
    if not horizon_s > 0.0:
        raise ValueError(f"found a horizon of {horizon_s} s, expected more than 0")
    own = warnings.take(warnings.horizon_s == horizon_s)
    own = own.take(np.lexsort((own.at_us, own.zone, own.track)))
    bench = _Bench(truth, horizon_s)
    verdict, entry = np.empty(len(own), np.int64), np.full(len(own), NONE)
    warned: set[int] = set()
    for i in range(len(own)):
        name, entry[i] = bench.judge(int(own.track[i]), int(own.zone[i]), int(own.at_us[i]))
        if name is Class.RIGHT:
            name = Class.REPEAT if int(entry[i]) in warned else name
            warned.add(int(entry[i]))
        verdict[i] = CLASSES.index(name)
    return Judged(warnings=own, verdict=verdict, entry=entry, horizon_s=horizon_s, truth=truth)


class _Bench:
    """Judges one warning at a time."""

    def __init__(self, truth: Truth, horizon_s: float) -> None:
        self.truth = truth
        self.patience_us = round((PATIENCE * horizon_s + truth.interval_s) * US_PER_S)
        self.early_us = round(EARLY_HORIZONS * horizon_s * US_PER_S)
        self.keys = {name: _keys(getattr(truth, name)) for name in ("entries", "risks", "grazes")}

    def judge(self, track: int, zone: int, at_us: int) -> tuple[Class, int]:
        """Return the class of a warning, a repeat told as right, and the entry it was about."""
        truth = self.truth
        segment = truth.fixes.segment_at(track, at_us)
        if segment < 0:
            return Class.CENSORED, NONE
        if (segment, zone) in truth.touched and not self._within("risks", segment, zone, at_us, at_us):
            return Class.IDLE, NONE
        entry, entry_us = self._next_entry(segment, zone, at_us)
        if entry_us <= at_us + self.patience_us:
            return Class.RIGHT, entry
        if entry_us <= at_us + self.early_us:
            return Class.EARLY, entry
        return self._without_entry(segment, zone, at_us), NONE

    def _without_entry(self, segment: int, zone: int, at_us: int) -> Class:
        """Return the class of a warning that no entry followed."""
        if self.truth.fixes.segment_us[segment, 1] < at_us + self.patience_us:
            return Class.CENSORED
        if self._within("grazes", segment, zone, at_us + 1, at_us + self.patience_us):
            return Class.GRAZE
        return Class.NEAR if self._near(zone, segment, at_us) else Class.FALSE

    def _slice(self, what: str, segment: int, zone: int) -> NDArray[np.void]:
        low, high = np.searchsorted(self.keys[what], [(segment << 32) | zone, (segment << 32) | (zone + 1)])
        rows: NDArray[np.void] = getattr(self.truth, what)[low:high]
        return rows

    def _within(self, what: str, segment: int, zone: int, from_us: int, to_us: int) -> bool:
        rows = self._slice(what, segment, zone)
        return bool(((rows["from_us"] <= to_us) & (from_us <= rows["to_us"])).any())

    def _next_entry(self, segment: int, zone: int, at_us: int) -> tuple[int, int]:
        low = int(np.searchsorted(self.keys["entries"], (segment << 32) | zone))
        rows = self._slice("entries", segment, zone)
        later = int(np.searchsorted(rows["at_us"], at_us, side="right"))
        if later == len(rows):
            return NONE, np.iinfo(np.int64).max
        return low + later, int(rows["at_us"][later])

    def _near(self, zone: int, segment: int, at_us: int) -> bool:
        """Return True if the track comes near the zone while the warning may still come true."""
        fixes = self.truth.fixes
        first, last = fixes.segment_first[segment : segment + 2]
        own_us = fixes.at_us[first:last]
        low = first + max(0, int(np.searchsorted(own_us, at_us, side="right")) - 1)
        high = first + min(len(own_us), int(np.searchsorted(own_us, at_us + self.patience_us, side="left")) + 1)
        index = np.arange(low, high)
        d_m = signed_distances_m(self.truth.atlas, zone, fixes.lat_deg[index], fixes.lon_deg[index])
        now_m = float(np.interp(at_us - own_us[0], fixes.at_us[index] - own_us[0], d_m))
        near_m = max(NEAR_BANDS * float(self.truth.eps_m[zone]), NEAR_SHARE * now_m)
        _, _, mid_us, mid_m = halve(fixes, self.truth.atlas, zone, index, d_m, low_m=-near_m, high_m=near_m)
        d_m, when_us = np.concatenate([d_m, mid_m]), np.concatenate([fixes.at_us[index], mid_us])
        while_us = (when_us > at_us) & (when_us <= at_us + self.patience_us)
        return bool((d_m[while_us] <= near_m).any())


def _keys(rows: NDArray[np.void]) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = (rows["segment"] << 32) | rows["zone"]
    return keys
