"""The agreement's records about people and procedure: notices, verification, incidents, disputes, change, exit, log.

Same rules as `model.py`, which holds the terms that are watched and warned.
"""

from __future__ import annotations

from tocsin.agreement.terms.state import Maybe
from tocsin.agreement.terms.types import Day, InstantUs, Json, Record, Seconds, Words


class ShortNotice(Record, frozen=True, kw_only=True):
    """Whether a notice may be later than its lead time, and what it then needs."""

    allowed: Maybe[bool] = None
    min_s: Maybe[Seconds] = None
    reason_required: Maybe[bool] = None


class Excursions(Record, frozen=True, kw_only=True):
    """By how much a notified mover may leave its route or area before it is a finding."""

    single_s: Maybe[Seconds] = None
    per_hour: Maybe[int] = None
    inside_percent: Maybe[float] = None
    recover_s: Maybe[Seconds] = None


class Notice(Record, frozen=True, kw_only=True):
    """A notice: who gives it, what stands in it, how long before, and its three receipts. It is never leave."""

    required_for: Maybe[Words] = None
    content: Maybe[Words] = None
    form: Maybe[str] = None
    lead_s: Maybe[Seconds] = None
    short_notice: Maybe[ShortNotice] = None
    receipt_within_s: Maybe[Seconds] = None
    passed_to: Maybe[Words] = None
    passed_within_s: Maybe[Seconds] = None
    read_within_s: Maybe[Seconds] = None
    change_or_cancel: Maybe[str] = None
    ack_is_permission: Maybe[bool] = None
    visible_to: Maybe[Words] = None
    keep_for_s: Maybe[Seconds] = None
    expires_after_s: Maybe[Seconds] = None
    excursions: Maybe[Excursions] = None


class Notices(Record, frozen=True, kw_only=True):
    """Notices of movements and of humanitarian sites and movements."""

    movement: Maybe[Notice] = None
    humanitarian: Maybe[Notice] = None


class Access(Record, frozen=True, kw_only=True):
    """Where the observers may go."""

    on_request: Maybe[bool] = None
    freedom_of_movement: Maybe[bool] = None
    refusal_is_incident: Maybe[bool] = None


class Reports(Record, frozen=True, kw_only=True):
    """Reports of the observers: to whom, how often, and whether others may read them."""

    to: Maybe[Words] = None
    every_s: Maybe[Seconds] = None
    public: Maybe[bool] = None


class Verification(Record, frozen=True, kw_only=True):
    """Who looks, with what, where, how often, and against which baseline."""

    body: Maybe[str] = None
    mandate: Maybe[str] = None
    sources: Maybe[Words] = None
    data_owner: Maybe[str] = None
    gaps: Maybe[str] = None
    contradictions: Maybe[str] = None
    access: Maybe[Access] = None
    baseline: Maybe[str] = None
    inspection_every_s: Maybe[Seconds] = None
    unannounced_visits: Maybe[bool] = None
    reports: Maybe[Reports] = None


class JointInquiry(Record, frozen=True, kw_only=True):
    """An inquiry by both sides: who, when it meets, when it is done, and where it may go."""

    convene_within_s: Maybe[Seconds] = None
    finish_within_s: Maybe[Seconds] = None
    members: Maybe[Words] = None
    access: Maybe[Json] = None


class Evidence(Record, frozen=True, kw_only=True):
    """How long evidence is kept, and how it changes hands."""

    hold_for_s: Maybe[Seconds] = None
    hand_over: Maybe[str] = None
    hash: Maybe[str] = None


class HumanitarianHarm(Record, frozen=True, kw_only=True):
    """What is owed when people under protection were harmed."""

    follow_up_within_s: Maybe[Seconds] = None
    data: Maybe[Json] = None


class Incidents(Record, frozen=True, kw_only=True):
    """What happens after something happened."""

    report_within_s: Maybe[Seconds] = None
    form: Maybe[str] = None
    channel_first: Maybe[bool] = None
    joint_inquiry: Maybe[JointInquiry] = None
    evidence: Maybe[Evidence] = None
    unknown_attribution_allowed: Maybe[bool] = None
    before_public_blame_s: Maybe[Seconds] = None
    humanitarian_harm: Maybe[HumanitarianHarm] = None


class Disputes(Record, frozen=True, kw_only=True):
    """Who decides, how, and what follows."""

    body: Maybe[str] = None
    members: Maybe[Words] = None
    quorum: Maybe[int] = None
    decision: Maybe[str] = None
    tie: Maybe[str] = None
    chair: Maybe[str] = None
    consequences: Maybe[Words] = None
    side_documents: Maybe[Words] = None


class OpenAnnex(Record, frozen=True, kw_only=True):
    """An annex still to be written, and by when."""

    what: Maybe[str] = None
    by: Maybe[InstantUs | Day] = None


class Annexes(Record, frozen=True, kw_only=True):
    """Who changes the technical annexes, with what notice, and which are still open."""

    who: Maybe[str] = None
    notice_s: Maybe[Seconds] = None
    open: Maybe[tuple[OpenAnnex, ...]] = None


class Amendment(Record, frozen=True, kw_only=True):
    """How the agreement changes, when it is looked at again, and which language prevails."""

    procedure: Maybe[str] = None
    annexes: Maybe[Annexes] = None
    review_every_s: Maybe[Seconds] = None
    prevailing_language: Maybe[str] = None


class Exit(Record, frozen=True, kw_only=True):
    """How a party leaves or suspends, and what outlives that."""

    notice_s: Maybe[Seconds] = None
    partial: Maybe[bool] = None
    channels_suspendable: Maybe[bool] = None
    channels_survive_s: Maybe[Seconds] = None
    data_survives_s: Maybe[Seconds] = None
    on_lapse: Maybe[str] = None


class Orders(Record, frozen=True, kw_only=True):
    """The order to the ranks: who issues it, who confirms it, and by when."""

    issued_by: Maybe[Words] = None
    confirmed_to: Maybe[Words] = None
    within_s: Maybe[Seconds] = None


class WitnessOf(Record, frozen=True, kw_only=True):
    """A party's node that remembers the log: its key, as a C2SP vkey, and where it answers."""

    party: str
    key: Maybe[str] = None
    url: Maybe[str] = None


class RecordKeeping(Record, frozen=True, kw_only=True):
    """Who keeps the log, who witnesses it, what proves it unchanged, by which clock, and who reads it."""

    keeper: Maybe[str] = None
    tamper_evident: Maybe[bool] = None
    clock_source: Maybe[str] = None
    visible_to: Maybe[Words] = None
    keep_for_s: Maybe[Seconds] = None
    publish_text: Maybe[bool] = None
    log_keys: Maybe[Words] = None
    """Vkeys of the logs kept under this agreement."""
    witnesses: Maybe[tuple[WitnessOf, ...]] = None
    quorum: Maybe[int] = None
    """How many of the witnesses must have seen a tree before it counts as witnessed; all of them where it is blank."""
