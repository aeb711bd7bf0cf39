"""The watchlist: what the watch needs of one agreement version, and nothing else of it.

`compile.py` makes it from an agreement; `watch` reads it. Everything is settled: regions are polygons,
quantities are SI, times are microseconds UTC, words are checked. What an agreement declares `not_set`
yields no rule: the watch never guesses a threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import inf
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tocsin.geo.shapes import Region

CLEAR_S = 60.0
"""Seconds outside before an exit is certain, where the agreement sets none: the time that conformance monitoring of
aircraft
gives a track to recover before its state worsens (ASTM F3548); lower means more flapping at an edge."""


class Schedule(Protocol):
    """When something is in force; `schedule.py` implements it."""

    def intervals_us(self, from_us: int, to_us: int) -> NDArray[np.int64]:
        """Return the half-open intervals in force that meet [from_us, to_us).

        Returns
        -------
        ndarray, shape (k, 2), int64, microseconds UTC
            Sorted, disjoint, never touching. Not clipped to the question: the true begin and end of each
            interval, or the question's own end where there is none (`always`).
        """
        ...

    @property
    def is_always(self) -> bool:
        """True if it is in force at every instant."""
        ...


class Zone(Struct, frozen=True, kw_only=True):
    """One zone, compiled.

    Attributes
    ----------
    zone_id, kind : str
        The agreement's own words.
    clause : str
        Where it stands in the agreement, such as `zones[0]`.
    region : Region
        The closed area: its edge belongs to it.
    schedule : Schedule
        When it is in force.
    lower_m, upper_m : float
        Altitude band above the ellipsoid, closed; -inf and inf where the agreement sets none.
    applies_to : frozenset of str, or None
        Parties it binds; None means all. A track whose party nobody declared is always watched.
    exempt : frozenset of str
        Parties it does not bind.
    categories : frozenset of str, or None
        Kinds of mover it binds; None means all. A track of no declared category is always watched.
    clear_m, clear_s : float
        An exit is certain once the track has been outside, farther from the edge than this and its own accuracy, for
        this long (warn early, clear late); 0 m and `CLEAR_S` where the agreement sets neither.
    is_exemption : bool
        True for zones of kind `exempt`: being inside exempts from the others, and raises nothing itself.
    """

    zone_id: str
    kind: str
    clause: str
    region: Region
    schedule: Schedule
    lower_m: float = -inf
    upper_m: float = inf
    applies_to: frozenset[str] | None = None
    exempt: frozenset[str] = frozenset()
    categories: frozenset[str] | None = None
    clear_m: float = 0.0
    clear_s: float = CLEAR_S
    is_exemption: bool = False

    def binds(self, party: str | None) -> bool:
        """Return True if the zone is about this party; one that nobody declared is always watched."""
        bound = self.applies_to is None or party is None or party in self.applies_to
        return bound and party not in self.exempt


class Conduct(StrEnum):
    """The words for conduct that `tocsin-agreement/1` allows in a test, threshold or trigger."""

    APPROACH = "approach"
    ENTRY = "entry"
    EXIT = "exit"
    CROSSING = "crossing"
    LOITER = "loiter"
    STOPPED = "stopped"
    GAP = "gap"
    PROXIMITY = "proximity"
    BUILD_UP = "build_up"
    PROBING = "probing"
    DWELL = "dwell"
    VOID = "void"


class Rule(Struct, frozen=True, kw_only=True):
    """One rule of the watch: the conduct, the zone and the agreed numbers.

    Attributes
    ----------
    rule_id : str
        Stable and unique within the agreement, such as `guard/entry` or `guard/anchor`.
    clause : str
        Where it stands in the agreement, such as `conduct.prohibited[0]`.
    conduct : Conduct
    zone : int
        Index into `Watchlist.zones`.
    act : str or None
        Id of the prohibited act that it tests, if any.
    after_s : float
        Dwell, loiter, stopped, gap, proximity, build-up, void, probing: how long before it counts (for probing and
        build-up: the window); NaN if not used.
    lookahead_s : float
        Approach: predicted entry within this; NaN if not used.
    speed_lo_mps, speed_hi_mps : float
        Speeds between which the conduct counts, closed below and open above; 0 and inf if not agreed.
    radius_m : float
        Loiter: confined within this; proximity: closer than this; build-up: within this of each other; NaN if not used.
    count : int
        Probing: cycles; build-up, void: tracks; 0 if not used.
    by_feed : tuple of (str, float)
        Gap: feeds with a time of their own, by name, and that time in place of `after_s`.
    party, category : str or None
        Void: whose tracks count, and of which kind; None: anybody's, any.
    """

    rule_id: str
    clause: str
    conduct: Conduct
    zone: int
    act: str | None = None
    after_s: float = float("nan")
    lookahead_s: float = float("nan")
    speed_lo_mps: float = 0.0
    speed_hi_mps: float = inf
    radius_m: float = float("nan")
    count: int = 0
    by_feed: tuple[tuple[str, float], ...] = ()
    party: str | None = None
    category: str | None = None


class Watchlist(Struct, frozen=True, kw_only=True):
    """The zones and rules of one agreement version.

    Attributes
    ----------
    agreement_id : str
    version : int
    digest : bytes, length 32
        SHA-256 of the agreement's canonical form: what event ids are made from.
    in_force : Schedule
        From `effective.from` to `effective.to`; outside it nothing is raised.
    zones : sequence of Zone
    rules : sequence of Rule
        `entry`, `exit` and `crossing` exist for every zone that is no exemption; the rest as agreed.
    """

    agreement_id: str
    version: int
    digest: bytes
    in_force: Schedule
    zones: Sequence[Zone]
    rules: Sequence[Rule]
