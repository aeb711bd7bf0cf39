"""Together: what agreements that hold side by side have against each other, found under the codes of the list.

Four things (AGREEMENT §3, "Two agreements at once"): zones that overlap without a precedence (GEO-07), one party under
two names or two under one (PAR-01), a permission against a prohibition (CON-02), and channels that fail together
(WRN-03). Agreements that are never in force at the same time are compared by their parties' names only. Windows of
zones are left out: what overlaps in place is told even where the hours differ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from math import inf

from tocsin.agreement.compile import ALL, MOVER_WORDS
from tocsin.agreement.extent import overlaps
from tocsin.agreement.lint import finding_of
from tocsin.agreement.model import Agreement, Party
from tocsin.agreement.rules import CHECKS
from tocsin.agreement.rules.check import Finding, Gap, View, listed
from tocsin.agreement.rules.geo import are_ordered, clusters_of, do_meet
from tocsin.agreement.rules.par import folded
from tocsin.agreement.rules.wrn import channel_ends
from tocsin.agreement.terms.places import Zone
from tocsin.agreement.terms.state import State, given
from tocsin.agreement.terms.telling import Channel
from tocsin.errors import AgreementError
from tocsin.geo.shapes import Region


def lint_together(agreements: Sequence[Agreement]) -> tuple[Finding, ...]:
    """Return what agreements have against each other; what each leaves open by itself is for `lint`.

    Parameters
    ----------
    agreements : sequence of Agreement
        Of different ids. Their order does not matter: a finding stands in the one whose id comes first.

    Raises
    ------
    AgreementError
        If two of them have one id: versions of one agreement are compared, not held side by side.
    """
    views = [View(a) for a in sorted(agreements, key=lambda a: a.id)]
    found: set[Finding] = set()
    for one, other in combinations(views, 2):
        if one.agreement.id == other.agreement.id:
            raise AgreementError(
                f"the id {other.agreement.id} in two files",
                expected="agreements of different ids; `tocsin agreement diff` compares versions of one",
                place=other.agreement.where("id"),
            )
        gaps = [("PAR-01", gap) for gap in _parties(one, other)]
        if _hold_at_once(one.agreement, other.agreement):
            gaps += [*_zones(one, other), *_acts(one, other)]
            gaps += [("WRN-03", gap) for gap in _channels(one, other)]
        found |= {finding_of(one.agreement, CHECKS[code], gap) for code, gap in gaps}
    return tuple(sorted(found, key=lambda f: (list(CHECKS).index(f.code), f.where.file, f.path, f.message)))


def _hold_at_once(one: Agreement, other: Agreement) -> bool:
    """Return True unless one is known to end before the other begins."""
    spans = []
    for agreement in (one, other):
        told = given(agreement.effective)
        begin, end = (given(told.from_us), given(told.to_us)) if told else (None, None)
        spans.append((-inf if begin is None else begin, inf if end is None else end))
    return spans[0][0] < spans[1][1] and spans[1][0] < spans[0][1]


def _names(party: Party) -> frozenset[str]:
    """Return the names of a party for people: not its id, unless it has no other."""
    return frozenset(folded(n) for n in (given(party.name) or party.id, *(given(party.aliases) or ())))


def _same(one: View, other: View) -> dict[str, frozenset[str]]:
    """Return which parties of another agreement each party of one is: by a name, an id or a key that they share."""
    by_mark: dict[str, set[str]] = defaultdict(set)
    for party in other.parties:
        for mark in _marks(party):
            by_mark[mark].add(party.id)
    return {p.id: frozenset().union(*(by_mark[m] for m in _marks(p) if m in by_mark)) for p in one.parties}


def _marks(party: Party) -> set[str]:
    key = given(party.key)
    return {*_names(party), folded(party.id), *([f"key {key}"] if key else [])}


def _parties(one: View, other: View) -> Iterator[Gap]:
    by_id = {p.id: p for p in other.parties}
    a, b = one.agreement.id, other.agreement.id
    same = _same(one, other)
    for party in one.parties:
        for name in sorted(same[party.id] - {party.id}):
            told = f"Party {party.id} of {a} and party {name} of {b} share a name or a key: one party under two ids."
            yield one.odd(party.path, told)
        twin = by_id.get(party.id)
        names = [given(p.name) for p in (party, twin)] if twin is not None else []
        if twin is not None and all(names) and not _names(party) & _names(twin):
            yield one.odd(
                party.path,
                f"The id {party.id} is {names[0]!r} in {a} and {names[1]!r} in {b}: one party under"
                " two names, or two under one id.",
            )


def _zones(one: View, other: View) -> Iterator[tuple[str, Gap]]:
    """Yield zones that overlap without an order, and those of which one lifts what the other binds."""
    views = {view.agreement.id: view for view in (one, other)}
    by_name = {f"{name}: {z.id}": (view, z) for name, view in views.items() for z in view.zones}
    regions = {
        name: region for name, (view, z) in by_name.items() if isinstance(region := view.regions[z.id], Region)
    }  # fmt: skip
    same = _same(one, other)
    across = []
    for a, b in overlaps(regions):
        first, second = sorted((a, b), key=lambda name: by_name[name][0] is other)
        (home, zone), (away, beside) = by_name[first], by_name[second]
        if home is away or not do_meet(zone, beside) or are_ordered(zone, beside):
            continue
        across.append((first, second))
        lifted = _lifted(zone, beside, same)
        if lifted:
            told = f"Zones {first} and {second} overlap, and one lifts what the other binds {listed(lifted)} to."
            yield "CON-02", one.odd(zone.path, told)
    for cluster in clusters_of(across):
        zone = next(z for view, z in (by_name[name] for name in cluster) if view is one)
        told = f"Zones {listed(cluster)} overlap without a precedence that says which goes before."
        yield "GEO-07", one.odd(f"{zone.path}.precedence", told)


def _lifted(zone: Zone, beside: Zone, same: dict[str, frozenset[str]]) -> list[str]:
    """Return whom one of two zones binds and the other lets go, by their ids in the first agreement."""
    classes = [set(given(z.classes) or (ALL,)) for z in (zone, beside)]
    if not any(ALL in c for c in classes) and not classes[0] & classes[1]:
        return []
    ours = {name: frozenset({name}) for name in same}
    free, bound = (_let_go(zone, ours), _let_go(beside, same)), (_bound(zone, ours), _bound(beside, same))
    return sorted((free[0] & bound[1]) | (free[1] & bound[0]))


def _let_go(zone: Zone, same: dict[str, frozenset[str]]) -> set[str]:
    """Return the parties that a zone lets go, by their ids in the first agreement."""
    return _named(zone.applies_to if zone.is_exemption else zone.exempt, same, blank_is_all=zone.is_exemption)


def _bound(zone: Zone, same: dict[str, frozenset[str]]) -> set[str]:
    if zone.is_exemption:
        return set()
    return _named(zone.applies_to, same, blank_is_all=True) - _named(zone.exempt, same, blank_is_all=False)


def _named(told: object, same: dict[str, frozenset[str]], *, blank_is_all: bool) -> set[str]:
    """Return the first agreement's parties that a list of a zone names, whichever agreement the zone is of."""
    names = given(told)
    if not isinstance(names, tuple):
        return set(same) if blank_is_all else set()
    return set(same) if ALL in names else {ours for ours, theirs in same.items() if theirs & set(names)}


def _acts(one: View, other: View) -> Iterator[tuple[str, Gap]]:
    """Yield acts that one agreement prohibits and the other lists, by the act's id, among what it permits."""
    for home, away in ((one, other), (other, one)):
        conduct, theirs = given(home.agreement.conduct), given(away.agreement.conduct)
        permitted = {folded(word) for word in (given(theirs.permitted) if theirs else None) or ()}
        for act in (given(conduct.prohibited) if conduct else None) or ():
            if folded(act.id) in permitted:
                path = act.path if home is one else "conduct.permitted"
                told = f"{home.agreement.id} prohibits {act.id}, and {away.agreement.id} lists it among permitted acts."
                yield "CON-02", one.odd(path, told)


def _channels(one: View, other: View) -> Iterator[Gap]:
    """Yield channels of one carrier, and lines of one id and kind between the same parties."""
    a, b = one.agreement.id, other.agreement.id
    same = _same(one, other)
    for ours in one.channels:
        for theirs in other.channels:
            carrier = given(ours.carrier)
            if carrier and folded(carrier) == folded(given(theirs.carrier) or ""):
                why = f"run on one carrier, {carrier}"
            elif _is_one_line(ours, theirs, same):
                why = "are one line"
            else:
                continue
            told = f"Channel {ours.id} of {a} and channel {theirs.id} of {b} {why}: they fail together."
            yield Gap(State.INCONSISTENT, ours.path, told)


def _is_one_line(ours: Channel, theirs: Channel, same: dict[str, frozenset[str]]) -> bool:
    """Return True for two names of one line; a call that any mover can hear is a medium, not one line."""
    if folded(ours.id) != folded(theirs.id) or given(ours.kind) is None or given(ours.kind) != given(theirs.kind):
        return False
    ends, others = (set(channel_ends(c)) | set(given(c.from_) or ()) for c in (ours, theirs))
    if not ends or (ends | others) & {*MOVER_WORDS, ALL}:
        return False
    return all(same.get(end, frozenset()) & others for end in ends)
