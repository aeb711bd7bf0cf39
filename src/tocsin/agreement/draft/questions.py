"""Questions: what a drafter is asked, in the order of the file; each names the checks that stay open without it.

One row a key. A row of a list (`zones[].kind`) is asked for every member, and a row with a condition only where the
question arises: nobody is asked the altitude of a zone on land. The why of a question is the why of its checks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import Struct

from tocsin.agreement.model import Consent
from tocsin.agreement.rules.geo import CIVIL_KINDS, LINE_KINDS
from tocsin.agreement.rules.par import NON_PARTY, THIRD_ROLES
from tocsin.agreement.terms.places import Domain
from tocsin.agreement.watchlist import Conduct

Told: TypeAlias = dict[str, Any]
"""What has been answered so far, as JSON; a blank is absent."""

When: TypeAlias = Callable[[Told, Told], bool]
"""Whether a question arises: of everything answered so far, and of the list member it is about."""


class Question(Struct, frozen=True, kw_only=True):
    """One question.

    Attributes
    ----------
    path : str
        The key that it fills; `[]` stands for each member of a list.
    codes : tuple of str
        The checks that speak while it is not set; none for what may stay open.
    ask : str
        In words; `{who}` is the member's id.
    example : str
        An answer, as YAML.
    is_list : bool
        True if the answer is the ids (or numbers) of a list, whose members are asked about next.
    when : callable
    """

    path: str
    codes: tuple[str, ...]
    ask: str
    example: str
    is_list: bool = False
    when: When = lambda told, member: True


def _q(path: str, codes: str, ask: str, example: str, when: When | None = None, *, ids: bool = False) -> Question:
    always: When = lambda told, member: True  # noqa: E731
    return Question(path=path, codes=tuple(codes.split()), ask=ask, example=example, is_list=ids, when=when or always)


def _consent(member: Told) -> str | None:
    told = member.get("consent")
    return told.get("state") if isinstance(told, dict) else None


def _armed(told: Told, member: Told) -> bool:
    return told.get("armed") is not False


def _through_another(told: Told, member: Told) -> bool:
    spoken_for = {name for party in told["parties"] for name in _list(party.get("speaks_for"))}
    proxy = member.get("kind") != NON_PARTY and _consent(member) in (Consent.VIA, Consent.NONE)
    return proxy and member["id"] not in spoken_for


def _third(told: Told, member: Told) -> bool:
    return _armed(told, member) and member.get("role") in THIRD_ROLES


def _exempts(member: Told) -> bool:
    return member.get("kind") == "exempt"


def _in(domain: Domain) -> When:
    return lambda told, member: domain in _list(member.get("domains")) and not _exempts(member)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _circle(told: Told, member: Told) -> bool:
    shape = member.get("geometry")
    return isinstance(shape, dict) and isinstance(shape.get("circle"), dict) and "if_moved" not in shape["circle"]


def _binding(told: Told, member: Told) -> bool:
    return not _exempts(member)


def _zones(told: Told) -> list[Told]:
    return [zone for zone in _list(told.get("zones")) if not _exempts(zone)]


def _not_zoned(domain: Domain) -> When:
    """Ask about a domain only where zones are drawn and none of them is in it."""
    return lambda told, member: (
        bool(told.get("zones")) and not any(domain in _list(zone.get("domains")) for zone in _zones(told))
    )


def _lines(told: Told, member: Told) -> bool:
    return any(zone.get("kind") in LINE_KINDS for zone in _zones(told))


def _on_land(told: Told, member: Told) -> bool:
    return any(Domain.LAND in _list(zone.get("domains")) for zone in _zones(told))


def _untested(event: Conduct) -> When:
    """Ask for the numbers of a conduct unless the test of an act has named it."""

    def asks(told: Told, member: Told) -> bool:
        acts = _list(told.get("conduct", {}).get("prohibited"))
        return not any(act.get("test", {}).get("event") == event for act in acts)

    return asks


def _keeps_forces(told: Told, member: Told) -> bool:
    return _armed(told, member) and member.get("kind") in ("stand_off", *LINE_KINDS)


def _two_way(told: Told, member: Told) -> bool:
    return "between" in member


def _one_way(told: Told, member: Told) -> bool:
    return "between" not in member


HEAD = (
    _q("title", "", "What is the agreement called?", "Stand-off zone around the North Valley dam"),
    _q("author", "AMD-01", "Who writes this text?", "joint panel secretariat"),
    _q("armed", "", "Do any of the parties bear arms?", "true"),
    _q("effective.from", "TIM-01 TIM-02", "From which instant is it in force?", '"2031-05-01T00:00:00Z"'),
    _q("effective.to", "TIM-03", "Until which instant?", '"2032-05-01T00:00:00Z"'),
    _q(
        "effective.renewal", "TIM-03", "Which act renews it, whose is it, and how long before the end?",
        "{by: written_consent, of: [north, south], at_least_before: P30D}",
    ),
    _q(
        "effective.run_up", "TIM-05", "What holds between signature and start?",
        "{rule: no movement forward}",
    ),
    _q("clock.zone", "TIM-06", "In which time zone are its local times?", "Asia/Damascus"),
    _q("clock.canonical", "TIM-06", "Which clock counts?", "UTC"),
    _q("languages.authentic", "AMD-04", "In which languages is the text authentic?", "[en, ar]"),
    _q("languages.warning_texts", "WRN-05", "In which languages are people warned?", "[en, ar]"),
    _q("geojson", "", "Which GeoJSON file beside this one draws its lines and points?", "zones.geojson"),
)  # fmt: skip

PARTIES = (
    _q("parties", "PAR-01 PAR-07", "Who are the parties, and who else is bound? One short id each.", "[north, south]",
       ids=True),
    _q("parties[].name", "PAR-01", "What is {who} called?", "Northern Command"),
    _q("parties[].kind", "", "What is {who}? (`non_party`: bound from outside the agreement)", "state"),
    _q(
        "parties[].role", "PAR-07", "Has {who} the role of guarantor, mediator, chair, observer or witness?",
        "guarantor", _armed,
    ),
    _q(
        "parties[].duties", "PAR-07", "What does {who} owe in that role, and by when?",
        "[{id: relay, what: pass warnings on, within: PT10M, judge: joint_desk}]", _third,
    ),
    _q(
        "parties[].consent", "PAR-02 PAR-03", "How does {who} stand to the agreement, and what shows it?",
        '{state: signed, on: "2031-04-02"}',
    ),
    _q("parties[].speaks_for", "", "For whom does {who} speak?", "[militia]"),
    _q(
        "parties[].answers_to", "PAR-04", "To whom does {who} answer, and how certain is that?",
        "{party: north, certainty: known}", _through_another,
    ),
    _q(
        "parties[].bound_by", "PAR-03", "{who} does not consent. What else binds it?", "notice to mariners 118/31",
        lambda told, member: member.get("kind") == NON_PARTY and _consent(member) == Consent.NONE,
    ),
    _q("excluded_groups.groups", "PAR-05", "Which groups stand outside? [] if none.", "[]", _armed),
    _q("excluded_groups.change", "PAR-05", "How does that list change?", "written consent of all signatories", _armed),
)  # fmt: skip

PLACES = (
    _q("sites", "", "Which fixed places are protected or lived in? One short id each.", "[garrison, camp]", ids=True),
    _q("sites[].name", "", "What is {who} called?", "Rukban camp"),
    _q("sites[].kind", "", "What is {who}? (such as civilian, hospital, water)", "civilian"),
    _q("sites[].feature", "GEO-08", "Which feature of the GeoJSON draws {who}?", "camp"),
    _q("sites[].protected_by", "", "Which party protects {who}?", "north"),
    _q(
        "sites[].access", "", "Who may reach {who}, and how?", "{by: aid_cell, through: access_road}",
        lambda told, member: member.get("kind") in CIVIL_KINDS,
    ),
    _q("zones", "GEO-01", "Which zones are there? One short id each.", "[ring, outer]", ids=True),
    _q("zones[].name", "", "What is zone {who} called?", "stand-off ring"),
    _q(
        "zones[].kind", "", "What kind is zone {who}? (stand_off, separation, limitation, protection, warning, no_fly,"
        " exempt)", "stand_off",
    ),
    _q(
        "zones[].geometry", "GEO-01", "What is the shape of zone {who}?",
        "{circle: {centre: {lat_deg: 33.506, lon_deg: 38.618}, radius: 55 km}}",
    ),
    _q(
        "zones[].geometry.circle.if_moved", "GEO-06", "What happens to zone {who} when its centre moves?",
        "new_version", _circle,
    ),
    _q("zones[].uncertainty", "GEO-02", "How well is the edge of zone {who} known?", "50 m"),
    _q("zones[].domains", "GEO-04", "Is zone {who} on land, at sea, on the seabed, in the air?", "[land]"),
    _q(
        "zones[].altitude", "GEO-05", "From which height to which does zone {who} reach, counted from what?",
        "{floor: 0 m, ceiling: 3000 m, datum: hae}", _in(Domain.AIR),
    ),
    _q("zones[].depth", "GEO-05", "To which depth does zone {who} reach?", "{to: 2000 m}", _in(Domain.SEABED)),
    _q(
        "zones[].classes", "PAR-08 GEO-05", "Which classes of movers does zone {who} concern, civil ones included?",
        "all",
    ),
    _q("zones[].applies_to", "", "Which parties does zone {who} concern?", "all"),
    _q("zones[].exempt", "", "Which parties are exempt from zone {who}?", "[north]", _binding),
    _q("zones[].windows", "TIM-06", "When is zone {who} in force?", "[always]"),
    _q(
        "zones[].precedence", "", "Where zones overlap, which goes before? The number of zone {who}.", "1",
        lambda told, member: len(told["zones"]) > 1,
    ),
    _q("zones[].marked", "", "How is zone {who} marked on the ground?", "signs on the road", _binding),
    _q("zones[].charted", "GEO-09", "On which chart or notice does zone {who} stand?", "true",
       lambda told, member: not _exempts(member) and "marked" not in member),
    _q("zones[].clip", "GEO-11", "Does zone {who} end at a border?", "{note: ends at the border}", _binding),
    _q(
        "zones[].local_forces", "PAR-06", "Who may bear arms inside zone {who}, and who vets that list?",
        "{roster: annex A, vetted_by: joint_desk}", _keeps_forces,
    ),
    _q(
        "zones[].reconnaissance", "CON-06", "May zone {who} be watched by drones or from the air?",
        "by notice to the joint desk only", lambda told, member: _armed(told, member) and not _exempts(member),
    ),
    *(
        _q(f"domains_out.{domain}", "GEO-04", f"No zone covers the {domain}. Is it left out on purpose?",
           "not_applicable", _not_zoned(domain))
        for domain in (Domain.LAND, Domain.SEA, Domain.AIR)
    ),
    _q("status_quo.as_of", "GEO-10", "Of which day is the status quo?", '"2031-04-02"', _lines),
    _q("status_quo.map", "GEO-10", "On which map does it stand?", "annex B", _lines),
)  # fmt: skip

CONDUCT = (
    _q("conduct.prohibited", "CON-01", "Which acts are prohibited? One short id each.", "[enter, stay]", ids=True),
    _q("conduct.prohibited[].what", "", "What is the act {who}, in words?", "going into the ring"),
    _q(
        "conduct.prohibited[].test", "CON-01", "How does a machine tell the act {who}?",
        "{event: entry, zone: ring}",
    ),
    _q("conduct.permitted", "CON-02", "What stays permitted?", "[rescue, medical evacuation, fire fighting, repair]"),
    _q("conduct.thresholds.approach", "CON-03", "From when on is it an approach?", "{predicted_entry_within: PT20M}",
       _untested(Conduct.APPROACH)),
    _q("conduct.thresholds.loiter", "CON-03", "From when on is it loitering?", "{for: PT1H, speed_below: 2 kn}",
       _untested(Conduct.LOITER)),
    _q("conduct.thresholds.gap", "CON-03", "After how long is a mover silent?", "{after: PT20M}",
       _untested(Conduct.GAP)),
    _q(
        "conduct.thresholds.build_up", "CON-03", "How many, how near, for how long are a build-up?",
        "{count: 4, within: 2 km, for: PT2H}", _untested(Conduct.BUILD_UP),
    ),
    _q(
        "conduct.works", "CON-04", "Are works and fortification inside allowed?", "{inside: none, by_notice: true}",
        _on_land,
    ),
    _q(
        "conduct.weapons", "CON-05", "Which weapons stay how far away, and from where?",
        "[{class: artillery, min_distance: 70 km, from: garrison}]", _armed,
    ),
    _q(
        "conduct.self_defence", "CON-07", "What does self-defence mean, and what is owed when it is claimed?",
        "{definition: as in the Charter, reporting: {within: PT1H}, channel_first: true}", _armed,
    ),
    _q("conduct.menacing", "CON-08", "Which menacing acts are reported?", "[aiming, fire-control radar]", _armed),
    _q("duties", "", "What is owed by a day? One short id each.", "[withdraw]", ids=True),
    _q("duties[].what", "", "What is the duty {who}?", "heavy weapons out"),
    _q("duties[].owner", "TIM-04", "Whose duty is {who}?", "north"),
    _q("duties[].by", "TIM-04", "By when is {who} due?", '"2031-05-10"'),
    _q("duties[].judge", "TIM-04", "Who says whether {who} was met?", "joint_desk"),
    _q("duties[].after", "", "Which duties come before {who}?", "[]"),
    *(
        _q(f"notices.movement.{key}", codes, ask, example)
        for key, codes, ask, example in (
            ("required_for", "NOT-01", "Who announces movements beforehand?", "[north, south]"),
            ("content", "NOT-01", "What stands in such a notice?", "[vehicles, route, from, to]"),
            ("lead", "NOT-01", "How long before is it given?", "PT24H"),
            ("short_notice", "NOT-04", "May it be later, and what does it then need?",
             "{allowed: true, min: PT1H, reason_required: true}"),
            ("receipt_within", "NOT-02", "Within what time is receipt confirmed?", "PT15M"),
            ("passed_to", "NOT-02 NOT-05", "To which units is it passed on?", "[watch]"),
            ("passed_within", "NOT-02", "Within what time is it passed on?", "PT30M"),
            ("read_within", "NOT-02", "Within what time has the unit read it?", "PT60M"),
            ("change_or_cancel", "NOT-04", "How is a notice changed or cancelled?", "same_form"),
            ("ack_is_permission", "NOT-03", "Is an acknowledgement permission? It never is: say so.", "false"),
            ("visible_to", "NOT-06", "Who may see a notice?", "[watch]"),
            ("keep_for", "NOT-06", "How long is it kept?", "P1Y"),
        )
    ),
)  # fmt: skip

WARNING = (
    _q("channels", "COM-01 WRN-02 WRN-03 WRN-09", "Which ways of speaking are there? One short id each.",
       "[radio, line, mail]", ids=True),
    _q("channels[].kind", "WRN-03", "What kind is channel {who}?", "radio"),
    _q("channels[].between", "", "Between which parties does {who} run? (not set: it runs one way)", "[north, south]"),
    _q("channels[].to", "COM-01", "Whom does {who} reach? (`vehicle`, `vessel`: the one who moves)", "vehicle",
       _one_way),
    _q("channels[].hours", "COM-01", "In which hours is {who} answered?", "always", _two_way),
    _q("channels[].backup", "", "Which channel stands in when {who} fails?", "mail", _two_way),
    _q("channels[].carrier", "", "On whose network does {who} run?", "satellite"),
    _q("channels[].tested", "WRN-09", "How often is {who} tested?", "PT24H"),
    _q("ladder", "WRN-01 WRN-02 WRN-03 WRN-04 WRN-06", "How many levels of words are there? Their numbers.", "[1, 2]",
       ids=True),
    _q("ladder[].trigger", "WRN-01", "On what does {who} begin?", "{event: approach, zone: ring}"),
    _q("ladder[].tell", "WRN-01", "Whom does {who} tell?", "[vehicle, north]"),
    _q("ladder[].channels", "WRN-01 WRN-03", "By which channels does {who} speak? Two that cannot fail together.",
       "[radio, line]"),
    _q("ladder[].text", "WRN-05", "Which text does {who} say? Its id.", "T1"),
    _q("ladder[].ack_within", "WRN-04", "How long does {who} wait for an answer?", "PT3M"),
    _q("ladder[].repeat", "WRN-04", "How often does {who} say it again?", "{times: 2, every: PT3M}"),
    _q("ladder[].on_ack", "", "What follows an answer to {who}?", "watch"),
    _q("ladder[].on_no_ack", "WRN-04", "What follows when nobody answers {who}? (`next`: the next level)", "next"),
    _q("end_of_ladder.who", "", "Which person is called when the last level went unanswered?", "duty officer"),
    _q("stand_down.when", "WRN-07", "When is the matter over?", "{event: exit, zone: outer}"),
    _q("stand_down.tell", "WRN-07", "Who is told that it is over?", "[vehicle, north]"),
    _q("stand_down.text", "", "In which text? Its id.", "clear"),
    _q("stand_down.false_alarm", "WRN-07", "What is said when a warning was an error?",
       "{record: true, apology_text: sorry}"),
    _q("texts", "WRN-05", "The fixed words of each text, in each language.",
       '{T1: {en: "Zone ahead, please keep clear.", ar: "…"}}'),
    _q("time_budget", "WRN-06", "How fast do the warned move, and how far is it from the first warning to the zone?",
       "{max_speed: 80 km/h, outer_to_ring: 15 km}"),
)  # fmt: skip

AFTERWARDS = (
    _q("routing", "REC-02", "Which party sees what?",
       "{joint_desk: all, north: [entry, approach], public: monthly_counts}"),
    *(
        _q(path, codes, ask, example)
        for path, codes, ask, example in (
            ("verification.body", "VER-01", "Which body observes?", "joint desk with one observer of each party"),
            ("verification.mandate", "", "What is it there for?", "to see, count and report"),
            ("verification.sources", "VER-05", "With which feeds?", "[ais, radar]"),
            ("verification.data_owner", "VER-05", "Who owns the data?", "joint_desk"),
            ("verification.access", "VER-02 VER-03", "Where may it go, and what is a refusal?",
             "{on_request: true, freedom_of_movement: true, refusal_is_incident: true}"),
            ("verification.baseline", "VER-04", "Against which inventory or survey does it compare?", "annex B"),
            ("verification.inspection_every", "VER-03", "How often does it inspect?", "P15D"),
            ("verification.unannounced_visits", "VER-07", "May a visit come unannounced?", "true"),
            ("verification.reports", "VER-06", "To whom does it report, and how often?",
             "{to: [north, south], every: P7D, public: false}"),
            ("incidents.report_within", "INC-01", "Within what time does each side report?", "PT6H"),
            ("incidents.form", "INC-01", "On which form?", "tocsin-incident/1"),
            ("incidents.channel_first", "INC-05", "Is the channel tried before any reply?", "true"),
            ("incidents.joint_inquiry", "INC-02", "Who inquires jointly, from when, until when?",
             "{members: [north, south], convene_within: P2D, finish_within: P14D}"),
            ("incidents.evidence", "INC-03", "How long is evidence kept, and how does it change hands?",
             "{hold_for: P2Y, hand_over: copies to every member, hash: SHA-256 in the record}"),
            ("incidents.unknown_attribution_allowed", "INC-04", "May it stay unknown who did it?", "true"),
            ("incidents.before_public_blame", "INC-07", "How long do the sides wait before public blame?", "P3D"),
        )
    ),
    _q("incidents.humanitarian_harm", "INC-06", "What is owed when protected people are harmed?",
       "{follow_up_within: P1D, data: shared with the aid cell}", _armed),
    *(
        _q(path, codes, ask, example)
        for path, codes, ask, example in (
            ("disputes.body", "DIS-01", "Which body decides disputes?", "joint commission"),
            ("disputes.members", "", "Who sits in it?", "[north, south]"),
            ("disputes.quorum", "DIS-01", "How many must be there?", "2"),
            ("disputes.decision", "DIS-01", "How does it decide?", "consensus"),
            ("disputes.tie", "DIS-02", "What happens in a tie?", "the chair decides"),
            ("disputes.chair", "DIS-02", "Who is in the chair?", "joint_desk"),
            ("disputes.consequences", "DIS-03", "What follows a breach, from small to large?",
             "[question, written warning, loss of an exemption]"),
            ("disputes.side_documents", "DIS-04", "Which side documents are there, or none?", "none"),
            ("amendment.procedure", "AMD-01", "Who approves the next version, and how?", "written, all signatories"),
            ("amendment.annexes", "AMD-02", "Who changes maps and lists, with what notice?",
             "{who: joint panel, notice: P14D}"),
            ("amendment.review_every", "AMD-03", "How often is the agreement looked at again?", "P1Y"),
            ("amendment.prevailing_language", "AMD-04", "Which language prevails?", "all equal"),
            ("exit.notice", "EXT-01", "How long before does a party say that it leaves?", "P60D"),
            ("exit.partial", "EXT-01", "May a part be suspended?", "false"),
            ("exit.channels_suspendable", "COM-02", "May one side suspend a channel alone?", "false"),
            ("exit.channels_survive", "COM-02 EXT-02", "How long do the channels outlive the agreement?", "P90D"),
            ("exit.data_survives", "EXT-02", "How long do the data outlive it?", "P5Y"),
            ("exit.on_lapse", "EXT-03", "Who is told when the term runs out?", "all, on every channel"),
            ("orders.issued_by", "COM-03", "Who orders it to the ranks?", "[north, south]"),
            ("orders.confirmed_to", "COM-03", "To whom is the order confirmed?", "[joint_desk]"),
            ("orders.within", "COM-03", "By when?", "PT48H"),
            ("record.keeper", "REC-01", "Who keeps the log?", "one log per signatory"),
            ("record.tamper_evident", "REC-01", "Can a change of the log be proved?", "true"),
            ("record.clock_source", "REC-01", "By which clock is it kept?", "UTC by GNSS"),
            ("record.witnesses", "", "Which parties' nodes remember the log, by which keys?",
             "[{party: north, key: not_set}, {party: south, key: not_set}]"),
            ("record.visible_to", "REC-02", "Who may read it?", "routing"),
            ("record.keep_for", "", "How long is it kept?", "P5Y"),
            ("record.publish_text", "COM-04", "Is the text published to those it binds?", "true"),
        )
    ),
)  # fmt: skip

QUESTIONS: tuple[Question, ...] = (*HEAD, *PARTIES, *PLACES, *CONDUCT, *WARNING, *AFTERWARDS)
"""Every question, in the order in which they are asked."""
