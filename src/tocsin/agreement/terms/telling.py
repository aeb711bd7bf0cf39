"""Telling: channels, the ladder, what ends it, what undoes it, the time it has, and how many alarms people bear.

Same rules as `model.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from msgspec import field

from tocsin.agreement.terms.state import Maybe
from tocsin.agreement.terms.types import Collected, Day, Id, InstantUs, Json, LengthM, Record, Seconds, SpeedMps, Words
from tocsin.agreement.watchlist import Conduct


class Suspension(Record, frozen=True, kw_only=True):
    """A time in which a channel was not answered, and who says so."""

    from_: Maybe[InstantUs | Day] = None
    to: Maybe[InstantUs | Day | str] = None
    source: Maybe[str] = None


class Channel(Record, frozen=True, kw_only=True):
    """One way of saying something to somebody."""

    id: Id
    kind: Maybe[str] = None
    from_: Maybe[Words] = None
    to: Maybe[Words] = None
    between: Maybe[Words] = None
    hours: Maybe[Json] = None
    backup: Maybe[str] = None
    carrier: Maybe[str] = None
    """Whose network it runs on: two channels of one carrier fail together."""
    languages: Maybe[Words] = None
    ack: Maybe[str] = None
    """Who acknowledges on it: `machine`, `human`, or `impossible`."""
    tested_s: Maybe[Seconds] = None
    last_test: Maybe[InstantUs | Day] = None
    since_us: Maybe[InstantUs] = None
    suspended: Maybe[tuple[Suspension, ...]] = None
    group_within_s: Maybe[Seconds] = None
    """Repeats to one party that fall due within this time go out together; never a first message."""


class Trigger(Record, frozen=True, kw_only=True):
    """When a level begins: on a conduct in a zone, or on the silence after another level."""

    event: Maybe[Conduct] = None
    zone: Maybe[str] = None
    with_: Maybe[Words] = None
    no_ack: Maybe[int] = None


class Repeat(Record, frozen=True, kw_only=True):
    """How often a message is said again."""

    times: Maybe[int] = None
    every_s: Maybe[Seconds] = None


class Order(StrEnum):
    """Whether the channels of a level are used at once or one after the other."""

    TOGETHER = "together"
    IN_TURN = "in_turn"
    """The next when the one before failed, or was not delivered within `turn`."""


class Alternate(Record, frozen=True, kw_only=True):
    """Another person, told when the first does not answer in time or cannot be reached."""

    for_: Maybe[str] = None
    who: Maybe[str] = None
    after_s: Maybe[Seconds] = None


class Relay(Record, frozen=True, kw_only=True):
    """A third party that is asked to pass the words on to somebody told."""

    to: Maybe[str] = None
    by: Maybe[str] = None
    within_s: Maybe[Seconds] = None
    """How soon it says that it has passed them on."""


class LadderLevel(Record, frozen=True, kw_only=True):
    """One level of the ladder: when, whom, how, in which words, and what silence leads to."""

    level: int
    name: Maybe[str] = None
    trigger: Maybe[Trigger] = None
    tell: Maybe[Words] = None
    channels: Maybe[Words] = None
    order: Maybe[Order] = None
    turn_s: Maybe[Seconds] = None
    relay: Maybe[tuple[Relay, ...]] = None
    alternates: Maybe[tuple[Alternate, ...]] = None
    text: Maybe[str] = None
    ack_within_s: Maybe[Seconds] = None
    repeat: Maybe[Repeat] = None
    ack_expires_s: Maybe[Seconds] = None
    """How long an acknowledgement counts while what was told of still stands; then the level begins again."""
    on_ack: Maybe[str] = None
    on_no_ack: Maybe[str] = None


class EndOfLadder(Record, frozen=True, kw_only=True):
    """Who is called when the last level went unanswered: a person decides, software never."""

    who: Maybe[str] = None
    ack_within_s: Maybe[Seconds] = None
    alternates: Maybe[Words] = None
    decides: Maybe[str] = None
    software: Maybe[str] = None


class BeyondLadder(Record, frozen=True, kw_only=True):
    """Steps beyond words: recorded as somebody's claims, never taken by software."""

    recorded_as_claims: Maybe[Words] = None
    software: Maybe[str] = None


class FalseAlarm(Record, frozen=True, kw_only=True):
    """What is said and kept when a warning was an error."""

    record: Maybe[bool] = None
    apology_text: Maybe[str] = None


class StandDownOf(Record, frozen=True, kw_only=True):
    """When it is over, and who is told so."""

    when: Maybe[Trigger] = None
    tell: Maybe[Words] = None
    text: Maybe[str] = None
    false_alarm: Maybe[FalseAlarm] = None


class TimeBudget(Record, frozen=True, kw_only=True):
    """The time from where a mover is first warned to where it may not be, at top speed."""

    max_speed_mps: Maybe[SpeedMps] = None
    distances_m: Annotated[Mapping[str, LengthM], Collected(r"([\w.-]+?_to_[\w.-]+?)")] = field(default_factory=dict)
    """Distance between two zones by `outer_to_guard`: the ids of the zones around the word `to`."""
    available_s: Maybe[Seconds] = None
    totals_s: Annotated[Mapping[str, Seconds], Collected(r"(level\d+_total)")] = field(default_factory=dict)
    """Time that a level takes, by `level1_total`."""
    reserve_s: Maybe[Seconds] = None


class AlarmBudget(Record, frozen=True, kw_only=True):
    """How many alarms the people who watch are to bear, and how many warnings may come to nothing (`rehearse`)."""

    operators: Maybe[int] = None
    """How many watch at a time; alarms are shared out among them. Blank is one."""
    per_hour: Maybe[int] = None
    in_ten_min: Maybe[int] = None
    false_percent: Maybe[int] = None
    """Of a hundred approach warnings, how many may be followed by no entry and no near pass."""
