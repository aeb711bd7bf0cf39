"""Wolf: alarms that people would have borne, warnings that came to nothing, and where they came from.

An alarm is a moment at which a conduct begins a level of the ladder (levels that only silence begins are left out:
nobody answers in a rehearsal); where there is no ladder, it is an approach or an entry. The limits are the agreement's
`alarm_budget`; what it leaves blank is held to the most that people who watch
screens were found to manage. Whether a warning was right is decided in `watch/rehearse`.

References
----------
EEMUA Publication 191; ANSI/ISA-18.2: 6 alarms an hour and operator are acceptable, 12 the most a person manages, more
than 10 in ten minutes are a flood.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tocsin.agreement.model import Agreement
from tocsin.agreement.playbook import ConductTrigger, Playbook
from tocsin.agreement.terms.state import given
from tocsin.agreement.watchlist import Watchlist
from tocsin.clock import US_PER_S
from tocsin.rehearsal.warned import Stream
from tocsin.warn.case import Case
from tocsin.warn.states import Purpose
from tocsin.watch.event import Event, EventKind, Revision
from tocsin.watch.rehearse.judge import Class
from tocsin.watch.rehearse.score import COUNTED, most_in_ten_min

PER_HOUR, IN_TEN_MIN = 12, 10
"""The most alarms an operator manages in an hour, and in ten minutes (EEMUA 191)."""

FALSE_PERCENT = 50
"""Of a hundred warnings, the most that may come to nothing where the agreement does not say: half."""

CRIES = 3
"""A zone or track is a nuisance candidate from so many false warnings on; one or two say little."""

CRYING_SHARE = 0.5
"""And if at least this share of its warnings was false."""

_ALARMING = frozenset({EventKind.APPROACH, EventKind.ENTRY, EventKind.FIRST_SEEN_INSIDE, EventKind.CROSSING})


class Budget(Struct, frozen=True, kw_only=True):
    """What people who watch are to bear.

    Attributes
    ----------
    operators : int
        How many share the alarms.
    per_hour, in_ten_min : int
        The most alarms for each of them.
    false_percent : int
        Of a hundred approach warnings, the most that may be false.
    agreed : frozenset of str
        Which of these the agreement sets; the others are EEMUA 191's, or `FALSE_PERCENT`.
    """

    operators: int = 1
    per_hour: int = PER_HOUR
    in_ten_min: int = IN_TEN_MIN
    false_percent: int = FALSE_PERCENT
    agreed: frozenset[str] = frozenset()


class Burden(Struct, frozen=True, kw_only=True):
    """Alarms over the whole recording.

    Attributes
    ----------
    alarms : int
    hours : float
        From the first report to the last.
    per_operator_hour : float
    most_in_ten_min : int
        For one operator, if the alarms are shared out.
    warnings, false : int
        Approach warnings of all look-aheads that precision counts, and those that came to nothing.
    """

    alarms: int
    hours: float
    per_operator_hour: float
    most_in_ten_min: int
    warnings: int
    false: int

    @property
    def false_share(self) -> float:
        """Share of the warnings that came to nothing; 0 if there was none."""
        return self.false / self.warnings if self.warnings else 0.0


class Nuisance(Struct, frozen=True, kw_only=True):
    """A zone or a track most of whose warnings came to nothing.

    Attributes
    ----------
    zone_id, track_id : str or None
        One of them.
    warnings, false : int
    others : int
        Tracks that a zone, or zones that a track, cried wolf about.
    share : float
        Of all false warnings, how many are its.
    """

    zone_id: str | None = None
    track_id: str | None = None
    warnings: int
    false: int
    others: int
    share: float


def budget_of(agreement: Agreement) -> Budget:
    """Return the alarm budget of an agreement, blanks filled in."""
    told = given(agreement.alarm_budget)
    names = ("operators", "per_hour", "in_ten_min", "false_percent")
    agreed = {name: value for name in names if told and (value := given(getattr(told, name))) is not None}
    return Budget(**agreed, agreed=frozenset(agreed))


def burden(
    streams: Sequence[Stream], events: Sequence[Event], cases: Sequence[Case], playbook: Playbook | None, *,
    span_us: tuple[int, int], budget: Budget,
) -> Burden:  # fmt: skip
    """Return the alarms that people would have borne.

    Parameters
    ----------
    streams : sequence of Stream
    events : sequence of Event
    cases : sequence of Case
    playbook : Playbook or None
        None if there is no ladder to climb.
    span_us : tuple of int
        First and last instant of the recording.
    budget : Budget
    """
    at_us = np.sort(np.fromiter(_alarms(events, cases, playbook), np.int64))
    hours = (span_us[1] - span_us[0]) / US_PER_S / 3_600
    return Burden(
        alarms=len(at_us),
        hours=hours,
        per_operator_hour=len(at_us) / hours / budget.operators if hours else 0.0,
        most_in_ten_min=ceil(most_in_ten_min(at_us) / budget.operators),
        warnings=sum(int(s.judged.of(*COUNTED).sum()) for s in streams),
        false=sum(int(s.judged.of(Class.FALSE).sum()) for s in streams),
    )


def _alarms(events: Sequence[Event], cases: Sequence[Case], playbook: Playbook | None) -> Iterable[int]:
    if playbook is None:
        stands = (e for e in events if e.kind in _ALARMING and e.revision is not Revision.WITHDRAWN)
        return (e.known_us for e in stands if e.exemption is None)
    own = levels_of_conduct(playbook)
    rungs = (rung for case in cases for rung in case.rungs if rung.purpose is Purpose.WARNING)
    return (rung.began_us for rung in rungs if rung.level in own)


def levels_of_conduct(playbook: Playbook) -> frozenset[int]:
    """Return the levels of a ladder that a conduct begins, not silence."""
    return frozenset(v.level for v in playbook.levels if isinstance(v.trigger, ConductTrigger))


def passed(budget: Budget, borne: Burden) -> tuple[str, ...]:
    """Return a sentence for each limit that was passed; none if the budget was kept."""
    found = []
    if 100 * borne.false > budget.false_percent * borne.warnings:
        found.append(
            f"It would have cried wolf: {borne.false} of {borne.warnings} approach warnings"
            f" ({100 * borne.false_share:.0f} %) came to nothing; {_limit(budget, 'false_percent')} %."
        )
    if borne.per_operator_hour > budget.per_hour:
        found.append(
            f"Too many alarms: {borne.per_operator_hour:.1f} an hour for each of {budget.operators} on watch;"
            f" {_limit(budget, 'per_hour')}."
        )
    if borne.most_in_ten_min > budget.in_ten_min:
        found.append(
            f"A flood of alarms: {borne.most_in_ten_min} in ten minutes for one on watch;"
            f" {_limit(budget, 'in_ten_min')}."
        )
    return tuple(found)


def _limit(budget: Budget, name: str) -> str:
    whose = (
        "the agreement's alarm budget allows" if name in budget.agreed else "no alarm budget is set, and the most is"
    )
    return f"{whose} {getattr(budget, name)}"


def nuisances(streams: Sequence[Stream], watchlist: Watchlist) -> tuple[Nuisance, ...]:
    """Return the zones and tracks that cry wolf, those with the most false warnings first."""
    if not streams:  # a draft that forecasts nothing
        return ()
    rows = [_rows(stream) for stream in streams]
    zone, track, false = (np.concatenate([np.zeros(0, np.int64), *part]) for part in zip(*rows, strict=True))
    if not len(zone):
        return ()
    all_false, names = int(false.sum()), streams[0].judged.truth.fixes.tracks
    found = []
    for own, other, is_zone in ((zone, track, True), (track, zone, False)):
        for code in np.unique(own[false == 1]):
            mine = own == code
            cries = int(false[mine].sum())
            if cries < CRIES or cries < CRYING_SHARE * mine.sum():
                continue
            found.append(
                Nuisance(
                    zone_id=watchlist.zones[code].zone_id if is_zone else None,
                    track_id=None if is_zone else names[code],
                    warnings=int(mine.sum()),
                    false=cries,
                    others=len(np.unique(other[mine & (false == 1)])),
                    share=cries / all_false,
                )
            )
    return tuple(sorted(found, key=lambda n: (-n.false, n.zone_id or "", n.track_id or "")))


def _rows(stream: Stream) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return zone, track and whether it was false, of each warning that counts."""
    judged = stream.judged
    counted = judged.of(*COUNTED)
    zones = np.array(stream.zones, np.int64)[judged.warnings.zone[counted]]
    return zones, judged.warnings.track[counted], judged.of(Class.FALSE)[counted].astype(np.int64)
