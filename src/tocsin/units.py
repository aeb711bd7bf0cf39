"""Quantities and times as people write them, into metres, seconds and microseconds UTC.

A quantity is a number and a unit ("55 km", "6 kn", "10 min", "PT10M"); a bare number is refused, since
nobody can tell metres from miles. An instant carries its offset (RFC 3339); a naive time is refused.
Only this module knows knots, feet and nautical miles. It does not know calendars: "P1M" has no length.

References
----------
SI brochure, 9th edition, table 8; 1 nautical mile = 1,852 m (1929); 1 foot = 0.3048 m (1959).
ISO 8601-1:2019 §5.5.2 (durations); RFC 3339 (instants).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from tocsin.clock import US_PER_S
from tocsin.errors import UnitError

METRES = {"m": 1.0, "km": 1_000.0, "NM": 1_852.0, "nmi": 1_852.0, "ft": 0.3048, "mi": 1_609.344}
"""Length units and their metres."""

SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0}
"""Time units and their seconds."""

METRES_PER_SECOND = {"m/s": 1.0, "mps": 1.0, "km/h": 1 / 3.6, "kn": 1_852 / 3_600, "ft/min": 0.00508}
"""Speed units and their metres per second."""

KEY_UNITS = {
    "m": METRES["m"], "km": METRES["km"], "nmi": METRES["nmi"], "ft": METRES["ft"],
    "s": 1.0, "min": 60.0, "h": 3_600.0,
    "mps": 1.0, "kn": METRES_PER_SECOND["kn"], "kmh": METRES_PER_SECOND["km/h"],
}  # fmt: skip
"""Units that may end a key (`radius_m`, `max_speed_kn`), making its bare number a quantity."""

_QUANTITY = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([A-Za-z/]+)\s*")
_ISO_DURATION = re.compile(
    r"P(?:(?P<y>\d+)Y)?(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?"
    r"(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)
_ISO_SECONDS = {"y": 31_536_000.0, "w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:)(\d\d)(?:\.(\d{1,9}))?\s?([Zz]|[+-]\d\d:?\d\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

REMEMBERED = 4_096
"""Instants whose text is remembered: what is decided in one step bears the same few, a dozen times each."""


def parse_length_m(text: object) -> float:
    """Return a length in metres.

    Parameters
    ----------
    text : str
        A number and one of the units in `METRES`, such as "55 km" or "1 NM".

    Raises
    ------
    UnitError
        For a bare number, an unknown unit, or anything that is not such a text.

    Examples
    --------
    >>> parse_length_m("55 km")
    55000.0
    >>> parse_length_m(55)
    Traceback (most recent call last):
    ...
    tocsin.errors.UnitError: found 55, expected a length with its unit, such as "55 km" (m, km, NM, nmi, ft, mi)
    """
    return _quantity(text, METRES, 'a length with its unit, such as "55 km"')


def parse_speed_mps(text: object) -> float:
    """Return a speed in metres per second; see `METRES_PER_SECOND` for the units.

    Raises
    ------
    UnitError
        For a bare number, an unknown unit, or anything that is not such a text.
    """
    return _quantity(text, METRES_PER_SECOND, 'a speed with its unit, such as "6 kn"')


def parse_duration_s(text: object) -> float:
    """Return a duration in seconds.

    Parameters
    ----------
    text : str
        "10 min", "20 s", or an ISO 8601 duration such as "PT10M" or "P30D". A year counts 365 days;
        months are refused, since their length depends on the calendar.

    Raises
    ------
    UnitError
        For a bare number, an unknown unit, months, or anything that is not such a text.

    Examples
    --------
    >>> parse_duration_s("PT1H30M"), parse_duration_s("10 min")
    (5400.0, 600.0)
    """
    if isinstance(text, str):
        match = _ISO_DURATION.fullmatch(text.strip())
        parts = {k: v for k, v in match.groupdict().items() if v is not None} if match else {}
        if parts:
            return sum(float(v) * _ISO_SECONDS[k] for k, v in parts.items())
    return _quantity(text, SECONDS, 'a duration, such as "10 min" or "PT10M"')


def parse_instant_us(text: object) -> int:
    """Return an instant in microseconds UTC.

    Parameters
    ----------
    text : str or datetime
        RFC 3339 with an offset, such as "2017-05-18T14:02:00+03:00". Digits past the microsecond are
        cut; second 60 (a leap second) becomes the last microsecond of its minute.

    Raises
    ------
    UnitError
        For a time without a zone, a date alone, or text that is no instant.

    Examples
    --------
    >>> parse_instant_us("1970-01-01T02:00:01+02:00")
    1000000
    >>> parse_instant_us("2017-05-18T14:02:00")
    Traceback (most recent call last):
    ...
    tocsin.errors.UnitError: found '2017-05-18T14:02:00', expected an instant with its offset, such as "2017-05-18T...Z"
    """
    refusal = UnitError(text, expected='an instant with its offset, such as "2017-05-18T11:02:00Z"')
    if isinstance(text, datetime):
        if text.tzinfo is None:
            raise refusal
        return (text - _EPOCH) // timedelta(microseconds=1)
    match = _INSTANT.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise refusal
    day, minutes, second, fraction, offset = match.groups()
    micros = int((fraction or "0").ljust(6, "0")[:6])
    if second == "60":
        second, micros = "59", US_PER_S - 1
    zone = "+00:00" if offset in "Zz" else offset
    try:
        whole = datetime.fromisoformat(f"{day}T{minutes}{second}{zone}").astimezone(UTC)
    except (ValueError, OverflowError) as error:  # years 1 to 9999 of UTC are all that can be written again
        raise refusal from error
    return (whole - _EPOCH) // timedelta(microseconds=1) + micros


@lru_cache(maxsize=REMEMBERED)
def format_instant(at_us: int) -> str:
    """Return an instant as RFC 3339 UTC with its microseconds, such as "2017-05-18T11:02:00.000000Z"."""
    # Not `strftime`: it takes twice the time, and writes years before 1000 with fewer than four digits.
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def format_instant_if(at_us: int | None) -> str | None:
    """Return an instant as `format_instant` does; None for None."""
    return None if at_us is None else format_instant(at_us)


def format_duration(duration_s: float) -> str:
    """Return a duration for people, such as "1 h 05 min", "12 min" or "45 s"."""
    whole = round(duration_s)
    if whole < 120:
        return f"{whole} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def format_length(length_m: float) -> str:
    """Return a length for people, such as "850 m" or "55.0 km"."""
    return f"{length_m:.0f} m" if abs(length_m) < 1_000 else f"{length_m / 1_000:.1f} km"


def _quantity(text: object, units: Mapping[str, float], expected: str) -> float:
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    if match is None or match[2] not in units:
        raise UnitError(text, expected=f"{expected} ({', '.join(units)})")
    return float(match[1]) * units[match[2]]
