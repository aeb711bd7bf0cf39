"""Visible: who may see what, as one pure decision compiled from an agreement.

Implements `routing`, `notices.*.visible_to` and `parties[].speaks_for` of `tocsin-agreement/1` (DESIGN §5, P8). Denied
unless granted; every answer has its reason. Decides for things of every room; shows nothing and hides nothing itself.
What is denied and what is not there must look alike to the asker: whoever serves sees to that.

References
----------
ASTM F3411-22a §5.4.8: positions shown to the public are blurred by 300 m or more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from math import cos, floor, radians

from msgspec import Struct, field

from tocsin.agreement.compile import ALL
from tocsin.agreement.model import Agreement
from tocsin.agreement.terms.mechanisms import Notice
from tocsin.agreement.terms.routing import RoutingGrant
from tocsin.agreement.terms.state import given
from tocsin.agreement.watchlist import Conduct
from tocsin.errors import AgreementError, AgreementErrors, Place

PUBLIC = "public"
"""Everybody: what it is granted, every asker is granted."""

LEAST_BLUR_M = 300.0
"""The least that a position is blurred by, where it is, metres; origin ASTM F3411; less would name a place."""

METRES_PER_DEGREE = 111_320.0
"""Metres in a degree of the equator: the size of blurred cells is a size, not a measurement."""


class Sort(StrEnum):
    """What kind of thing is asked for."""

    REPORT = "report"
    EVENT = "event"
    CASE = "case"
    MESSAGE = "message"
    CLAIM = "claim"
    NOTICE = "notice"
    COUNT = "count"
    ENTRY = "entry"
    """A payload of the record that is none of the others."""


class Reason(StrEnum):
    """Why a thing is seen, or not."""

    ALL = "all"
    OWN = "own"
    KIND = "kind"
    LEVEL = "level"
    SORT = "sort"
    PERIOD = "period"
    RECIPIENT = "recipient"
    """A notice for which the asker is on the list."""

    NO_GRANT = "no_grant"
    NOT_ROUTED = "not_routed"
    BEFORE_GRANT = "before_grant"
    """The thing is older than the grant, or the grant has not begun."""
    GRANT_ENDED = "grant_ended"
    TOO_FRESH = "too_fresh"
    """It is shown only after the agreed delay."""
    NOT_A_RECIPIENT = "not_a_recipient"
    """A notice whose list does not hold the asker."""


GRANTING = frozenset({Reason.ALL, Reason.OWN, Reason.KIND, Reason.LEVEL, Reason.SORT, Reason.PERIOD, Reason.RECIPIENT})
"""The reasons for which a thing is seen."""

_SORTS = {f"{sort}s": sort for sort in Sort if sort is not Sort.ENTRY} | {"record": Sort.ENTRY}
_PERIODS = {"daily_counts": "day", "monthly_counts": "month", "yearly_counts": "year"}
_OWN = frozenset({"own", "own_only", "own_vessels_only", "own_vehicles_only", "own_aircraft_only"})
_LEVEL = re.compile(r"level(\d{1,3})")


class Thing(Struct, frozen=True, kw_only=True):
    """What is asked for, as far as the decision needs it.

    Attributes
    ----------
    sort : Sort
    at_us : int
        When it happened: the report's fix, the event's time, the end of the counted period.
    party : str or None
        Whose it is: the mover's party, the notice's sender, the claim's source.
    conduct : Conduct or None
        Of an event, or of the event that began a case.
    level : int or None
        Of a case, the highest reached; of a message, its own.
    period : str or None
        Of a count: `day`, `month` or `year`.
    notice : str or None
        Of a notice: `movement` or `humanitarian`.
    consented : frozenset of str or None
        Of a notice or claim: the only parties its owner lets see it; None where the owner set no limit.
    """

    sort: Sort
    at_us: int
    party: str | None = None
    conduct: Conduct | None = None
    level: int | None = None
    period: str | None = None
    notice: str | None = None
    consented: frozenset[str] | None = None


class Decision(Struct, frozen=True, kw_only=True):
    """Whether a thing is seen, why, and how exactly.

    Attributes
    ----------
    reason : Reason
    blur_m : float
        Cells that its positions are shown in, metres; 0 for exact.
    """

    reason: Reason
    blur_m: float = 0.0

    @property
    def is_visible(self) -> bool:
        """True if the thing may be shown to the asker."""
        return self.reason in GRANTING


class Grant(Struct, frozen=True, kw_only=True):
    """What one party is granted, its words read.

    Attributes
    ----------
    sees_all, sees_own : bool
    conducts : frozenset of Conduct
        Events of these kinds, whoever moved.
    levels : frozenset of int
        Cases that reached one of these levels, and the messages of these levels.
    sorts : frozenset of Sort
        Everything of these sorts.
    periods : frozenset of str
        Counts over these periods.
    from_us, until_us : int or None
        Half-open: things of this time, asked for in this time.
    delay_s : float
    blur_m : float
    """

    sees_all: bool = False
    sees_own: bool = False
    conducts: frozenset[Conduct] = frozenset()
    levels: frozenset[int] = frozenset()
    sorts: frozenset[Sort] = frozenset()
    periods: frozenset[str] = frozenset()
    from_us: int | None = None
    until_us: int | None = None
    delay_s: float = 0.0
    blur_m: float = 0.0


class Policy(Struct, frozen=True, kw_only=True):
    """Who may see what under one agreement version.

    Attributes
    ----------
    grants : mapping of str to Grant
        By party, and `public`.
    owns : mapping of str to frozenset of str
        By party: the parties whose things are its own, itself included.
    recipients : mapping of str to frozenset of str
        By kind of notice: who may see it; a kind that is missing has no limit beyond `grants`.
    """

    grants: Mapping[str, Grant] = field(default_factory=dict)
    owns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    recipients: Mapping[str, frozenset[str]] = field(default_factory=dict)


def compile_policy(agreement: Agreement) -> Policy:
    """Return who may see what under an agreement; nobody sees anything where `routing` is not set.

    Raises
    ------
    AgreementErrors
        For a word that grants nothing known, or a blur under `LEAST_BLUR_M`.
    """
    errors: list[AgreementError] = []
    effective = given(agreement.effective)
    begin = given(effective.from_us) if effective else None
    grants = {}
    for name, told in (given(agreement.routing) or {}).items():
        place = agreement.where(f"routing.{name}")
        try:
            grants[name] = grant_of(told, begin_us=begin, place=place)
        except AgreementError as error:
            errors.append(error)
    if errors:
        raise AgreementErrors(errors)
    parties = given(agreement.parties) or ()
    notices = given(agreement.notices)
    kinds = {"movement": given(notices.movement), "humanitarian": given(notices.humanitarian)} if notices else {}
    return Policy(
        grants=grants,
        owns={p.id: frozenset((p.id, *(given(p.speaks_for) or ()))) for p in parties},
        recipients={
            kind: frozenset(names) for kind, notice in kinds.items() if (names := _recipients(notice)) is not None
        },
    )


def grant_of(told: RoutingGrant | tuple[str, ...], *, begin_us: int | None, place: Place) -> Grant:
    """Return the grant that a party's routing stands for.

    Parameters
    ----------
    told : RoutingGrant or tuple of str
        As written: words alone, or words with a time, a delay and a blur.
    begin_us : int or None
        The start of the agreement: no grant reaches back behind it.
    place : Place
        Where it stands.

    Raises
    ------
    AgreementError
        For an unknown word, or a blur under `LEAST_BLUR_M`.
    """
    grant = told if isinstance(told, RoutingGrant) else RoutingGrant(sees=told)
    conducts, levels, sorts, periods, words = set(), set(), set(), set(), set()
    for word in given(grant.sees) or ():
        level = _LEVEL.fullmatch(word)
        if word in tuple(Conduct):
            conducts.add(Conduct(word))
        elif word in _SORTS:
            sorts.add(_SORTS[word])
        elif word in _PERIODS:
            periods.add(_PERIODS[word])
        elif level:
            levels.add(int(level[1]))
        elif word == ALL or word in _OWN:
            words.add("own" if word in _OWN else ALL)
        else:
            expected = f"{ALL}, own, a conduct, levelN, {', '.join((*_SORTS, *_PERIODS))}"
            raise AgreementError(repr(word), expected=expected, place=place)
    blur = given(grant.blur_m) or 0.0
    if 0 < blur < LEAST_BLUR_M:
        raise AgreementError(f"a blur of {blur:g} m", expected=f"none, or {LEAST_BLUR_M:g} m and more", place=place)
    start = given(grant.from_us)
    return Grant(
        sees_all=ALL in words,
        sees_own="own" in words,
        conducts=frozenset(conducts),
        levels=frozenset(levels),
        sorts=frozenset(sorts),
        periods=frozenset(periods),
        from_us=begin_us if start is None else max(start, begin_us or start),
        until_us=given(grant.until_us),
        delay_s=given(grant.delay_s) or 0.0,
        blur_m=blur,
    )


def decide(policy: Policy, *, asker: str | None, thing: Thing, now_us: int) -> Decision:
    """Return whether an asker may see a thing now.

    Parameters
    ----------
    policy : Policy
    asker : str or None
        A party's id; None for somebody who is nobody's.
    thing : Thing
    now_us : int
        The time of asking.

    Notes
    -----
    The asker's own grant is tried first, then the public one; of two that let the thing be seen, the one that blurs
    less decides. A notice or claim whose owner named recipients is seen by them alone, and by its owner.
    """
    told = [
        _by_grant(policy, grant, asker if name == asker else None, thing, now_us)
        for name, grant in ((asker, policy.grants.get(asker or "")), (PUBLIC, policy.grants.get(PUBLIC)))
        if grant is not None
    ]
    if not told:
        return Decision(reason=Reason.NO_GRANT)
    seen = [d for d in told if d.is_visible]
    best = min(seen, key=lambda d: d.blur_m) if seen else told[0]
    if best.is_visible and not _may_receive(policy, asker, thing):
        return Decision(reason=Reason.NOT_A_RECIPIENT)
    return best


def seers(policy: Policy, *, thing: Thing, now_us: int) -> frozenset[str]:
    """Return the parties of an agreement that may see a thing now: its audience in the record."""
    names = set(policy.owns) | (set(policy.grants) - {PUBLIC})
    return frozenset(n for n in names if decide(policy, asker=n, thing=thing, now_us=now_us).is_visible)


def blurred(lat_deg: float, lon_deg: float, blur_m: float) -> tuple[float, float]:
    """Return the middle of the cell that a position lies in: the same for every position of the cell.

    Parameters
    ----------
    lat_deg, lon_deg : float
        Degrees WGS84.
    blur_m : float
        Size of the cells, metres; 0 returns the position itself.

    Examples
    --------
    >>> blurred(33.5061, 38.6181, 0.0)
    (33.5061, 38.6181)
    """
    if blur_m <= 0:
        return lat_deg, lon_deg
    step = blur_m / METRES_PER_DEGREE
    row = floor(lat_deg / step)
    lat = max(-90.0, min(90.0, (row + 0.5) * step))
    cells = max(1, floor(360.0 * cos(radians(lat)) / step))
    across = 360.0 / cells
    column = floor((lon_deg + 180.0) / across) % cells
    return lat, (column + 0.5) * across - 180.0


def table(policy: Policy) -> list[dict[str, str]]:
    """Return who sees what, one row a party and `public`: by sort of thing, in words."""
    rows = []
    for name, grant in sorted(policy.grants.items()):
        row = {"party": name}
        for sort in Sort:
            row[sort] = _words(grant, sort)
        if grant.blur_m:
            row["blur"] = f"{grant.blur_m:g} m"
        if grant.delay_s:
            row["delay"] = f"{grant.delay_s:g} s"
        rows.append(row)
    return rows


def _by_grant(policy: Policy, grant: Grant, asker: str | None, thing: Thing, now_us: int) -> Decision:
    begin, end = grant.from_us, grant.until_us
    if begin is not None and (thing.at_us < begin or now_us < begin):
        return Decision(reason=Reason.BEFORE_GRANT)
    if end is not None and (thing.at_us >= end or now_us >= end):
        return Decision(reason=Reason.GRANT_ENDED)
    reason = _reason(policy, grant, asker, thing)
    if reason not in GRANTING:
        return Decision(reason=reason)
    if reason is not Reason.OWN and now_us - thing.at_us < grant.delay_s * 1e6:
        return Decision(reason=Reason.TOO_FRESH)
    return Decision(reason=reason, blur_m=0.0 if reason is Reason.OWN else grant.blur_m)


def _reason(policy: Policy, grant: Grant, asker: str | None, thing: Thing) -> Reason:
    own = asker is not None and thing.party in policy.owns.get(asker, frozenset({asker}))
    begun_by = thing.conduct if thing.sort in (Sort.EVENT, Sort.CASE) else None
    level = thing.level if thing.sort in (Sort.CASE, Sort.MESSAGE) else None
    tried = (
        (Reason.OWN, own and (grant.sees_own or grant.sees_all)),
        (Reason.ALL, grant.sees_all),
        (Reason.SORT, thing.sort in grant.sorts),
        (Reason.KIND, thing.sort is Sort.EVENT and begun_by in grant.conducts),
        (Reason.LEVEL, level in grant.levels),
        (Reason.PERIOD, thing.sort is Sort.COUNT and thing.period in grant.periods),
    )
    return next((reason for reason, holds in tried if holds), Reason.NOT_ROUTED)


def _may_receive(policy: Policy, asker: str | None, thing: Thing) -> bool:
    """Return True unless a list of recipients leaves the asker out; an owner is never left out of its own."""
    if asker is not None and thing.party in policy.owns.get(asker, frozenset({asker})):
        return True
    if thing.consented is not None and asker not in thing.consented:
        return False
    listed = policy.recipients.get(thing.notice or "") if thing.sort is Sort.NOTICE else None
    return listed is None or asker in listed


def _recipients(notice: Notice | None) -> tuple[str, ...] | None:
    told = given(notice.visible_to) if notice else None
    if told is None or ALL in told:
        return None
    return told


def _words(grant: Grant, sort: Sort) -> str:
    if grant.sees_all or sort in grant.sorts:
        return "all"
    told = ["own"] if grant.sees_own else []
    if sort is Sort.EVENT:
        told += sorted(grant.conducts)
    if sort in (Sort.CASE, Sort.MESSAGE):
        told += [f"level {n}" for n in sorted(grant.levels)]
    if sort is Sort.COUNT:
        told += [f"by {period}" for period in sorted(grant.periods)]
    return ", ".join(told) or "–"
