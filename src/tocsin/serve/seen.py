"""What a caller sees of the station's events and cases: a view made anew, field by field, and never by taking away.

Decided by `agreement/visible.py` (P8), denied unless granted: every field that is shown is named here, so that one that
is added elsewhere stays hidden until somebody says who may see it. A party to whom a message was said sees that message
and what became of it, whatever else it is granted. The keeper sees everything. Pure; nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tocsin.agreement.visible import Decision, Policy, Reason, Sort, Thing, blurred, decide
from tocsin.agreement.watchlist import Conduct
from tocsin.serve.keys import Caller, Scope
from tocsin.station.core.entries import CONDUCT
from tocsin.units import parse_instant_us
from tocsin.watch.event import EventKind

Row = Mapping[str, Any]

EVENT_FIELDS = (
    "event_id", "kind", "standing", "revision", "agreement", "rule", "clause", "zone", "track", "other_track", "party",
    "category", "feed", "at", "known", "lat_deg", "lon_deg", "accuracy_m", "before", "after", "visit_start",
    "unobserved", "exemption", "measured",
)  # fmt: skip
"""What an event shows; a test compares them with `watch.event`."""

_EXACT = frozenset({"accuracy_m", "measured"})
"""Fields from which an exact place could be worked out: not shown where places are blurred."""

CASE_FIELDS = (
    "case_id", "agreement", "zones", "track", "party", "category", "opened", "closed", "state", "outcome", "level",
    "highest_level", "nobody_reached", "standing", "present_rung", "steps", "rungs", "mutes", "deadlines",
)  # fmt: skip
"""What a case shows to whom the agreement shows it, besides events, messages, attempts, answers and echelons."""

CASE_EVENT_FIELDS = (
    "event_id", "rule", "zone", "kind", "at", "known", "lat_deg", "lon_deg", "accuracy_m", "measured", "began_level",
    "withdrawn",
)  # fmt: skip
"""What an event within a case shows; a test compares both with `warn.case` and `warn.steps`."""

ECHELON_FIELDS = ("at", "party", "to", "what")
"""What an echelon shows of the answer that it comes from."""

TOLD_FIELDS = ("case_id", "agreement", "zones", "track", "opened", "closed", "state")
"""What a case shows to a party that was told something in it and is granted nothing else."""

_EXACTLY = Decision(reason=Reason.ALL)


def conduct_of(kind: EventKind) -> Conduct:
    """Return the routing's word for a kind of event."""
    return Conduct(CONDUCT.get(kind, kind))


def event_view(policy: Policy, caller: Caller, row: Row, *, now_us: int) -> dict[str, Any] | None:
    """Return an event as the caller sees it, or None if it does not.

    Parameters
    ----------
    policy : Policy
    caller : Caller
    row : mapping
        `Event.as_json`.
    now_us : int
        The time of asking.
    """
    thing = Thing(
        sort=Sort.EVENT,
        at_us=parse_instant_us(row["known"]),
        party=row["party"],
        conduct=conduct_of(EventKind(row["kind"])),
    )
    found = _decide(policy, caller, thing, now_us)
    if not found.is_visible:
        return None
    view = _placed(row, EVENT_FIELDS, found.blur_m)
    if found.reason is Reason.OWN:
        # Who sees its own movers alone sees the other of two by what it was told, not here.
        view["other_track"] = None
    return view


def case_view(policy: Policy, caller: Caller, row: Row, *, now_us: int) -> dict[str, Any] | None:
    """Return a case as the caller sees it, or None if it does not.

    Parameters
    ----------
    policy : Policy
    caller : Caller
    row : mapping
        `Case.as_json`.
    now_us : int
        The time of asking.
    """
    thing = Thing(
        sort=Sort.CASE,
        at_us=parse_instant_us(row["opened"]),
        party=row["party"],
        conduct=conduct_of(EventKind(row["events"][0]["kind"])) if row["events"] else None,
        level=row["highest_level"],
    )
    whole = _decide(policy, caller, thing, now_us)
    messages = [m for m in row["messages"] if _sees_message(policy, caller, row, m, now_us)]
    told = [m for m in messages if _is_own(policy, caller, m["recipient"])]
    if not whole.is_visible and not told:
        return None
    view = {name: row[name] for name in (CASE_FIELDS if whole.is_visible else TOLD_FIELDS)}
    shown = messages if whole.is_visible else told
    ids = {m["message_id"] for m in shown}
    # Who sees what was said to somebody sees what they answered.
    heard = {m["recipient"] for m in shown}
    view["events"] = list(_case_events(policy, caller, row, now_us))
    view["messages"] = shown
    view["attempts"] = [a for a in row["attempts"] if a["message"] in ids]
    view["acknowledgements"] = [
        a
        for a in row["acknowledgements"]
        if caller.scope is Scope.KEEPER or _is_own(policy, caller, a["party"]) or a["party"] in heard
    ]
    # An echelon is an answer in short: who sees the one sees the other.
    answers = {tuple(a[name] for name in ECHELON_FIELDS) for a in view["acknowledgements"]}
    view["echelons"] = [e for e in row["echelons"] if tuple(e[name] for name in ECHELON_FIELDS) in answers]
    return view


def sees_counts(policy: Policy, caller: Caller, *, now_us: int) -> bool:
    """Return True if the caller may see how many there are of everything."""
    return _decide(policy, caller, Thing(sort=Sort.COUNT, at_us=now_us), now_us).is_visible


def may_answer_for(policy: Policy, caller: Caller, party: str) -> bool:
    """Return True if the caller may answer in the name of this party: its own, or one that it speaks for."""
    return caller.scope is Scope.KEEPER or _is_own(policy, caller, party)


def may_mute(policy: Policy, caller: Caller, row: Row) -> bool:
    """Return True if the caller may mute a case that it sees: any but those about its own movers."""
    return caller.scope is Scope.KEEPER or row["party"] is None or not _is_own(policy, caller, row["party"])


def _case_events(policy: Policy, caller: Caller, row: Row, now_us: int) -> Iterable[dict[str, Any]]:
    for event in row["events"]:
        thing = Thing(
            sort=Sort.EVENT,
            at_us=parse_instant_us(event["known"]),
            party=row["party"],
            conduct=conduct_of(EventKind(event["kind"])),
        )
        found = _decide(policy, caller, thing, now_us)
        if found.is_visible:
            yield _placed(event, CASE_EVENT_FIELDS, found.blur_m)


def _sees_message(policy: Policy, caller: Caller, case: Row, message: Row, now_us: int) -> bool:
    thing = Thing(
        sort=Sort.MESSAGE, at_us=parse_instant_us(message["queued"]), party=case["party"], level=message["level"]
    )
    return _is_own(policy, caller, message["recipient"]) or _decide(policy, caller, thing, now_us).is_visible


def _decide(policy: Policy, caller: Caller, thing: Thing, now_us: int) -> Decision:
    if caller.scope is Scope.KEEPER:
        return _EXACTLY
    return decide(policy, asker=caller.party, thing=thing, now_us=now_us)


def _is_own(policy: Policy, caller: Caller, party: str) -> bool:
    own = caller.party
    return own is not None and party in policy.owns.get(own, frozenset({own}))


def _placed(row: Row, fields: Iterable[str], blur_m: float) -> dict[str, Any]:
    view = {name: row[name] for name in fields}
    if blur_m > 0:
        view = {name: value for name, value in view.items() if name not in _EXACT}
        view["lat_deg"], view["lon_deg"] = blurred(view["lat_deg"], view["lon_deg"], blur_m)
        for end in ("before", "after"):
            if view.get(end) is not None:
                lat, lon = blurred(view[end]["lat_deg"], view[end]["lon_deg"], blur_m)
                view[end] = {**view[end], "lat_deg": lat, "lon_deg": lon}
        view["blur_m"] = blur_m
    return view
