"""PAR: the parties. Who is named, who consents, who speaks for whom, and who is left out."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator

from tocsin.agreement.compile import ALL, MOVER_WORDS
from tocsin.agreement.custody import LOG_KEY_TYPES, is_vkey
from tocsin.agreement.model import Consent, Party
from tocsin.agreement.rules.check import Gap, Severity, View, check, listed, state_of
from tocsin.agreement.terms.state import Blank, State, given

NON_PARTY = "non_party"
"""The kind of those whom something else than consent binds."""

THIRD_ROLES = ("guarantor", "mediator", "chair", "observer", "witness")
"""Roles of a third party."""

MILITARY_CLASSES = frozenset({"military", "naval", "armed", "armed_group", "warship", "military_aircraft"})
"""Classes of movers that are not civil traffic."""

LOOKALIKE_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK")
"""Scripts whose letters are taken for each other."""

_EVIDENCE = {
    Consent.SIGNED: (("on", "source"),),
    Consent.ACCEPTED: (("on", "source"),),
    Consent.DECLARED: (("by",), ("source",)),
    Consent.VIA: (("by",),),
}


@check(
    "PAR-01",
    "canonical party names",
    severity=Severity.ERROR,
    keys=("parties", "parties[].id", "parties[].name"),
    fix="""
parties:
  - {id: north, name: Northern Command, aliases: [NC]}
""",
)
def canonical_names(view: View) -> Iterator[Gap]:
    """Find ids, names and aliases that could mean two parties, and look-alike letters."""
    yield from view.need("parties", "The agreement", "the list of parties")
    owners: dict[str, set[str]] = defaultdict(set)
    shown: dict[str, str] = {}
    seen: set[str] = set()
    for party in view.parties:
        if party.id in seen:
            yield view.odd(party.path, f"Two parties have the id {party.id}, so no act can be put down to one of them.")
        seen.add(party.id)
        yield from view.need_of(party, "name", f"Party {party.id}", "its name")
        for name in {party.id, given(party.name) or party.id, *(given(party.aliases) or ())}:
            owners[folded(name)].add(party.id)
            shown.setdefault(folded(name), name)
            shown[folded(name)] = min(shown[folded(name)], name)
            if _mixes_scripts(name):
                yield view.odd(
                    party.path, f"Party {party.id}: the name {name!r} mixes letters of two alphabets in one word."
                )
    by_id = {p.id: p for p in view.parties}
    for key, ids in owners.items():
        if len(ids) > 1:
            shared = [p for p in view.parties if p.id in ids]
            names = listed([p.id for p in shared])
            yield view.odd(
                by_id[shared[0].id].path, f"The name {shown[key]!r} stands for more than one party: {names}."
            )


@check(
    "PAR-02",
    "consent per party",
    severity=Severity.ERROR,
    keys=("parties[].consent", "parties[].consent.state", "parties[].consent.on", "parties[].consent.by"),
    fix="""
parties:
  - {id: north, consent: {state: signed, on: "2031-04-02", source: S1}}
""",
)
def consent(view: View) -> Iterator[Gap]:
    """Find parties whose consent is missing, disputed, rejected, or without evidence, and keys not their own."""
    held = Counter(key for party in view.parties if (key := given(party.key)))
    for party in view.parties:
        who = f"Party {party.id}"
        told = given(party.consent)
        path = f"{party.path}.consent"
        key = given(party.key)
        if key is not None and not is_vkey(key, LOG_KEY_TYPES):
            yield view.odd(f"{party.path}.key", f"{who}: its key is none by which it could sign.")
        elif key is not None and held[key] > 1:
            yield view.odd(f"{party.path}.key", f"{who}: its key is another party's too, so no signature is one's own.")
        if told is None:
            yield from view.need_of(party, "consent", who, "its consent")
        elif told.state is Consent.DISPUTED:
            yield Gap(State.DISPUTED, path, f"{who}: its consent is disputed.")
        elif told.state is Consent.REJECTED:
            yield Gap(State.SET, path, f"{who}: its consent is recorded as rejected.")
        else:
            for keys in _EVIDENCE.get(told.state, ()):
                if all(given(getattr(told, key)) is None for key in keys):
                    what = f"who or what shows that it is {told.state} ({' or '.join(keys)})"
                    yield from view.need_of(told, keys[0], who, what)
            by = given(told.by)
            if told.state is Consent.VIA and by is not None and not view.knows_party(by):
                yield view.odd(f"{path}.by", f"{who}: its consent goes through {by}, which is no party.")


@check(
    "PAR-03",
    "every armed actor covered",
    severity=Severity.ERROR,
    keys=("parties[].bound_by", "parties[].consent", "parties[].answers_to", "parties[].consent.state"),
    fix="""
parties:
  - {id: militia, consent: {state: via, by: north}, answers_to: {party: north, certainty: known}}
  - {id: traffic, kind: non_party, consent: {state: none}, bound_by: national declaration 12 of 2031}
""",
)
def covered(view: View) -> Iterator[Gap]:
    """Find actors that neither consent, nor are bound by one who does, nor are listed as bound from outside."""
    by_id = {p.id: p for p in view.parties}
    for party in view.parties:
        if not is_covered(party, by_id):
            message = (
                f"Party {party.id} is bound by nothing: it does not consent, nobody who consents answers for it with"
                " certainty, and no bound_by says what else binds it."
            )
            yield Gap(_uncovered_state(party, by_id), f"{party.path}.bound_by", message)
    for zone in view.zones:
        for key in ("applies_to", "exempt"):
            for name in given(getattr(zone, key)) or ():
                if not view.knows_party(name) and name != ALL and name not in MOVER_WORDS:
                    yield view.odd(f"{zone.path}.{key}", f"Zone {zone.id}: {key} names {name}, which is no party.")
    for site in given(view.agreement.sites) or ():
        protector = given(site.protected_by)
        if protector is not None and not view.knows_party(protector):
            yield view.odd(
                f"{site.path}.protected_by", f"Site {site.id}: protected_by names {protector}, which is no party."
            )


def is_covered(party: Party, by_id: dict[str, Party], seen: frozenset[str] = frozenset()) -> bool:
    """Return True if a party consents, or one that does answers for it, or it is bound from outside."""
    told = given(party.consent)
    if told is not None and told.state in (Consent.SIGNED, Consent.ACCEPTED, Consent.DECLARED, Consent.DISPUTED):
        return True
    if given(party.bound_by) and given(party.kind) == NON_PARTY:
        return True
    answers = given(party.answers_to)
    above = []
    if told is not None and told.state is Consent.VIA:
        above.append(given(told.by))
    if answers is not None and given(answers.certainty) not in (None, "unknown"):
        above.append(answers.party)
    seen |= {party.id}
    return any(name in by_id and name not in seen and is_covered(by_id[name], by_id, seen) for name in above if name)


def _uncovered_state(party: Party, by_id: dict[str, Party]) -> State:
    """Return why a party is bound by nothing: what its consent, its superior and `bound_by` say of themselves."""
    told = given(party.consent)
    if told is None:
        return state_of(party.consent)
    above = by_id.get(given(told.by) or "") if told.state is Consent.VIA else None
    if above is not None and given(above.consent) is None:
        return state_of(above.consent)
    if told.state is not Consent.NONE:
        return State.SET if told.state is Consent.REJECTED else State.INCONSISTENT
    states = {state_of(party.bound_by), state_of(party.answers_to)}
    return State.NOT_SET if State.NOT_SET in states else State.SILENT


@check(
    "PAR-04",
    "who speaks for whom",
    severity=Severity.ERROR,
    keys=("parties[].speaks_for", "parties[].answers_to", "parties[].answers_to.certainty"),
    fix="""
parties:
  - {id: north, speaks_for: [militia]}
  - {id: militia, answers_to: {party: north, certainty: known}}
""",
)
def proxies(view: View) -> Iterator[Gap]:
    """Find forces bound through another for which nobody speaks with certainty."""
    declared = any(p.speaks_for is Blank.NOT_SET for p in view.parties)
    spoken_for = {name for p in view.parties for name in given(p.speaks_for) or ()}
    for party in view.parties:
        who = f"Party {party.id}"
        for name in given(party.speaks_for) or ():
            if not view.knows_party(name):
                yield view.odd(f"{party.path}.speaks_for", f"{who}: speaks_for names {name}, which is no party.")
        answers = given(party.answers_to)
        if answers is not None and not view.knows_party(answers.party):
            yield view.odd(f"{party.path}.answers_to", f"{who}: answers to {answers.party}, which is no party.")
        told = given(party.consent)
        proxy = told is not None and told.state in (Consent.VIA, Consent.NONE) and given(party.kind) != NON_PARTY
        if not proxy or party.id in spoken_for:
            continue
        if answers is None:
            state = State.NOT_SET if declared else state_of(party.answers_to)
            yield from view.gap(state, f"{party.path}.answers_to", who, "whom it answers to, or who speaks for it")
        elif given(answers.certainty) is None:
            yield from view.need_of(answers, "certainty", who, f"how certain it is that it answers to {answers.party}")
        elif given(answers.certainty) == "unknown":
            message = f"{who}: whether it answers to {answers.party} is declared unknown, and nobody speaks for it."
            yield Gap(State.NOT_SET, f"{answers.path}.certainty", message)


@check(
    "PAR-05",
    "excluded groups as a closed list",
    severity=Severity.WARNING,
    keys=("excluded_groups", "excluded_groups.groups", "excluded_groups.change"),
    armed_only=True,
    fix="""
excluded_groups: {groups: [], change: written consent of all signatories}
""",
)
def excluded(view: View) -> Iterator[Gap]:
    """Find an agreement that does not say which groups stand outside it, or how that list changes."""
    yield from view.need("excluded_groups.groups", "The agreement", "the closed list of excluded groups")
    yield from view.need("excluded_groups.change", "The agreement", "how the list of excluded groups is changed")


@check(
    "PAR-06",
    "roster of authorised forces",
    severity=Severity.WARNING,
    keys=("zones[].local_forces", "zones[].local_forces.roster", "zones[].local_forces.vetted_by"),
    armed_only=True,
    fix="""
zones:
  - {id: ring, local_forces: {roster: annex A, vetted_by: joint_desk}}
""",
)
def rosters(view: View) -> Iterator[Gap]:
    """Find stand-off, separation and limitation zones without a list of who may bear arms inside."""
    for zone in view.bound:
        if given(zone.kind) in ("stand_off", "separation", "limitation"):
            forces = given(zone.local_forces)
            if forces is None:
                yield from view.need_of(zone, "local_forces", f"Zone {zone.id}", "who may bear arms inside")
                continue
            yield from view.need_of(forces, "roster", f"Zone {zone.id}", "the roster of forces inside")
            yield from view.need_of(forces, "vetted_by", f"Zone {zone.id}", "who vets that roster")


@check(
    "PAR-07",
    "role of third parties",
    severity=Severity.WARNING,
    keys=("parties[].role", "parties[].duties"),
    armed_only=True,
    fix="""
parties:
  - id: guarantor_state
    role: guarantor
    duties: [{id: relay, what: pass warnings on, within: PT10M, judge: joint_desk}]
""",
)
def third_parties(view: View) -> Iterator[Gap]:
    """Find guarantors, mediators and chairs without duties that have a deadline; or no third party at all."""
    thirds = [p for p in view.parties if given(p.role) in THIRD_ROLES]
    if not thirds:
        state = view.agreement.state("parties")
        if state is State.SET:
            state = State.NOT_SET if any(p.role is Blank.NOT_SET for p in view.parties) else State.SILENT
        yield Gap(state, "parties", "No party has the role of guarantor, mediator, chair, observer or witness.")
    for party in thirds:
        duties = given(party.duties)
        if duties is None:
            yield from view.need_of(party, "duties", f"Party {party.id}", f"what it owes as {given(party.role)}")
        for duty in duties or ():
            if given(duty.by) is None and given(duty.within_s) is None:
                yield from view.need_of(duty, "within", f"Party {party.id}, duty {duty.id}", "its deadline")


@check(
    "PAR-08",
    "civil and other-agency traffic",
    severity=Severity.WARNING,
    keys=("zones[].classes",),
    fix="""
zones:
  - {id: ring, classes: [all]}
""",
)
def civil_traffic(view: View) -> Iterator[Gap]:
    """Find zones that do not say whether they bind civil and coast guard traffic."""
    listed_outside = any(given(p.kind) == NON_PARTY for p in view.parties)
    for zone in view.bound:
        classes = given(zone.classes)
        if classes is None:
            yield from view.need_of(
                zone, "classes", f"Zone {zone.id}", "which classes of movers it binds, civil ones included"
            )
        elif ALL not in classes and not listed_outside and not set(classes) - MILITARY_CLASSES:
            path = f"{zone.path}.classes"
            yield Gap(State.SILENT, path, f"Zone {zone.id}: civil and coast guard traffic is not mentioned.")


def folded(name: str) -> str:
    """Return a name as it is compared: compatibility forms and case folded, letters and digits only."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def _mixes_scripts(name: str) -> bool:
    for word in name.split():
        scripts = {unicodedata.name(c, "?").split()[0] for c in word if c.isalpha()}
        if len(scripts & set(LOOKALIKE_SCRIPTS)) > 1:
            return True
    return False
