"""Conduct: what is prohibited, what is permitted, and the numbers at which a conduct counts.

Same rules as `model.py`.
"""

from __future__ import annotations

from tocsin.agreement.terms.state import Maybe
from tocsin.agreement.terms.types import Id, Json, LengthM, Record, Seconds, SpeedMps, Words
from tocsin.agreement.watchlist import Conduct


class GapOfFeed(Record, frozen=True, kw_only=True):
    """After how long one feed's movers are silent: a time, or so many missed reports of one expected this often."""

    feed: Maybe[str] = None
    after_s: Maybe[Seconds] = None
    every_s: Maybe[Seconds] = None
    missed: Maybe[int] = None


class ActTest(Record, frozen=True, kw_only=True):
    """How the watch tests a prohibited act: a conduct, a zone and numbers."""

    event: Conduct
    zone: Maybe[str] = None
    speed_below_mps: Maybe[SpeedMps] = None
    speed_above_mps: Maybe[SpeedMps] = None
    speed_between_mps: Maybe[tuple[SpeedMps, SpeedMps]] = None
    for_s: Maybe[Seconds] = None
    after_s: Maybe[Seconds] = None
    by_source: Maybe[tuple[GapOfFeed, ...]] = None
    within_m: Maybe[LengthM] = None
    predicted_entry_within_s: Maybe[Seconds] = None
    count: Maybe[int] = None


class Act(Record, frozen=True, kw_only=True):
    """One prohibited act: words for people, and a test or an observer."""

    id: Id
    what: Maybe[str] = None
    test: Maybe[ActTest] = None
    observer: Maybe[str] = None
    human_confirms: Maybe[bool] = None


class ApproachThreshold(Record, frozen=True, kw_only=True):
    """Predicted entry within this, and between these speeds."""

    predicted_entry_within_s: Maybe[Seconds] = None
    speed_below_mps: Maybe[SpeedMps] = None
    speed_above_mps: Maybe[SpeedMps] = None
    zone: Maybe[Words] = None


class LoiterThreshold(Record, frozen=True, kw_only=True):
    """Slow, or confined within a radius, for this long; `stopped` has the same form."""

    for_s: Maybe[Seconds] = None
    speed_below_mps: Maybe[SpeedMps] = None
    within_m: Maybe[LengthM] = None
    zone: Maybe[Words] = None


class DwellThreshold(Record, frozen=True, kw_only=True):
    """Inside for this long, at any speed."""

    for_s: Maybe[Seconds] = None
    zone: Maybe[Words] = None


class GapThreshold(Record, frozen=True, kw_only=True):
    """Silent for longer than this, or than what is agreed for the feed that brought the last report."""

    after_s: Maybe[Seconds] = None
    by_source: Maybe[tuple[GapOfFeed, ...]] = None
    zone: Maybe[Words] = None


class ProximityThreshold(Record, frozen=True, kw_only=True):
    """Two movers closer than this for this long."""

    two_vessels_within_m: Maybe[LengthM] = None
    within_m: Maybe[LengthM] = None
    for_s: Maybe[Seconds] = None
    zone: Maybe[Words] = None


class BuildUpThreshold(Record, frozen=True, kw_only=True):
    """So many movers within this of each other over this window."""

    vessels: Maybe[int] = None
    count: Maybe[int] = None
    within_m: Maybe[LengthM] = None
    for_s: Maybe[Seconds] = None
    zone: Maybe[Words] = None


class VoidThreshold(Record, frozen=True, kw_only=True):
    """Fewer movers than this, of a party and a category if it names them, where there were as many, for this long."""

    vessels: Maybe[int] = None
    count: Maybe[int] = None
    for_s: Maybe[Seconds] = None
    party: Maybe[str] = None
    category: Maybe[str] = None
    zone: Maybe[Words] = None


class ProbingThreshold(Record, frozen=True, kw_only=True):
    """So many approaches and retreats within this window."""

    count: Maybe[int] = None
    window_s: Maybe[Seconds] = None
    zone: Maybe[Words] = None


class Thresholds(Record, frozen=True, kw_only=True):
    """The numbers at which a conduct counts."""

    approach: Maybe[ApproachThreshold] = None
    dwell: Maybe[DwellThreshold] = None
    loiter: Maybe[LoiterThreshold] = None
    stopped: Maybe[LoiterThreshold] = None
    gap: Maybe[GapThreshold] = None
    proximity: Maybe[ProximityThreshold] = None
    build_up: Maybe[BuildUpThreshold] = None
    void: Maybe[VoidThreshold] = None
    probing: Maybe[ProbingThreshold] = None


class Weapons(Record, frozen=True, kw_only=True):
    """A class of weapons and how far it stays away, from where."""

    class_: Maybe[str] = None
    min_distance_m: Maybe[LengthM] = None
    from_: Maybe[str] = None


class SelfDefence(Record, frozen=True, kw_only=True):
    """What the parties call self-defence, and what they owe when they claim it."""

    definition: Maybe[str] = None
    claimed_by: Maybe[Words] = None
    reporting: Maybe[Json] = None
    channel_first: Maybe[bool] = None


class ConductTerms(Record, frozen=True, kw_only=True):
    """What is prohibited, what is permitted, and from which number on."""

    prohibited: Maybe[tuple[Act, ...]] = None
    permitted: Maybe[Words] = None
    thresholds: Maybe[Thresholds] = None
    weapons: Maybe[tuple[Weapons, ...]] = None
    works: Maybe[Json] = None
    reconnaissance: Maybe[Json] = None
    menacing: Maybe[Words] = None
    self_defence: Maybe[SelfDefence] = None
