"""Times as columns: text, numbers or Arrow timestamps into microseconds UTC, a whole column at once.

Takes what `units.parse_instant_us` takes (RFC 3339; second 60 becomes the last microsecond of its minute; digits
past the microsecond are cut), which the tests use as the slow twin, and offsets of whole hours as PostgreSQL writes
them. A time without a zone is read only in a stated zone; where that zone's clocks were put back or forward, a
time that happened twice or never is refused. Two-digit years and times of day without a date are never read.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray

from tocsin.clock import US_PER_S
from tocsin.tracks.formats.columns import ColumnMap
from tocsin.tracks.quality import RejectReason
from tocsin.units import parse_instant_us

EARLIEST_US = parse_instant_us("1990-01-01T00:00:00Z")
LATEST_US = parse_instant_us("2100-01-01T00:00:00Z")
"""Bounds of a plausible instant; below lie the clocks that were never set (1970, and 1980-01-06 of GPS)."""

REASONS = tuple(RejectReason)
CODE: dict[RejectReason, int] = {reason: code for code, reason in enumerate(REASONS)}
"""Reasons as small numbers, for columns of them; -1 stands for none."""
NONE = -1

_LEAP_YEAR = r"(?:[12]\d(?:0[48]|[2468][048]|[13579][26])|(?:12|16|20|24|28)00)"
_DATE = (
    rf"(?:[12]\d{{3}}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    rf"|02-(?:0[1-9]|1\d|2[0-8]))|{_LEAP_YEAR}-02-29)"
)
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?"
_OFFSET = r"(?: ?(?:Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?))"
_NAIVE = f"^{_DATE}[T ]{_CLOCK}$"
_ZONED = f"^{_DATE}[T ]{_CLOCK}{_OFFSET}$"
_MIN_CHARS = len("2017-05-18T14:02:00")
_INSTANT = pa.timestamp("us", tz="UTC")


class Times(Struct, frozen=True):
    """A column of instants.

    Attributes
    ----------
    us : ndarray, shape (n,), int64
        Microseconds UTC; 0 where there is a reason.
    reason : ndarray, shape (n,), int8
        Code of why there is no instant, or `NONE`.
    """

    us: NDArray[np.int64]
    reason: NDArray[np.int8]


def read_times(column: pa.Array, rules: ColumnMap) -> Times:
    """Return a column's instants.

    Parameters
    ----------
    column : Array
        Of strings, numbers (with a format of epochs) or timestamps; null and empty mean missing.
    rules : ColumnMap
        For its `format` and `zone`.
    """
    if pa.types.is_timestamp(column.type):
        times = _of_timestamps(column, rules.zone)
    elif rules.format in ("epoch_s", "epoch_ms"):
        times = _of_epochs(column, US_PER_S if rules.format == "epoch_s" else 1_000)
    elif not pa.types.is_string(column.type):
        times = _all(len(column), RejectReason.BAD_TIME)
    elif rules.format == "iso":
        times = _of_texts(column, rules.zone)
    else:
        times = _of_pattern(column, rules.format, rules.zone)
    if not len(times.us):
        return times
    if times.us.min() >= EARLIEST_US and times.us.max() < LATEST_US and (times.reason == NONE).all():
        return times
    plausible = (times.us >= EARLIEST_US) & (times.us < LATEST_US)
    reason = np.where((times.reason == NONE) & ~plausible, CODE[RejectReason.IMPLAUSIBLE_TIME], times.reason)
    return Times(np.where(reason == NONE, times.us, 0), reason.astype(np.int8))


def _of_timestamps(column: pa.Array, zone: str | None) -> Times:
    micros = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    if column.type.tz is not None:
        return _known(micros, RejectReason.NO_TIME)
    return _localised(micros, zone, RejectReason.NO_TIME)


def _of_epochs(column: pa.Array, unit_us: int) -> Times:
    text = pa.types.is_string(column.type)
    if text:
        trimmed = pc.utf8_trim_whitespace(column)
        missing = pc.fill_null(pc.equal(trimmed, ""), True)
        sound = pc.fill_null(pc.match_substring_regex(trimmed, r"^-?\d{1,13}(?:\.\d{1,18})?$"), False)
        column = pc.cast(pc.if_else(sound, trimmed, None), pa.float64())
    elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        missing = column.is_null(nan_is_null=True)
        column = column.cast(pa.float64(), safe=False)
    else:
        return _all(len(column), RejectReason.BAD_TIME)
    seconds = column.to_numpy(zero_copy_only=False)
    # A value past these bounds would not fit once scaled; it ends as implausible either way.
    scaled = np.clip(np.nan_to_num(seconds, nan=0.0), -9e12, 9e12) * unit_us
    reason = np.full(len(seconds), NONE, np.int8)
    reason[np.isnan(seconds)] = CODE[RejectReason.BAD_TIME]
    reason[missing.to_numpy(zero_copy_only=False)] = CODE[RejectReason.NO_TIME]
    return Times(np.rint(scaled).astype(np.int64), reason)


def _of_texts(column: pa.Array, zone: str | None) -> Times:
    quick = _quick(column, zone)
    if quick is not None:
        return quick
    text = pc.utf8_upper(pc.utf8_trim_whitespace(column))
    zoned = pc.fill_null(pc.match_substring_regex(text, _ZONED), False)
    naive = pc.fill_null(pc.match_substring_regex(text, _NAIVE), False)
    # Second 60 (a leap second) becomes the last microsecond of its minute, as in units.parse_instant_us.
    plain = pc.replace_substring_regex(text, r"(\d\d:\d\d):60(?:\.\d+)?", r"\1:59.999999")
    plain = pc.replace_substring_regex(plain, r"(\.\d{6})\d+", r"\1")
    plain = pc.replace_substring_regex(plain, r" (Z|[+-])", r"\1")
    instants = _known(pc.if_else(zoned, plain, None).cast(_INSTANT), RejectReason.BAD_TIME)
    local = _localised(pc.if_else(naive, plain, None).cast(pa.timestamp("us")), zone, RejectReason.BAD_TIME)
    is_naive = naive.to_numpy(zero_copy_only=False)
    reason = np.where(is_naive, local.reason, instants.reason)
    reason[pc.fill_null(pc.equal(text, ""), True).to_numpy(zero_copy_only=False)] = CODE[RejectReason.NO_TIME]
    return Times(np.where(is_naive, local.us, instants.us), reason.astype(np.int8))


def _quick(column: pa.Array, zone: str | None) -> Times | None:
    # Most files are regular: one cast does it. Texts shorter than a whole time (a date alone) must not slip through,
    # and with a stated zone a text with an offset makes the cast fail, as it should.
    if column.null_count or not len(column) or pc.min(pc.binary_length(column)).as_py() < _MIN_CHARS:
        return None
    try:
        if zone is None:
            return _known(column.cast(_INSTANT), RejectReason.BAD_TIME)
        return _localised(column.cast(pa.timestamp("us")), zone, RejectReason.BAD_TIME)
    except pa.ArrowInvalid:
        return None


def _of_pattern(column: pa.Array, pattern: str, zone: str | None) -> Times:
    text = pc.utf8_trim_whitespace(column)
    parsed = pc.strptime(text, format=pattern, unit="us", error_is_null=True)
    if "%z" not in pattern:
        parsed = pc.if_else(_rolled_over(text, parsed, pattern), None, parsed)
    if "%z" in pattern:
        times = _known(parsed.cast(pa.timestamp("us")), RejectReason.BAD_TIME)
    else:
        times = _localised(parsed, zone, RejectReason.BAD_TIME)
    times.reason[pc.fill_null(pc.equal(text, ""), True).to_numpy(zero_copy_only=False)] = CODE[RejectReason.NO_TIME]
    return times


def _rolled_over(text: pa.Array, parsed: pa.Array, pattern: str) -> pa.Array:
    # strptime reads 31 February as 3 March. Such dates always land on one of the first three days of a month;
    # written out again, they are another text, leading zeros aside.
    early = pc.fill_null(pc.less_equal(pc.day(parsed), 3), False)
    if not pc.any(early).as_py():
        return early
    again = pc.strftime(pc.if_else(early, parsed, None).cast(pa.timestamp("s")), format=pattern)
    differs = pc.not_equal(_without_zeros(again), _without_zeros(text))
    return pc.and_(early, pc.fill_null(differs, False))


def _without_zeros(text: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.utf8_lower(text), r"\b0+(\d)", r"\1")


def _localised(local: pa.Array, zone: str | None, if_null: RejectReason) -> Times:
    if zone is None:
        times = _known(local, if_null)
        times.reason[times.reason == NONE] = CODE[RejectReason.NAIVE_TIME]
        return times
    if zone == "UTC":
        return _known(local, if_null)
    early = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="earliest")
    late = pc.assume_timezone(local, zone, ambiguous="latest", nonexistent="latest")
    times = _known(early, if_null)
    twice_or_never = pc.fill_null(pc.not_equal(early, late), False).to_numpy(zero_copy_only=False)
    times.reason[twice_or_never] = CODE[RejectReason.AMBIGUOUS_TIME]
    return times


def _known(instants: pa.Array, if_null: RejectReason) -> Times:
    if not instants.null_count:
        return Times(instants.cast(pa.int64()).to_numpy(), np.full(len(instants), NONE, np.int8))
    us = pc.fill_null(instants.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    null = instants.is_null().to_numpy(zero_copy_only=False)
    return Times(us, np.where(null, CODE[if_null], NONE).astype(np.int8))


def _all(n: int, reason: RejectReason) -> Times:
    return Times(np.zeros(n, np.int64), np.full(n, CODE[reason], np.int8))
