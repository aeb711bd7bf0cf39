"""Slow twins of the agreement's rules, in the plainest Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tocsin.agreement.terms.places import Span, Weekday, Weekly


def in_force_naive(windows: list[Weekly | Span], at_us: int) -> bool:
    """Ask every window of every near day, one at a time."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
    for window in windows:
        if isinstance(window, Span):
            if window.from_us <= at_us < window.to_us:
                return True
            continue
        zone = ZoneInfo(window.zone)
        near = at.astimezone(zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
        for shift in range(-3, 4):
            day = near + timedelta(days=shift)
            if list(Weekday)[day.weekday()] not in window.days:
                continue
            begin = day + timedelta(minutes=window.from_min)
            end = day + timedelta(minutes=window.to_min)
            if end <= begin:
                end += timedelta(days=1)
            if _instant(begin, zone, last=False) <= at < _instant(end, zone, last=True):
                return True
    return False


def _instant(local: datetime, zone: ZoneInfo, *, last: bool) -> datetime:
    """Both readings of a local time that exists: the first or the last; one that does not: with the offset before."""
    readings = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    real = sorted({r for r in readings if r.astimezone(zone).replace(tzinfo=None) == local})
    if not real:
        return readings[0]
    return real[-1] if last else real[0]
