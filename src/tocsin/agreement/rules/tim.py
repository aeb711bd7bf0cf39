"""TIM: time. From when, to when, what must be ready before, and who judges a deadline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tocsin.agreement.model import Duty, Renewal
from tocsin.agreement.rules.check import Gap, Severity, View, check, listed
from tocsin.agreement.schedule import DAY_MIN, fault_of
from tocsin.agreement.terms.places import Weekday, Weekly, Zone
from tocsin.agreement.terms.state import given
from tocsin.clock import US_PER_S
from tocsin.units import format_instant

LOOK_AHEAD_DAYS = 367
"""Days from its start on which an agreement's windows are tried against changes of the clock, where it names no end."""

TRIED_DAYS = 3_660
"""The most days that are tried."""


@check(
    "TIM-01",
    "start instant",
    severity=Severity.ERROR,
    keys=("effective", "effective.from"),
    fix="""
effective: {from: "2031-05-01T00:00:00Z"}
""",
)
def start(view: View) -> Iterator[Gap]:
    """Find an agreement without the instant from which it is in force."""
    yield from view.need("effective.from", "The agreement", "the instant it begins")


@check(
    "TIM-02",
    "ready before start",
    severity=Severity.ERROR,
    keys=("effective.from",),
    fix="""
effective: {from: "2031-05-01T00:00:00Z"}
channels: [{id: line, since: "2031-04-15T00:00:00Z"}]
""",
)
def ready(view: View) -> Iterator[Gap]:
    """Find zones, channels, consents and annexes that are not ready when the agreement begins."""
    effective = given(view.agreement.effective)
    begin = given(effective.from_us) if effective else None
    if begin is None:
        yield from view.need("effective.from", "The agreement", "its start, so that nothing can be ready before it")
        return
    for what, path, at in _readiness(view):
        if _us(at) > begin:
            yield view.odd(path, f"{what} is not there before the start at {format_instant(begin)[:16]}Z.")


@check(
    "TIM-03",
    "end and renewal",
    severity=Severity.ERROR,
    keys=("effective.to", "effective.renewal", "effective.renewal.by", "effective.renewal.at_least_before"),
    fix="""
effective:
  to: "2032-05-01T00:00:00Z"
  renewal: {by: written_consent, of: [north, south], at_least_before: P30D}
""",
)
def end(view: View) -> Iterator[Gap]:
    """Find an agreement without its end, or the act that renews it, whose it is, and how long before."""
    yield from view.need("effective.to", "The agreement", "the instant it ends")
    effective = given(view.agreement.effective)
    renewal = effective.renewal if effective else None
    if not isinstance(renewal, Renewal):
        yield from view.need("effective.renewal", "The agreement", "how it is renewed")
        return
    yield from view.need_of(renewal, "by", "The renewal", "the act that renews")
    yield from view.need_of(renewal, "at_least_before", "The renewal", "how long before the end")
    for name in given(renewal.of) or ():
        if not view.knows_party(name):
            yield view.odd("effective.renewal.of", f"Renewal: {name} is no party.")


@check(
    "TIM-04",
    "deadlines with a judge",
    severity=Severity.WARNING,
    keys=("duties[].owner", "duties[].by", "duties[].judge"),
    fix="""
duties:
  - {id: withdraw, what: heavy weapons out, owner: north, by: "2031-05-10", judge: joint_desk}
""",
)
def deadlines(view: View) -> Iterator[Gap]:
    """Find duties without an owner, a deadline, or a body that says whether it was met."""
    for duty in _duties(view):
        who = f"Duty {duty.id}"
        if given(duty.by) is None and given(duty.within_s) is None:
            yield from view.need_of(duty, "by", who, "its deadline")
        if not duty.path.startswith("parties"):
            yield from view.need_of(duty, "owner", who, "whose it is")
        yield from view.need_of(duty, "judge", who, "who says whether it was met")
        owner = given(duty.owner)
        if owner is not None and not view.knows_party(owner):
            yield view.odd(f"{duty.path}.owner", f"{who}: its owner {owner} is no party.")


@check(
    "TIM-05",
    "run-up period",
    severity=Severity.WARNING,
    keys=("effective.run_up",),
    fix="""
effective: {run_up: {rule: no movement forward between signature and start, from: "2031-04-02"}}
""",
)
def run_up(view: View) -> Iterator[Gap]:
    """Find an agreement without a rule for the time between signature and start."""
    yield from view.need("effective.run_up", "The agreement", "what holds between signature and start")


@check(
    "TIM-06",
    "windows well formed",
    severity=Severity.WARNING,
    keys=(
        "clock",
        "clock.zone",
        "zones[].windows",
        "zones[].windows[].from",
        "zones[].windows[].to",
        "zones[].windows[].zone",
    ),
    fix="""
clock: {zone: Asia/Damascus, canonical: UTC}
zones:
  - {id: ring, windows: [{days: [sat, sun], from: "06:00", to: "18:00", zone: Asia/Damascus}]}
""",
)
def windows(view: View) -> Iterator[Gap]:
    """Find windows without zone or end, that clocks cut short or double, and zones without any."""
    yield from view.need("clock.zone", "The clock clause", "the zone of local times")
    yield from view.need("clock.canonical", "The clock clause", "the clock that counts")
    for zone in view.zones:
        yield from view.need_of(zone, "windows", f"Zone {zone.id}", "when it is in force")
        for window in given(zone.windows) or ():
            if isinstance(window, Weekly):
                for key in ("from", "to", "zone"):
                    yield from view.need_of(window, key, f"Zone {zone.id}", f"the {key} of a weekly window")
                yield from _clock_faults(view, zone, window)


@check(
    "TIM-07",
    "order of duties",
    severity=Severity.INFORMATION,
    keys=("duties[].after",),
    fix="""
duties:
  - {id: a}
  - {id: b, after: [a]}
""",
)
def order(view: View) -> Iterator[Gap]:
    """Find duties that wait for each other, or for one that is not there."""
    duties = {duty.id: duty for duty in _duties(view)}
    for duty in duties.values():
        for name in given(duty.after) or ():
            if name not in duties:
                yield view.odd(f"{duty.path}.after", f"Duty {duty.id} waits for {name}, which is no duty.")
    for cycle in _cycles({name: given(duty.after) or () for name, duty in duties.items()}):
        yield view.odd(f"{duties[cycle[0]].path}.after", f"Duties {listed(cycle)} wait for each other.")


def _duties(view: View) -> list[Duty]:
    own = list(given(view.agreement.duties) or ())
    return sorted([*own, *(d for p in view.parties for d in given(p.duties) or ())], key=lambda d: d.id)


def _readiness(view: View) -> Iterator[tuple[str, str, int | date]]:
    for party in view.parties:
        told = given(party.consent)
        on = given(told.on) if told else None
        if on is not None:
            yield f"Consent of {party.id}", f"{party.path}.consent.on", on
    for zone in view.zones:
        at = given(zone.effective_from_us)
        if at is not None:
            yield f"Zone {zone.id}", f"{zone.path}.effective_from", at
    for channel in view.channels:
        since = given(channel.since_us)
        if since is not None:
            yield f"Channel {channel.id}", f"{channel.path}.since", since
    amendment = given(view.agreement.amendment)
    annexes = given(amendment.annexes) if amendment else None
    for annex in (given(annexes.open) if annexes else None) or ():
        by = annex.by
        if isinstance(by, int | date):
            yield f"Annex {given(annex.what) or 'without a name'}", f"{annex.path}.by", by


def _us(at: int | date) -> int:
    if isinstance(at, int):
        return at
    return int(datetime(at.year, at.month, at.day, tzinfo=UTC).timestamp()) * US_PER_S


def _clock_faults(view: View, zone: Zone, window: Weekly) -> Iterator[Gap]:
    """Yield the first day on which an end of a window is a local time that is missing or comes twice."""
    clock = given(view.agreement.clock)
    name = given(window.zone) or (given(clock.zone) if clock else None)
    effective = given(view.agreement.effective)
    begin = given(effective.from_us) if effective else None
    if name is None or begin is None:
        return
    until = given(effective.to_us) if effective else None
    first = datetime.fromtimestamp(begin // US_PER_S, UTC).date()
    last = datetime.fromtimestamp(until // US_PER_S, UTC).date() if until is not None else None
    days = frozenset(list(Weekday).index(day) for day in given(window.days) or tuple(Weekday))
    for key, minute in (("from", given(window.from_min)), ("to", given(window.to_min))):
        found = None if minute is None or minute == DAY_MIN else _first_fault(name, minute, days, first, last)
        if minute is not None and found is not None:
            day, fault = found
            how = "does not exist" if fault == "missing" else "comes twice"
            message = f"Zone {zone.id}: {key} {minute // 60:02}:{minute % 60:02} {how} on {day} in {name}."
            yield view.odd(f"{window.path}.{key}", message)


@lru_cache(maxsize=1_000)
def _first_fault(
    name: str, minute: int, days: frozenset[int], first: date, last: date | None
) -> tuple[date, str] | None:
    """Return the first of these days on which a local time is missing or comes twice, and which of the two."""
    local = ZoneInfo(name)
    tried = LOOK_AHEAD_DAYS if last is None else TRIED_DAYS
    one = timedelta(days=1)
    first, last = max(first, date.min + one), min(last or date.max, date.max - one)  # days that every zone has
    for shift in range(min((last - first).days + 1, tried)):
        day = first + timedelta(days=shift)
        at = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=local)
        fault = fault_of(at)
        if fault is not None and day.weekday() in days:
            return day, fault
    return None


def _cycles(after: dict[str, tuple[str, ...]]) -> list[list[str]]:
    """Return the sets of names that wait for each other, each sorted, found from their smallest."""
    found: list[list[str]] = []
    reach: dict[str, set[str]] = {}
    for name, waits_for in after.items():
        seen: set[str] = set()
        todo = list(waits_for)
        while todo:
            other = todo.pop()
            if other in after and other not in seen:
                seen.add(other)
                todo += after[other]
        reach[name] = seen
    for name, reached in sorted(reach.items()):
        ring = sorted(other for other in reached if name in reach.get(other, set()))
        if name in reached and ring not in found:
            found.append(ring)
    return found
