"""The clock guard: what time the ladder is told, from a monotonic clock, the wall clock and who booted when.

Implements FAULTS §2.2 rows 19 to 21: deadlines run on the monotonic clock, a step of the wall clock is noticed and said
once, and neither fires a rung twice nor skips one; a clock that drifts is followed. Across a restart on the same boot
the monotonic clock still counts; after a reboot there are only the wall clock and the last time that was written down,
and time never runs back behind that. It reads no clock itself: `clock.reading` does. Nor can it say which of two clocks
is right: it says what jumped, and `compare` says how far the feeds disagree.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tocsin.clock import US_PER_S, Reading

STEP_US = US_PER_S
"""Microseconds by which the wall clock must leave the monotonic one to count as stepped: one second.

Origin: disciplined clocks are slewed up to half a second (ntpd steps beyond 128 ms, chrony by default never); what is
smaller is followed, so a clock that drifts by 500 ppm costs nothing. It is the error that `now` may have against the
wall clock between two readings. Lower means that slews are reported as steps.
"""

DOUBT_US = 120 * US_PER_S
"""Microseconds by which `now` may differ from the newest report of a live feed: two minutes.

Origin: longer than a coastal AIS feed lags, shorter than any step that would matter to a deadline of minutes.
"""


class JumpKind(StrEnum):
    """What happened to the clock."""

    STEPPED = "stepped"
    """The wall clock was set while we ran; deadlines ran on without it."""
    AWAY = "away"
    """We were not running; so long is not accounted for by any clock that was read."""
    BEHIND = "behind"
    """After a restart the wall clock says less than what was already written down; time goes on from there."""
    DOUBTED = "doubted"
    """The feeds say another time than our clock."""


class Jump(Struct, frozen=True, kw_only=True):
    """Something that happened to the clock, to be recorded and told to whoever runs the station.

    Attributes
    ----------
    kind : JumpKind
    by_us : int
        Microseconds; positive if the wall clock, or the feeds, are ahead of what was expected.
    now_us : int
        What the ladder is told now.
    reason : str
        A sentence for people.
    """

    kind: JumpKind
    by_us: int
    now_us: int
    reason: str


class Told(Struct, frozen=True, kw_only=True):
    """What the guard last said; to be written down with every step, since a restart begins from it.

    Attributes
    ----------
    now_us : int
        Microseconds UTC.
    reading : Reading
        The clocks when it was said.
    """

    now_us: int
    reading: Reading


def tell(last: Told | None, reading: Reading) -> tuple[Told, Jump | None]:
    """Return what time it is, and what happened to the clock since the last time.

    Parameters
    ----------
    last : Told or None
        What was said last, by this process or the one before it; None at the very first start.
    reading : Reading

    Returns
    -------
    Told
        `now_us` is never less than before.
    Jump or None

    Examples
    --------
    The wall clock is set an hour ahead during two seconds: the ladder is told two.

    >>> from tocsin.clock import Reading
    >>> first, _ = tell(None, Reading(wall_us=10**15, monotonic_us=5, boot="b", process="p"))
    >>> told, jump = tell(first, Reading(wall_us=10**15 + 3_602_000_000, monotonic_us=2_000_005, boot="b", process="p"))
    >>> told.now_us - first.now_us, str(jump.kind), jump.by_us
    (2000000, 'stepped', 3600000000)
    """
    if last is None:
        return Told(now_us=reading.wall_us, reading=reading), None
    same_boot = bool(reading.boot) and reading.boot == last.reading.boot
    if not (same_boot or reading.process == last.reading.process):
        return _after_reboot(last, reading)
    passed_us = reading.monotonic_us - last.reading.monotonic_us
    slip_us = (reading.wall_us - last.reading.wall_us) - passed_us
    followed_us = slip_us if abs(slip_us) <= STEP_US else 0
    now_us = max(last.now_us, last.now_us + passed_us + followed_us)
    told = Told(now_us=now_us, reading=reading)
    if abs(slip_us) > STEP_US:
        way = "ahead" if slip_us > 0 else "back"
        reason = f"the wall clock stepped {abs(slip_us) / US_PER_S:,.1f} s {way}; deadlines run on without it"
        return told, Jump(kind=JumpKind.STEPPED, by_us=slip_us, now_us=now_us, reason=reason)
    if reading.process != last.reading.process and passed_us > STEP_US:
        reason = f"nothing ran for {passed_us / US_PER_S:,.1f} s, by a clock that went on"
        return told, Jump(kind=JumpKind.AWAY, by_us=passed_us, now_us=now_us, reason=reason)
    return told, None


def compare(told: Told, feed_us: int) -> Jump | None:
    """Return how far the newest report of a live feed contradicts what we say, or None if it does not.

    Parameters
    ----------
    told : Told
    feed_us : int
        When that report says it was observed, microseconds UTC.
    """
    by_us = feed_us - told.now_us
    if abs(by_us) <= DOUBT_US:
        return None
    way = "ahead of" if by_us > 0 else "behind"
    reason = f"the feed's newest report is {abs(by_us) / US_PER_S:,.0f} s {way} our clock; one of them is wrong"
    return Jump(kind=JumpKind.DOUBTED, by_us=by_us, now_us=told.now_us, reason=reason)


def _after_reboot(last: Told, reading: Reading) -> tuple[Told, Jump]:
    """Go on from the wall clock, but never from before what was written down."""
    by_us = reading.wall_us - last.now_us
    told = Told(now_us=max(last.now_us, reading.wall_us), reading=reading)
    if by_us < 0:
        reason = f"after a restart the wall clock is {-by_us / US_PER_S:,.1f} s behind what was written down"
        return told, Jump(kind=JumpKind.BEHIND, by_us=by_us, now_us=told.now_us, reason=reason)
    reason = f"nothing ran for {by_us / US_PER_S:,.1f} s, by a wall clock that nothing vouches for"
    return told, Jump(kind=JumpKind.AWAY, by_us=by_us, now_us=told.now_us, reason=reason)
