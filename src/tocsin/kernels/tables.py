"""The rows of the watch's kernels: one of fixed size for a track, an episode, a zone, a rule, a finding.

Plain NumPy structured types, so that a snapshot of the state is the bytes of two arrays and a row is one or two cache
lines. Codes are small integers because a kernel has no strings; `watch` turns them into words.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[Any]
"""An array; a structured one has one of the types below."""

Row = Any
"""One row of a structured array, its fields as attributes: a type that only a kernel knows."""

NEVER = np.iinfo(np.int64).min
"""The instant that stands for "not"."""

FOREVER = np.iinfo(np.int64).max
"""The instant that never comes."""

NONE = -1
"""The index that stands for "none"."""

DONE, WANTS_ROOM, WANTS_EPISODES, WANTS_WORK, WANTS_ORDER, WANTS_COLUMNS = range(6)
"""Why a sweep stopped: all taken; `found` too small; no free episodes; scratch room too small; a report older than its
track's last fix; a column whose values do not lie one after the other."""

MEMORIES = 3
"""Averages of a track's velocity: of the last manoeuvre, of this leg, of habit (`motion.py`)."""

MOTION_FIELDS: list[Any] = [
    ("asked_us", "i8"),  # when a forecast was last made; NEVER before the first
    ("interval_s", "f4"),  # average time between fixes; 0 before the second
    ("seen_s", "f4"),  # how long the averages have been fed
    ("east_mps", "f4"),  # velocity now; NaN while unknown
    ("north_mps", "f4"),
    ("leg_s", "f4"),  # duration of a last leg not yet in the averages; 0 if it is
    ("mean_east_mps", "f4", (MEMORIES,)),
    ("mean_north_mps", "f4", (MEMORIES,)),
    ("mean_speed_mps", "f4", (MEMORIES,)),
]
"""What is known of how a track moves."""

VIGIL_FIELDS: list[Any] = [
    ("chance", "f4"),  # that the track enters within the horizon, as known at the warning
    ("time_s", "f4"),  # from the warning to the entry, and the interval that holds it 8 times in 10
    ("time_lo_s", "f4"),
    ("time_hi_s", "f4"),
    ("standing", "u1"),
    ("misses", "u1"),  # how often in a row the forecast has been clearly false
]
"""One track at one zone for one look-ahead (`vigil.py`), beside the instant at which it began."""

TRACK = np.dtype(
    [
        ("observed_us", "i8"),  # last fix; NEVER before the first
        ("lat_deg", "f8"),
        ("lon_deg", "f8"),
        ("alt_m", "f4"),
        ("speed_mps", "f4"),
        ("course_deg", "f4"),
        ("accuracy_m", "f4"),
        ("feed", "i4"),
        ("party", "i4"),  # codes of the state's lists; NONE while nobody said
        ("category", "i4"),
        ("exemption", "i4"),  # zone that exempts the last fix, or NONE
        ("episodes", "i4"),  # first of the track's episodes, or NONE
        ("quiet_speed_mps", "f4"),  # while no edge is near and the speed is not below this (if infinite, it always is),
        ("quiet_gap_us", "i8"),  # and no two fixes lie further apart than this,
        ("quiet_until_us", "i8"),  # nothing can happen before this
        ("free_south_deg", "f8"),  # a box about the last fix that no edge touches, nor ends a spell inside it by
        # straying; NaN where none is known
        ("free_north_deg", "f8"),
        ("free_west_deg", "f8"),
        ("free_east_deg", "f8"),
        ("wide_south_deg", "f4"),  # the same box before spells narrowed it; infinite while none does
        ("wide_north_deg", "f4"),
        ("wide_west_deg", "f4"),
        ("wide_east_deg", "f4"),
        *MOTION_FIELDS,
    ],
    align=True,
)
"""One track: its last fix, what need not be looked at again while it holds, and the head of its list of episodes."""

EPISODE = np.dtype(
    [
        ("began_us", "i8"),
        ("clear_us", "i8"),  # leaving: since when the track has been clear of the zone, or NEVER;
        # visit: until when its time inside has been judged
        ("lat_deg", "f8"),  # where it began
        ("lon_deg", "f8"),
        ("key", "i4"),  # zone of a visit or leaving; rule of the others
        ("next", "i4"),
        ("exemption", "i4"),  # leaving: zone that exempted the track as it left, or NONE
        ("kind", "u1"),
        ("raised", "u1"),  # 1 once its event was raised; visit: 1 while the last fix lies in the polygon
        *VIGIL_FIELDS,  # approach
    ],
    align=True,
)
"""Something that lasts: a visit to a zone, a slow spell, a silence, an approach. Unused rows form a list of their
own."""

VISIT, SPELL, SILENCE, APPROACHING, CYCLE, LEAVING, LEFT_FROM, LEFT_TO = range(1, 9)
"""Kinds of episode. A visit exists while the last fix lies in the polygon or its leaving is not certain; its
`began_us` is
NEVER while it does not count (window, altitude, party). A cycle is one approach and retreat, and `began_us` its
retreat. A
leaving is an exit that is not certain yet, with the two fixes around it."""

ZONE = np.dtype(
    [
        ("lower_m", "f8"),
        ("upper_m", "f8"),
        ("clear_us", "i8"),  # an exit is certain after this long
        ("clear_m", "f8"),  # and this far beyond the edge
        ("windows_from", "i4"),  # rows of the windows array
        ("windows_to", "i4"),
        ("rules_from", "i4"),  # rows of the rules array: spells, silences, probings
        ("rules_to", "i4"),
        ("entry", "i4"),  # rules, by their place in the watchlist
        ("exit", "i4"),
        ("crossing", "i4"),
        ("approach_from", "i4"),
        ("approach_to", "i4"),
        ("banded", "u1"),
        ("exempts", "u1"),
    ],
    align=True,
)
"""One zone: its band, its windows and where its rules stand."""

RULE = np.dtype(
    [
        ("after_us", "i8"),  # of a gap: the shortest of any feed
        ("lookahead_s", "f8"),
        ("speed_lo_mps", "f8"),
        ("speed_hi_mps", "f8"),
        ("radius_m", "f8"),
        ("zone", "i4"),
        ("place", "i4"),  # its place in the watchlist
        ("count", "i4"),
        ("code", "u1"),
    ],
    align=True,
)
"""One rule with numbers, grouped by zone; approaches stand in an array of their own."""

FOUND = np.dtype(
    [
        ("at_us", "i8"),
        ("known_us", "i8"),
        ("visit_us", "i8"),
        ("before_us", "i8"),
        ("after_us", "i8"),
        ("lat_deg", "f8"),
        ("lon_deg", "f8"),
        ("before_lat_deg", "f8"),
        ("before_lon_deg", "f8"),
        ("after_lat_deg", "f8"),
        ("after_lon_deg", "f8"),
        ("value", "f8", (8,)),  # what was measured, in the order of `MEASURED`
        ("accuracy_m", "f4"),
        ("track", "i4"),
        ("other", "i4"),  # the track it was found with, or NONE
        ("rule", "i4"),
        ("zone", "i4"),
        ("exemption", "i4"),
        ("feed", "i4"),
        ("party", "i4"),
        ("category", "i4"),
        ("code", "u1"),
        ("unobserved", "u1"),
    ],
    align=True,
)
"""One finding: an event before its words."""

(
    FIRST_SEEN_INSIDE, ENTRY, EXIT, CROSSING, APPROACH, APPROACH_ENDED, LOITER, STOPPED, GAP, GAP_ENDED,
    ZONE_BEGAN, ZONE_ENDED, PROBING, PROXIMITY, BUILDUP, DWELL, VOID, ZONE_CHANGED,
) = range(18)  # fmt: skip
"""Codes of the findings, in the order of `watch.found.KINDS`, which a test compares."""

MEASURED: dict[int, tuple[str, ...]] = {
    FIRST_SEEN_INSIDE: ("speed_mps", "alt_m"),
    ENTRY: ("speed_mps", "alt_m"),
    EXIT: ("speed_mps", "alt_m", "dwell_s"),
    CROSSING: ("speed_mps", "alt_m", "inside_s", "chord_m"),
    APPROACH: (
        "speed_mps",
        "course_deg",
        "time_to_entry_s",
        "distance_m",
        "time_to_entry_lo_s",
        "time_to_entry_hi_s",
        "probability",
    ),
    APPROACH_ENDED: ("speed_mps", "course_deg", "distance_m"),
    LOITER: ("speed_mps", "dwell_s", "threshold_s"),
    STOPPED: ("speed_mps", "dwell_s", "threshold_s"),
    GAP: ("threshold_s",),
    GAP_ENDED: ("gap_s", "threshold_s", "distance_m", "needed_mps"),
    ZONE_BEGAN: ("speed_mps", "alt_m"),
    ZONE_ENDED: ("speed_mps", "alt_m", "dwell_s"),
    PROBING: ("speed_mps", "count", "threshold_s"),
    PROXIMITY: ("separation_m", "separation_error_m", "closest_m", "cpa_m", "tcpa_s", "together_s", "threshold_s"),
    BUILDUP: ("count", "threshold_s"),
    DWELL: ("speed_mps", "dwell_s", "threshold_s"),
    VOID: ("count", "threshold_s"),
    ZONE_CHANGED: ("speed_mps", "alt_m", "dwell_s"),
}
"""What each code writes into `FOUND.value`, in order; the rest is NaN."""

LEG = np.dtype(
    [
        ("from_us", "i8"),
        ("to_us", "i8"),
        ("from_lat_deg", "f8"),
        ("from_lon_deg", "f8"),
        ("to_lat_deg", "f8"),
        ("to_lon_deg", "f8"),
        ("way_m", "f8"),  # the geodesic's length, and its course where it begins; NaN until somebody asks
        ("azimuth_deg", "f8"),
        ("from_alt_m", "f4"),
        ("to_alt_m", "f4"),
        ("speed_mps", "f4"),  # at the second fix: as reported, else by `findings.know_motion`
        ("course_deg", "f4"),
        ("accuracy_m", "f4"),  # the worse of the two
        ("own_accuracy_m", "f4"),  # the second fix's own
        ("about_mps", "f4"),  # speed from one fix to the other, to a millionth; NaN until somebody asks
        ("track", "i4"),
        ("feed", "i4"),
        ("from_feed", "i4"),  # that brought the fix before; NONE if there is none
        ("party", "i4"),
        ("category", "i4"),
        ("from_exemption", "i4"),
        ("to_exemption", "i4"),
        ("first", "u1"),  # 1 if there is no fix before
        ("knows_motion", "u1"),  # 1 once speed and course are known as well as they can be
    ],
    align=True,
)
"""The way from one fix to the next: what a report means together with the one before it."""


class Reports(NamedTuple):
    """n reports in time order, as arrays of shape (n,); words are codes of the state's lists, classes of the book's.

    `following` says which report is the same track's next, or `NONE`; it is empty if that is not known.
    """

    track: Rows
    observed_us: Rows
    lat_deg: Rows
    lon_deg: Rows
    alt_m: Rows
    speed_mps: Rows
    course_deg: Rows
    accuracy_m: Rows
    feed: Rows
    party: Rows
    category: Rows
    following: Rows


COLUMNS = [np.dtype(code) for code in ("i4", "i8", "f8", "f8", "f4", "f4", "f4", "f4", "i4", "i4", "i4", "i4")]
"""What the columns of `Reports` hold."""


class State(NamedTuple):
    """What is known of every track: rows of `tables.TRACK` and `tables.EPISODE`, and the free episodes.

    Attributes
    ----------
    free : ndarray, shape (2,), int64
        First free episode, and how many are free.
    due_us : ndarray, shape (1,), int64
        Until the watermark is past this, it tells nothing by itself; NEVER if that is not known.
    party_class, category_class, feed_class : ndarray, shape (k + 1,), int32
        Class in the book of each code; the last is the class of "nobody said".
    """

    tracks: Rows
    episodes: Rows
    free: Rows
    due_us: Rows
    party_class: Rows
    category_class: Rows
    feed_class: Rows


class Book(NamedTuple):
    """The agreement as arrays: `tables.ZONE` and `tables.RULE` rows, windows, and whom each zone binds.

    Attributes
    ----------
    zones, rules, approaches : ndarray of ZONE, RULE, RULE
        Rules stand together by zone.
    windows_us : ndarray, shape (k, 2), int64
    binds : ndarray, shape (parties, categories, zones), uint8
        By class of party and class of category: 1 if the zone is about such a mover (for an exemption: if it exempts
        it).
    silent_us : ndarray, shape (feeds, rules), int64
        By class of the feed that brought a track's last fix: after how long each gap rule calls it silent.
    unobserved_us : ndarray, shape (feeds, zones), int64
        By the same: a longer step to the next fix leaves what lies between unobserved.
    gap_us : int
        The shortest agreed silence; `FOREVER` without such a rule.
    horizon_s : float
        How far ahead an approach must be looked for: the longest look-ahead with its patience; 0 without such a rule.
    soonest_s : float
        The shortest such look-ahead, with its patience.
    ask_us : int
        For how long a forecast is kept while fixes come.
    """

    zones: Rows
    rules: Rows
    approaches: Rows
    windows_us: Rows
    binds: Rows
    silent_us: Rows
    unobserved_us: Rows
    gap_us: int
    horizon_s: float
    soonest_s: float
    ask_us: int


class Work(NamedTuple):
    """Scratch room of one sweep, allocated once; all but `leg`, `track`, `ways` and `fan_of` of one length.

    Attributes
    ----------
    leg : ndarray, shape (1,), LEG
    track : ndarray, shape (1,), TRACK
        The track as it will be, its motion learnt.
    zones : ndarray, int32
        Zones that hold the new fix.
    flip_zone, flip_s : ndarray, int32 and float64
        Edges crossed on the way.
    left : ndarray, int32
        The track's visits, as zones or episodes.
    ahead_zone, ahead_s : ndarray, int32 and float64
        Edges that one predicted way crosses.
    fan_zone, fan_m : ndarray, int32 and float64, the latter with one column a direction
        Zones that a fan of ways meets, and how far each is.
    fan_of : ndarray, shape (zones,), int32
        Where in `fan_zone` a zone stands, if it stands there.
    rays : forecast.sight.Rays, held
        The fan's ways themselves.
    route_m, passages : ndarray, float64 and `forecast.routes.PASSAGE`, one column and one row a passage
        How far along each earlier passage they are, and the passages.
    ways : ndarray, float64
        How one zone is met, as `forecast.weigh_ways` writes it.
    own_s, s, what : ndarray, float64, float64 and int64
        One zone's crossings, and everything that changes on its way.
    span, by : ndarray, shape (m, 2), float64 and int64
    """

    leg: Rows
    track: Rows
    zones: Rows
    flip_zone: Rows
    flip_s: Rows
    left: Rows
    ahead_zone: Rows
    ahead_s: Rows
    fan_zone: Rows
    fan_m: Rows
    fan_of: Rows
    rays: Any
    route_m: Rows
    passages: Rows
    ways: Rows
    own_s: Rows
    s: Rows
    what: Rows
    span: Rows
    by: Rows


class Desk(NamedTuple):
    """All that a sweep works with beside the reports: `State`, the atlas, the routes, `Book` and `Work`, each held."""

    state: Any
    atlas: Any
    routes: Any
    book: Any
    work: Any
