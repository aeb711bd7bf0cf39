"""Windows: when a zone or an agreement is in force, on the time line of instants.

Implements `windows` of `tocsin-agreement/1`: `always`, weekly windows in a zone of the IANA database, and spans. Weekly
windows follow the clock on the wall across daylight-saving changes. A local time that does not exist is read with
the offset before the change, one that exists twice means the first when a window begins (RFC 5545 §3.3.5) and the
second when it ends, so that a window never turns out shorter than its words; TIM-06 reports both. Does not know
holidays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tocsin.agreement.terms.places import ALWAYS, Span, Weekday, Weekly, Window
from tocsin.agreement.terms.state import given
from tocsin.clock import US_PER_S
from tocsin.errors import AgreementError, Place

DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN

REACH_US = 9 * 86_400 * US_PER_S
"""How far past a question weekly windows are laid out: longer than any one, with its change of clock."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = date(1, 1, 3), date(9999, 12, 28)


class Recurring(Struct, frozen=True, kw_only=True):
    """One weekly window: on these days (0 is Monday), from a local minute, for so many minutes on the wall clock."""

    days: frozenset[int]
    from_min: int
    length_min: int
    zone: ZoneInfo

    def occurrences(self, first: date, last: date) -> Iterator[tuple[int, int]]:
        """Yield the half-open intervals, microseconds UTC, that begin on the local days first to last."""
        end_days, end_min = divmod(self.from_min + self.length_min, DAY_MIN)
        for ordinal in range(max(first, _FIRST).toordinal(), min(last, _LAST).toordinal() + 1):
            day = date.fromordinal(ordinal)
            if day.weekday() in self.days:
                begin = instant_us(day, self.from_min, self.zone, first=True)
                end = instant_us(day + timedelta(days=end_days), end_min, self.zone, first=False)
                if begin < end:
                    yield begin, end


class Windows(Struct, frozen=True, kw_only=True):
    """A schedule made of weekly windows and spans; implements `watchlist.Schedule`.

    Attributes
    ----------
    recurring : tuple of Recurring
    spans : tuple of (int or None, int or None)
        Half-open, microseconds UTC; None where there is no end.
    """

    recurring: tuple[Recurring, ...] = ()
    spans: tuple[tuple[int | None, int | None], ...] = ()

    @property
    def is_always(self) -> bool:
        """True if it is in force at every instant."""
        merged = _merged((_low(b), _high(e)) for b, e in self.spans)
        return _whole_week(self.recurring) or merged == [(_low(None), _high(None))]

    def intervals_us(self, from_us: int, to_us: int) -> NDArray[np.int64]:
        """Return the half-open intervals in force that meet [from_us, to_us); see `watchlist.Schedule`.

        Examples
        --------
        >>> Windows(spans=((None, None),)).intervals_us(0, 5).tolist()
        [[0, 5]]
        """
        if self.is_always:
            return np.array([[from_us, to_us]] if from_us < to_us else [], dtype=np.int64).reshape(-1, 2)
        ends = [end for span in self.spans for end in span if end is not None]
        low, high = min([from_us, *ends]) - REACH_US, max([to_us, *ends]) + REACH_US
        pieces = [(_low(b), _high(e)) for b, e in self.spans]
        for window in self.recurring:
            pieces += window.occurrences(_local_day(low, window.zone), _local_day(high, window.zone))
        found = [
            (from_us if begin == _low(None) else begin, to_us if end == _high(None) else end)
            for begin, end in _merged(pieces)
            if begin < to_us and end > from_us
        ]
        return np.array(found, dtype=np.int64).reshape(-1, 2)


ALWAYS_ON = Windows(spans=((None, None),))
"""In force at every instant."""


def schedule_of(windows: Sequence[Window], *, zone: str | None, place: Place) -> Windows:
    """Return the schedule of an agreement's windows.

    Parameters
    ----------
    windows : sequence of Window
        Empty means always: a zone that sets no window is in force as long as its agreement.
    zone : str or None
        The agreement's own zone, for weekly windows that name none.
    place : Place
        Where the windows stand.

    Raises
    ------
    AgreementError
        For a weekly window without both times or any zone, or a span that ends before it begins.
    """
    recurring, spans = [], []
    for window in windows:
        if isinstance(window, Weekly):
            recurring.append(_recurring(window, zone, place))
        elif isinstance(window, Span):
            begin, end = given(window.from_us), given(window.to_us)
            if begin is not None and end is not None and begin >= end:
                raise AgreementError("a window that ends before it begins", expected="from before to", place=place)
            spans.append((begin, end))
        elif window == ALWAYS:
            spans.append((None, None))
        else:
            raise AgreementError(f"window {window!r}", expected="always, a weekly window or a span", place=place)
    return Windows(recurring=tuple(recurring), spans=tuple(spans)) if windows else ALWAYS_ON


def instant_us(day: date, minute: int, zone: ZoneInfo, *, first: bool) -> int:
    """Return the instant of a local time of day, by the rule of this module.

    Parameters
    ----------
    day : date
    minute : int
        Minutes from midnight on the wall clock, 0 to 1439.
    zone : ZoneInfo
    first : bool
        Which instant a time that exists twice means: the first, or the second.
    """
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    if not first and fault_of(local) == "ambiguous":
        local = local.replace(fold=1)
    return (local.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def fault_of(local: datetime) -> str | None:
    """Return "ambiguous" for a local time that exists twice, "missing" for one that the clock skips, else None."""
    before, after = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
    if before is None or after is None or before == after:
        return None
    return "ambiguous" if before > after else "missing"


def _recurring(window: Weekly, zone: str | None, place: Place) -> Recurring:
    begin, end, name = given(window.from_min), given(window.to_min), given(window.zone) or zone
    if begin is None or end is None:
        raise AgreementError("a weekly window without both times", expected="from and to", place=place)
    if name is None:
        raise AgreementError("a weekly window without a zone", expected="zone, or clock.zone", place=place)
    numbers = {d: i for i, d in enumerate(Weekday)}
    days = given(window.days)
    return Recurring(
        days=frozenset(numbers[d] for d in days) if days else frozenset(range(7)),
        from_min=begin % DAY_MIN,
        length_min=(end - begin) % DAY_MIN or DAY_MIN,
        zone=ZoneInfo(name),
    )


def _whole_week(recurring: Iterable[Recurring]) -> bool:
    """Return True if windows of one zone leave no minute of the week out."""
    by_zone: dict[str, list[tuple[int, int]]] = {}
    for window in recurring:
        for day in window.days:
            begin = day * DAY_MIN + window.from_min
            laid = by_zone.setdefault(window.zone.key, [])
            laid += [(begin - WEEK_MIN, begin - WEEK_MIN + window.length_min), (begin, begin + window.length_min)]
    return any(any(begin <= 0 and end >= WEEK_MIN for begin, end in _merged(laid)) for laid in by_zone.values())


def _merged(pieces: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the union of half-open intervals: sorted, disjoint, never touching."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(pieces):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _low(end: int | None) -> int:
    return -(2**63) if end is None else end


def _high(end: int | None) -> int:
    return 2**63 - 1 if end is None else end


def _local_day(at_us: int, zone: ZoneInfo) -> date:
    try:
        return (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone).date()
    except OverflowError:
        return _FIRST if at_us < 0 else _LAST
