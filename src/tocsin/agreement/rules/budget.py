"""The time budget (WRN-06): whether the words fit into the way to the zone at top speed, reckoned and measured anew.

What must fit are the levels that begin on an approach and the levels that begin on silence after them: words said
before the line is reached. A level's time is its time to acknowledge and its repeats.
"""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.agreement.extent import edge_distance_m
from tocsin.agreement.rules.check import Gap, View, state_of
from tocsin.agreement.terms.state import State, given
from tocsin.agreement.terms.telling import LadderLevel, TimeBudget
from tocsin.agreement.watchlist import Conduct
from tocsin.geo.shapes import Region
from tocsin.units import format_duration

ROUNDING_S = 60.0
"""How far a time written in the agreement may differ from the reckoned one: people write whole minutes."""

DRAWN_SHARE = 0.01
"""How far a written distance may exceed the drawn one."""


def time_budget(view: View) -> Iterator[Gap]:
    """Yield what keeps the ladder from fitting, or from being reckoned."""
    who = "The time budget"
    told = given(view.agreement.time_budget)
    if told is None:
        yield from view.need("time_budget", "The agreement", "the time from the first warning to the zone")
        return
    yield from view.need_of(told, "max_speed", who, "the top speed of those who are warned")
    if not told.distances_m:
        yield from _no_distance(view)
    levels = before_entry(view.levels)
    if not levels:
        state = view.agreement.state("ladder")
        if state is State.SET:
            unsaid = {state_of(level.trigger) for level in view.levels}
            state = next((s for s in (State.SILENT, State.NOT_SET) if s in unsaid), State.INCONSISTENT)
        yield Gap(
            state, "ladder", f"{who}: no level begins on an approach, so nothing is said before the zone is reached."
        )
    times = [level_time_s(level) for level in levels]
    for level, time in zip(levels, times, strict=True):
        if time is None:
            state = _blank_of(view, level)
            yield Gap(state, level.path, f"{who}: how long level {level.level} takes cannot be reckoned.")
    speed = given(told.max_speed_mps)
    if speed == 0:
        yield view.odd("time_budget.max_speed", f"{who}: a top speed of zero leaves no budget to reckon.")
    if speed and levels and None not in times:
        total = sum(time for time in times if time is not None)
        yield from _sums(view, told, speed, total, [v.level for v in levels])
    yield from _drawn(view, told)


def before_entry(levels: tuple[LadderLevel, ...]) -> list[LadderLevel]:
    """Return the levels that begin on an approach, and those that begin on silence after one of them."""
    numbers = {v.level for v in levels if (t := given(v.trigger)) and given(t.event) is Conduct.APPROACH}
    for _ in levels:
        numbers |= {v.level for v in levels if (t := given(v.trigger)) and given(t.no_ack) in numbers}
    return [v for v in levels if v.level in numbers]


def level_time_s(level: LadderLevel) -> float | None:
    """Return the seconds a level takes when nobody answers; None if the agreement does not say.

    Examples
    --------
    >>> from tocsin.agreement.terms.telling import Repeat
    >>> level_time_s(LadderLevel(level=1, ack_within_s=180.0, repeat=Repeat(times=2, every_s=180.0)))
    540.0
    """
    first, repeat = given(level.ack_within_s), given(level.repeat)
    if first is None or repeat is None:
        return None
    times, every = given(repeat.times), given(repeat.every_s)
    if times == 0:
        return first
    return None if times is None or every is None else first + times * every


def _no_distance(view: View) -> Iterator[Gap]:
    section = view.agreement.document.find("time_budget")[0].value
    named = (key for key in section if "_to_" in key) if isinstance(section, dict) else iter(())
    key = next(named, "ZONE_to_ZONE")
    yield from view.need(f"time_budget.{key}", "The time budget", "the distance from the first warning to the zone")


def _blank_of(view: View, level: LadderLevel) -> State:
    states = {
        view.agreement.state(f"{level.path}.{k}") for k in ("ack_within", "repeat", "repeat.times", "repeat.every")
    }
    return next((s for s in (State.SILENT, State.NOT_SET, State.DISPUTED) if s in states), State.INCONSISTENT)


def _sums(view: View, told: TimeBudget, speed_mps: float, total_s: float, levels: list[int]) -> Iterator[Gap]:
    who = "The time budget"
    reserve = given(told.reserve_s) or 0.0
    for key, distance in sorted(told.distances_m.items()):
        available = distance / speed_mps
        if total_s + reserve > available or total_s >= available:
            spare = f" with a reserve of {format_duration(reserve)}" if reserve else ""
            message = (
                f"{who}: the words before entry take {format_duration(total_s)}{spare}, and at top speed the way is"
                f" covered in {format_duration(available)} ({key.replace('_', ' ')})."
            )
            yield view.odd("time_budget", message)
        stated = given(told.available_s)
        if stated is not None and stated > available + ROUNDING_S:
            message = f"{who} states {format_duration(stated)}; the way is covered in {format_duration(available)}."
            yield view.odd("time_budget.available", message)
    by_key = {f"level{v.level}_total": level_time_s(v) for v in view.levels}
    for key, stated in sorted(told.totals_s.items()):
        reckoned = by_key.get(key)
        if reckoned is not None and stated < reckoned:
            took = format_duration(reckoned)
            message = f"{who} states {format_duration(stated)} as {key}; the level takes {took}."
            yield view.odd(f"time_budget.{key}", message)


def _drawn(view: View, told: TimeBudget) -> Iterator[Gap]:
    for key, stated in sorted(told.distances_m.items()):
        outer, _, inner = key.partition("_to_")
        for name in (outer, inner):
            if not view.knows_zone(name):
                yield view.odd(f"time_budget.{key}", f"The time budget: {name} in {key} is no zone.")
        one, other = view.regions.get(outer), view.regions.get(inner)
        if isinstance(one, Region) and isinstance(other, Region):
            drawn = edge_distance_m(one, other)
            if stated > drawn * (1 + DRAWN_SHARE):
                message = f"The time budget states {stated:.0f} m from {outer} to {inner}; drawn it is {drawn:.0f} m."
                yield view.odd(f"time_budget.{key}", message)
