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


def may_see_naive(told: dict[str, object], asker: str | None, thing: dict[str, object], now_us: int) -> bool:
    """Read the agreement as JSON and ask one question after the other, the way a person would."""
    owns = {p["id"]: {p["id"], *p.get("speaks_for", [])} for p in told["parties"]}
    mine = asker is not None and thing["party"] in owns.get(asker, {asker})
    if not mine:
        if thing["consented"] is not None and asker not in thing["consented"]:
            return False
        notice = told["notices"].get(thing["notice"]) if thing["sort"] == "notice" else None
        if notice and "all" not in notice["visible_to"] and asker not in notice["visible_to"]:
            return False
    for name in (asker, "public"):
        grant = told["routing"].get(name)
        if grant is None:
            continue
        grant = grant if isinstance(grant, dict) else {"sees": grant}
        words = [grant["sees"]] if isinstance(grant["sees"], str) else grant["sees"]
        begin = max(told["from_us"], grant.get("from_us", 0))
        if min(thing["at_us"], now_us) < begin or max(thing["at_us"], now_us) >= grant.get("until_us", 2**62):
            continue
        if mine and name == asker and {"all", "own", "own_vessels_only"} & set(words):
            return True
        if now_us < thing["at_us"] + grant.get("delay_s", 0) * 1_000_000:
            continue
        wanted = {"all", "record" if thing["sort"] == "entry" else f"{thing['sort']}s"}
        if thing["sort"] == "event":
            wanted.add(thing["conduct"])
        if thing["sort"] in ("case", "message"):
            wanted.add(f"level{thing['level']}")
        if thing["sort"] == "count" and thing["period"]:
            wanted.add({"day": "daily", "month": "monthly", "year": "yearly"}[thing["period"]] + "_counts")
        if wanted & set(words):
            return True
    return False
